"""ElevenLabs Agents: the first message, and how a conversation that goes on is put into it.

Fields: ElevenLabs, «Overrides» and «Dynamic variables», and `ConversationInitiationData` of the
`elevenlabs` package 2.78.0. An empty first message lets the caller begin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.providers.conversation import Conversation, Opening, Ran, Said, Speaker
from bridge.providers.elevenlabs.config import ElevenLabsConfig

MAX_HISTORY_CHARS = 16_000
"""Of a conversation that goes on; its beginning is left out first."""
GO_ON = "[The line was interrupted. Please go on with what the caller asked for.]"
_SO_FAR = "The conversation so far; go on from here, do not greet the caller again:"
_PLACES = {
    "prompt": ("agent", "prompt", "prompt"),
    "llm": ("agent", "prompt", "llm"),
    "first_message": ("agent", "first_message"),
    "language": ("agent", "language"),
    "voice_id": ("tts", "voice_id"),
    "stability": ("tts", "stability"),
    "similarity_boost": ("tts", "similarity_boost"),
    "speed": ("tts", "speed"),
}
"""Where an override stands in `conversation_config_override`."""


def initiation(config: ElevenLabsConfig, talk: Conversation) -> dict[str, Any]:
    """`conversation_initiation_client_data`."""
    wanted = _wanted(config, talk)
    override: dict[str, Any] = {}
    for name in wanted.keys() & set(config.overrides):
        _put(override, _PLACES[name], wanted[name])
    spare = {name: value for name, value in wanted.items() if name not in config.overrides}
    message: dict[str, Any] = {
        "type": "conversation_initiation_client_data",
        "conversation_config_override": _merged(override, config.extra),
        "dynamic_variables": spare | dict(config.dynamic_variables),
    }
    if config.user_id:
        message["user_id"] = config.user_id
    return message


def _wanted(config: ElevenLabsConfig, talk: Conversation) -> dict[str, str | float]:
    greets = talk.opening is Opening.GREET
    wanted: dict[str, str | float | None] = {
        "prompt": _prompt(talk) or None,
        "llm": config.model or None,
        "first_message": talk.brief.greeting if greets else "",
        "language": language_code(talk.brief.language),
        "voice_id": config.voice or None,
        "stability": config.stability,
        "similarity_boost": config.similarity_boost,
        "speed": config.speed,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def opening_text(talk: Conversation) -> str:
    """What the agent is to be told as the caller's turn once it listens; empty: nothing."""
    if talk.opening is not Opening.ANSWER:
        return ""
    last = talk.history[-1] if talk.history else None
    if isinstance(last, Said) and last.speaker is Speaker.CALLER and last.text:
        return last.text
    return GO_ON


def _prompt(talk: Conversation) -> str:
    asked = opening_text(talk) not in ("", GO_ON)
    so_far = history_text(talk.history[:-1] if asked else talk.history)
    parts = [talk.brief.instructions, f"{_SO_FAR}\n{so_far}" if so_far else ""]
    return "\n\n".join(part for part in parts if part)


def history_text(history: Sequence[Said | Ran]) -> str:
    """What was said and done before, a line each, as much as there is room for."""
    lines: list[str] = []
    room = MAX_HISTORY_CHARS
    for entry in reversed(history):
        line = _line(entry)
        room -= len(line) + 1
        if room < 0:
            lines.append(line[: max(0, room + len(line))] if not lines else "[…]")
            break
        lines.append(line)
    return "\n".join(reversed(lines))


def _line(entry: Said | Ran) -> str:
    if isinstance(entry, Said):
        return f"{'Caller' if entry.speaker is Speaker.CALLER else 'You'}: {entry.text}"
    return (
        f"[The function {entry.name} was called with {entry.arguments}; it ran, do not call it "
        f"again. Its result: {entry.output}]"
    )


def language_code(tag: str | None) -> str | None:
    """A BCP 47 tag in the service's codes: `pt-br` is one of its own, others have no region."""
    if not tag:
        return None
    lowered = tag.lower().replace("_", "-")
    return lowered if lowered == "pt-br" else lowered.partition("-")[0]


def _put(tree: dict[str, Any], path: Sequence[str], value: object) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    tree[path[-1]] = value


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: objects are joined key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged
