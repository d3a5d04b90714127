"""OpenAI Realtime: what a session's settings and items look like on the wire.

Shapes: OpenAI API reference, Realtime `session.update` (2026-08). The flat shape is that of the
beta, which OpenAI retired on 2026-05-12 and look-alike servers still speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.audio.formats import L16_24K, PCMA_8K, PCMU_8K, AudioFormat
from bridge.errors import LocalProtocolError
from bridge.providers.base import Capabilities, Turns
from bridge.providers.conversation import Conversation, Ran, Said, Speaker, Tool
from bridge.providers.openai.config import OWN_TRANSCRIPTION, OpenAIRealtimeConfig
from bridge.providers.openai.events import EchoedFormat, EchoedSession, TypedAudio

NOTICES_WITHIN_S = 0.8
"""A caller's voice brings `speech_started` within this time, or a probe its answer."""

_GA_FORMATS: dict[AudioFormat, dict[str, Any]] = {
    L16_24K: {"type": "audio/pcm", "rate": 24000},
    PCMU_8K: {"type": "audio/pcmu"},
    PCMA_8K: {"type": "audio/pcma"},
}
_BETA_FORMATS = {L16_24K: "pcm16", PCMU_8K: "g711_ulaw", PCMA_8K: "g711_alaw"}


def capabilities(config: OpenAIRealtimeConfig) -> Capabilities:
    """What a session with these settings can do; G.711 passes untouched.

    A caller who speaks interrupts by the session's decision: when the answer has been made in
    full, which is usual, the service has nothing left to cancel and says nothing of it.
    """
    told = config.turn_detection != "none"
    formats = spoken_formats(config)
    return Capabilities(
        audio_in=formats,
        audio_out=formats,
        turns=Turns.TOLD if told else Turns.OURS,
        minds_silence=config.turn_detection == "server_vad"
        and config.vad_idle_timeout_ms is not None,
        writes=bool(config.transcription_model),
        notices_within_s=NOTICES_WITHIN_S if told else None,
    )


def spoken_formats(config: OpenAIRealtimeConfig) -> tuple[AudioFormat, ...]:
    """Those the service speaks, best first."""
    return tuple(
        audio_format
        for audio_format, named in _GA_FORMATS.items()
        if named["type"].removeprefix("audio/") in config.formats
    )


def session_settings(config: OpenAIRealtimeConfig, conversation: Conversation) -> dict[str, Any]:
    """The `session` object of `session.update`. Raises `LocalProtocolError` for a wrong format."""
    for audio_format in (conversation.audio_in, conversation.audio_out):
        if audio_format not in spoken_formats(config):
            raise LocalProtocolError(f"the service does not speak {audio_format}")
    build = _ga_session if config.api_shape == "ga" else _beta_session
    return deep_merge(build(config, conversation), config.extra)


def echoed_format_problem(conversation: Conversation, session: EchoedSession) -> str:
    """Why the server's own words on audio formats would make noise; empty when all is well."""
    audio = session.audio
    if audio is None:
        return ""
    pairs = ((conversation.audio_in, audio.input), (conversation.audio_out, audio.output))
    return "; ".join(
        f"asked for {asked}, server uses {_echoed_type(echoed)}"
        for asked, echoed in pairs
        if _echoed_type(echoed) not in (None, _GA_FORMATS[asked]["type"])
    )


def _echoed_type(echoed: EchoedFormat | None) -> str | None:
    asked = echoed.format if echoed is not None else None
    return asked.type if isinstance(asked, TypedAudio) else None


def _ga_session(config: OpenAIRealtimeConfig, conversation: Conversation) -> dict[str, Any]:
    audio_input = {
        "format": _GA_FORMATS[conversation.audio_in],
        "noise_reduction": _noise_reduction(config),
        "transcription": _transcription(config, conversation.brief.language),
        "turn_detection": _turn_detection(config),
    }
    audio_output = {"format": _GA_FORMATS[conversation.audio_out]} | _present(
        voice=config.voice, speed=config.speed
    )
    session: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {"input": audio_input, "output": audio_output},
        "tools": [_tool(tool) for tool in conversation.brief.tools],
        "tool_choice": _tool_choice(config.tool_choice),
    }
    return session | _present(
        instructions=conversation.brief.instructions or None,
        max_output_tokens=config.max_output_tokens,
    )


