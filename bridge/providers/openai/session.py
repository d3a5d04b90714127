"""OpenAI Realtime: what a session's settings and items look like on the wire.

Shapes: OpenAI API reference, Realtime `session.update` (2026-08). The flat shape is that of the
beta, which OpenAI retired on 2026-05-12 and look-alike servers still speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.audio.formats import L16_24K, PCMA_8K, PCMU_8K, AudioFormat
from bridge.errors import LocalProtocolError
from bridge.providers.base import ConversationOptions, Speaker, TurnDetection
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.events import EchoedFormat, EchoedSession, TypedAudio

_GA_FORMATS: dict[AudioFormat, dict[str, Any]] = {
    L16_24K: {"type": "audio/pcm", "rate": 24000},
    PCMU_8K: {"type": "audio/pcmu"},
    PCMA_8K: {"type": "audio/pcma"},
}
_BETA_FORMATS = {L16_24K: "pcm16", PCMU_8K: "g711_ulaw", PCMA_8K: "g711_alaw"}
FORMATS = tuple(_GA_FORMATS)


def session_settings(config: OpenAIRealtimeConfig, options: ConversationOptions) -> dict[str, Any]:
    """The `session` object of `session.update`. Raises `LocalProtocolError` for a wrong format."""
    for audio_format in (options.input_format, options.output_format):
        if audio_format not in _GA_FORMATS:
            raise LocalProtocolError(f"OpenAI Realtime does not speak {audio_format}")
    build = _ga_session if config.api_shape == "ga" else _beta_session
    return deep_merge(build(config, options), options.extra)


def transcription_model(config: OpenAIRealtimeConfig, options: ConversationOptions) -> str:
    """The conversation's choice, else the provider row's; empty: the caller is not transcribed."""
    if options.transcription_model is None:
        return config.transcription_model
    return options.transcription_model


def echoed_format_problem(options: ConversationOptions, session: EchoedSession) -> str:
    """Why the server's own words on audio formats would make noise; empty when all is well."""
    audio = session.audio
    if audio is None:
        return ""
    pairs = ((options.input_format, audio.input), (options.output_format, audio.output))
    return "; ".join(
        f"asked for {asked}, server uses {_echoed_type(echoed)}"
        for asked, echoed in pairs
        if _echoed_type(echoed) not in (None, _GA_FORMATS[asked]["type"])
    )


def _echoed_type(echoed: EchoedFormat | None) -> str | None:
    asked = echoed.format if echoed is not None else None
    return asked.type if isinstance(asked, TypedAudio) else None


def _ga_session(config: OpenAIRealtimeConfig, options: ConversationOptions) -> dict[str, Any]:
    audio_input = {
        "format": _GA_FORMATS[options.input_format],
        "noise_reduction": _noise_reduction(options),
        "transcription": _transcription(config, options),
        "turn_detection": _turn_detection(options.turn_detection),
    }
    audio_output = {"format": _GA_FORMATS[options.output_format]} | _present(
        voice=options.voice, speed=options.speed
    )
    session: dict[str, Any] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {"input": audio_input, "output": audio_output},
        "tools": _tools(options),
        "tool_choice": _tool_choice(options.tool_choice),
    }
    return session | _present(
        instructions=options.instructions or None, max_output_tokens=options.max_output_tokens
    )


def _beta_session(config: OpenAIRealtimeConfig, options: ConversationOptions) -> dict[str, Any]:
    session: dict[str, Any] = {
        "modalities": ["text", "audio"],
        "input_audio_format": _BETA_FORMATS[options.input_format],
        "output_audio_format": _BETA_FORMATS[options.output_format],
        "input_audio_noise_reduction": _noise_reduction(options),
        "input_audio_transcription": _transcription(config, options),
        "turn_detection": _turn_detection(options.turn_detection),
        "tools": _tools(options),
        "tool_choice": _tool_choice(options.tool_choice),
    }
    return session | _present(
        instructions=options.instructions or None,
        voice=options.voice,
        speed=options.speed,
        max_response_output_tokens=options.max_output_tokens,
    )


def empty_update(api_shape: str) -> dict[str, Any]:
    """A `session` of `session.update` that changes nothing, and is answered all the same."""
    return {"type": "realtime"} if api_shape == "ga" else {}


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _noise_reduction(options: ConversationOptions) -> dict[str, Any] | None:
    return {"type": options.noise_reduction} if options.noise_reduction else None


def _transcription(
    config: OpenAIRealtimeConfig, options: ConversationOptions
) -> dict[str, Any] | None:
    model = transcription_model(config, options)
    if not model:
        return None
    return {"model": model} | _present(
        language=options.language, prompt=options.transcription_prompt
    )


def _turn_detection(turn: TurnDetection) -> dict[str, Any] | None:
    if turn.mode == "none":
        return None
    common: dict[str, Any] = {
        "type": turn.mode,
        "create_response": turn.create_response,
        "interrupt_response": turn.interrupt_response,
    }
    if turn.mode == "semantic_vad":
        return common | _present(eagerness=turn.eagerness)
    return common | _present(
        threshold=turn.threshold,
        prefix_padding_ms=turn.prefix_padding_ms,
        silence_duration_ms=turn.silence_duration_ms,
        idle_timeout_ms=turn.idle_timeout_ms,
    )


def _tools(options: ConversationOptions) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
        }
        for tool in options.tools
    ]


def _tool_choice(choice: str) -> str | dict[str, str]:
    """A mode word as it is; anything else is the name of the one function to call."""
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "name": choice}


def history_item(speaker: Speaker, text: str, api_shape: str) -> dict[str, Any]:
    """An item that tells the model what was said before.

    The agent's words go in as text: a client cannot create assistant audio.
    """
    if speaker is Speaker.CALLER:
        return message_item("user", "input_text", text)
    return message_item("assistant", "output_text" if api_shape == "ga" else "text", text)


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
