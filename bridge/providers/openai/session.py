"""OpenAI Realtime: what a session's settings and items look like on the wire.

Shapes: OpenAI API reference, Realtime `session.update` (2026-08); those of look-alikes are told in
`bridge.providers.openai.shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.audio.formats import AudioFormat
from bridge.errors import LocalProtocolError
from bridge.providers.base import Capabilities, Turns
from bridge.providers.conversation import Conversation, Ran, Said, Speaker
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.shapes import GA_FORMATS, SHAPES, Spoken
from bridge.providers.openai.structures import EchoedFormat, EchoedSession, TypedAudio

NOTICES_WITHIN_S = 0.8
"""A caller's voice brings `speech_started` within this time, or a probe its answer."""


def capabilities(config: OpenAIRealtimeConfig) -> Capabilities:
    """What a session with these settings can do; G.711 passes untouched.

    A caller who speaks interrupts by the session's decision: when the answer has been made in
    full, which is usual, the service has nothing left to cancel and says nothing of it.
    """
    told = config.turn_detection != "none"
    shape = SHAPES[config.api_shape]
    return Capabilities(
        audio_in=_spoken(config, shape.audio_in),
        audio_out=_spoken(config, shape.audio_out),
        turns=Turns.TOLD if told else Turns.OURS,
        minds_silence=config.turn_detection == "server_vad"
        and config.vad_idle_timeout_ms is not None,
        notices_within_s=NOTICES_WITHIN_S if told else None,
    )


def _spoken(config: OpenAIRealtimeConfig, known: Spoken) -> tuple[AudioFormat, ...]:
    """Those the service speaks, best first."""
    return tuple(one for one, (word, _) in known.items() if word in config.formats)


def session_settings(config: OpenAIRealtimeConfig, conversation: Conversation) -> dict[str, Any]:
    """The `session` object of `session.update`. Raises `LocalProtocolError` for a wrong format."""
    shape = SHAPES[config.api_shape]
    for audio_format, known in (
        (conversation.audio_in, shape.audio_in),
        (conversation.audio_out, shape.audio_out),
    ):
        if audio_format not in _spoken(config, known):
            raise LocalProtocolError(f"the service does not speak {audio_format}")
    return deep_merge(shape.session(config, conversation), config.extra)


def echoed_format_problem(conversation: Conversation, session: EchoedSession) -> str:
    """Why the server's own words on audio formats would make noise; empty when all is well."""
    audio = session.audio
    if audio is None:
        return ""
    pairs = ((conversation.audio_in, audio.input), (conversation.audio_out, audio.output))
    return "; ".join(
        f"asked for {asked}, server uses {_echoed_type(echoed)}"
        for asked, echoed in pairs
        if asked in GA_FORMATS and _echoed_type(echoed) not in (None, GA_FORMATS[asked][1]["type"])
    )


def _echoed_type(echoed: EchoedFormat | None) -> str | None:
    asked = echoed.format if echoed is not None else None
    return asked.type if isinstance(asked, TypedAudio) else None


def empty_update(api_shape: str) -> dict[str, Any]:
    """A `session` of `session.update` that changes nothing, and is answered all the same."""
    return {"type": "realtime"} if api_shape == "ga" else {}


def audible(api_shape: str) -> dict[str, Any]:
    """Of a `response.create`: speak, do not write."""
    return {"output_modalities": ["audio"]} if api_shape == "ga" else {}


# --- items ----------------------------------------------------------------------------------------


def history_items(entry: Said | Ran, number: int, api_shape: str) -> list[dict[str, Any]]:
    """Items that tell the model what was said or done before; `number` makes ids of calls unique.

    The agent's words go in as text: a client cannot create assistant audio. The beta knew no
    function calls made by the client.
    """
    if isinstance(entry, Said):
        return [_said(entry, api_shape)]
    if not SHAPES[api_shape].client_calls:
        return [system_item(ran_text(entry))]
    call = {"call_id": f"call_bridge_{number}"}
    return [
        {"type": "function_call", **call, "name": entry.name, "arguments": entry.arguments},
        {"type": "function_call_output", **call, "output": entry.output},
    ]


def _said(entry: Said, api_shape: str) -> dict[str, Any]:
    if entry.speaker is Speaker.CALLER:
        return message_item("user", "input_text", entry.text)
    return message_item("assistant", SHAPES[api_shape].agent_text, entry.text)


def ran_text(entry: Ran) -> str:
    """A function that ran, in words."""
    return (
        f"The function {entry.name} was called earlier with {entry.arguments}; it ran, do not "
        f"call it again. Its result: {entry.output}"
    )


def system_item(text: str) -> dict[str, Any]:
    """Something nobody said."""
    return message_item("system", "input_text", text)


def message_item(role: str, part: str, text: str) -> dict[str, Any]:
    """A message with one part."""
    return {"type": "message", "role": role, "content": [{"type": part, "text": text}]}


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: objects are joined key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = deep_merge(below, value) if both else value  # type: ignore[arg-type]
    return merged