def _beta_session(config: OpenAIRealtimeConfig, conversation: Conversation) -> dict[str, Any]:
    session: dict[str, Any] = {
        "modalities": ["text", "audio"],
        "input_audio_format": _BETA_FORMATS[conversation.audio_in],
        "output_audio_format": _BETA_FORMATS[conversation.audio_out],
        "input_audio_noise_reduction": _noise_reduction(config),
        "input_audio_transcription": _transcription(config, conversation.brief.language),
        "turn_detection": _turn_detection(config),
        "tools": [_tool(tool) for tool in conversation.brief.tools],
        "tool_choice": _tool_choice(config.tool_choice),
    }
    return session | _present(
        instructions=conversation.brief.instructions or None,
        voice=config.voice,
        speed=config.speed,
        max_response_output_tokens=config.max_output_tokens,
    )


def empty_update(api_shape: str) -> dict[str, Any]:
    """A `session` of `session.update` that changes nothing, and is answered all the same."""
    return {"type": "realtime"} if api_shape == "ga" else {}


def audible(api_shape: str) -> dict[str, Any]:
    """Of a `response.create`: speak, do not write."""
    return {"output_modalities": ["audio"]} if api_shape == "ga" else {}


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _noise_reduction(config: OpenAIRealtimeConfig) -> dict[str, Any] | None:
    return {"type": config.noise_reduction} if config.noise_reduction else None


def _transcription(config: OpenAIRealtimeConfig, language: str | None) -> dict[str, Any] | None:
    """`language` is BCP 47; the transcription takes its first part only (ISO 639-1).

    A transcription of the service's own takes a language alone, and `pt-br` for one.
    """
    if not config.transcription_model:
        return None
    if config.transcription_model == OWN_TRANSCRIPTION:
        lowered = (language or "").lower()
        own = lowered if lowered == "pt-br" else lowered.partition("-")[0]
        return _present(language=own or None)
    code = (language or "").partition("-")[0].lower() or None
    return {"model": config.transcription_model} | _present(
        language=code, prompt=config.transcription_prompt
    )


def _turn_detection(config: OpenAIRealtimeConfig) -> dict[str, Any] | None:
    if config.turn_detection == "none":
        return None
    common: dict[str, Any] = {
        "type": config.turn_detection,
        "create_response": config.create_response,
        "interrupt_response": config.interrupt_response,
    }
    if config.turn_detection == "semantic_vad":
        return common | _present(eagerness=config.vad_eagerness)
    return common | _present(
        threshold=config.vad_threshold,
        prefix_padding_ms=config.vad_prefix_padding_ms,
        silence_duration_ms=config.vad_silence_ms,
        idle_timeout_ms=config.vad_idle_timeout_ms,
    )


def _tool(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _tool_choice(choice: str) -> str | dict[str, str]:
    """A mode word as it is; anything else is the name of the one function to call."""
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "name": choice}


# --- items ----------------------------------------------------------------------------------------


def history_items(entry: Said | Ran, number: int, api_shape: str) -> list[dict[str, Any]]:
    """Items that tell the model what was said or done before; `number` makes ids of calls unique.

    The agent's words go in as text: a client cannot create assistant audio. The beta knew no
    function calls made by the client.
    """
    if isinstance(entry, Said):
        return [_said(entry, api_shape)]
    if api_shape != "ga":
        return [system_item(ran_text(entry))]
    call = {"call_id": f"call_bridge_{number}"}
    return [
        {"type": "function_call", **call, "name": entry.name, "arguments": entry.arguments},
        {"type": "function_call_output", **call, "output": entry.output},
    ]


def _said(entry: Said, api_shape: str) -> dict[str, Any]:
    if entry.speaker is Speaker.CALLER:
        return message_item("user", "input_text", entry.text)
    return message_item("assistant", "output_text" if api_shape == "ga" else "text", entry.text)


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
