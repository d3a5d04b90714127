"""OpenAI Realtime and its look-alikes: how each wants a session's settings written.

| shape | whose |
|---|---|
| `ga` | OpenAI, Azure (`/openai/v1`), LiteLLM (API reference, `session.update`, 2026-08) |
| `beta` | the flat one that OpenAI retired on 2026-05-12; Azure's preview, older servers |
| `xai` | Grok Voice Agent: voice and turn detection beside `audio`, whose parts have no model |
| `qwen` | Qwen-Omni: the flat one with tools as in chat, and a caller at 16 kHz |

Sources: docs.x.ai/docs/guides/voice/agent and `pipecat.services.xai.realtime.events` (2026-11);
alibabacloud.com/help/en/model-studio/client-events (2026-06).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.audio.formats import L16_16K, L16_24K, PCMA_8K, PCMU_8K, AudioFormat
from bridge.providers.conversation import Conversation, Tool
from bridge.providers.openai.config import OWN_TRANSCRIPTION, OpenAIRealtimeConfig

Spoken = Mapping[AudioFormat, tuple[str, Any]]
"""Formats, best first: the word for `formats` in our settings, and what goes on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One way to write."""

    session: Callable[[OpenAIRealtimeConfig, Conversation], dict[str, Any]]
    audio_in: Spoken
    audio_out: Spoken
    client_calls: bool
    """A client may tell of function calls made before."""
    agent_text: str
    """Part of a message in which the agent's own words are told."""
    whole_transcripts: bool = True
    """The end of a transcript holds all of it; otherwise its pieces must be gathered."""


GA_FORMATS: Spoken = {
    L16_24K: ("pcm", {"type": "audio/pcm", "rate": 24000}),
    PCMU_8K: ("pcmu", {"type": "audio/pcmu"}),
    PCMA_8K: ("pcma", {"type": "audio/pcma"}),
}
_BETA_FORMATS: Spoken = {
    L16_24K: ("pcm", "pcm16"),
    PCMU_8K: ("pcmu", "g711_ulaw"),
    PCMA_8K: ("pcma", "g711_alaw"),
}
_QWEN_IN: Spoken = {L16_16K: ("pcm", "pcm")}
_QWEN_OUT: Spoken = {L16_24K: ("pcm", "pcm")}


def _ga_session(config: OpenAIRealtimeConfig, conversation: Conversation) -> dict[str, Any]:
    audio_input = {
        "format": GA_FORMATS[conversation.audio_in][1],
        "noise_reduction": _noise_reduction(config),
        "transcription": _transcription(config, conversation.brief.heard_language),
        "turn_detection": _turn_detection(config),
    }
    audio_output = {"format": GA_FORMATS[conversation.audio_out][1]} | _present(
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
        "input_audio_format": _BETA_FORMATS[conversation.audio_in][1],
        "output_audio_format": _BETA_FORMATS[conversation.audio_out][1],
        "input_audio_noise_reduction": _noise_reduction(config),
        "input_audio_transcription": _transcription(config, conversation.brief.heard_language),
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


def _xai_session(config: OpenAIRealtimeConfig, conversation: Conversation) -> dict[str, Any]:
    """A model in `transcription` would turn transcripts into another event; it has none here."""
    detection = _turn_detection(config)
    if detection is not None:
        detection = {name: detection[name] for name in detection if name not in _NOT_XAI_S}
        detection["type"] = "server_vad"
    hint = conversation.brief.heard_language
    session: dict[str, Any] = {
        "turn_detection": detection,
        "audio": {
            "input": {
                "format": GA_FORMATS[conversation.audio_in][1],
                "transcription": _present(language_hint=hint),
            },
            "output": {"format": GA_FORMATS[conversation.audio_out][1]}
            | _present(speed=config.speed),
        },
        "tools": [_tool(tool) for tool in conversation.brief.tools],
    }
    return session | _present(
        instructions=conversation.brief.instructions or None, voice=config.voice
    )


_NOT_XAI_S = ("create_response", "interrupt_response", "eagerness")


def _qwen_session(config: OpenAIRealtimeConfig, conversation: Conversation) -> dict[str, Any]:
    """Its transcription is its own unless a model is named."""
    own = config.transcription_model == OWN_TRANSCRIPTION
    session: dict[str, Any] = {
        "modalities": ["text", "audio"],
        "input_audio_format": _QWEN_IN[conversation.audio_in][1],
        "output_audio_format": _QWEN_OUT[conversation.audio_out][1],
        "turn_detection": _turn_detection(config),
        "tools": [_nested_tool(tool) for tool in conversation.brief.tools],
    }
    if not own:
        session["input_audio_transcription"] = _transcription(config, None)
    return session | _present(
        instructions=conversation.brief.instructions or None,
        voice=config.voice,
        max_tokens=config.max_output_tokens,
    )


SHAPES: Mapping[str, Shape] = {
    "ga": Shape(
        session=_ga_session,
        audio_in=GA_FORMATS,
        audio_out=GA_FORMATS,
        client_calls=True,
        agent_text="output_text",
    ),
    "beta": Shape(
        session=_beta_session,
        audio_in=_BETA_FORMATS,
        audio_out=_BETA_FORMATS,
        client_calls=False,
        agent_text="text",
    ),
    "xai": Shape(
        session=_xai_session,
        audio_in=GA_FORMATS,
        audio_out=GA_FORMATS,
        client_calls=True,
        agent_text="output_text",
        whole_transcripts=False,
    ),
    "qwen": Shape(
        session=_qwen_session,
        audio_in=_QWEN_IN,
        audio_out=_QWEN_OUT,
        client_calls=False,
        agent_text="text",
    ),
}


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


def _nested_tool(tool: Tool) -> dict[str, Any]:
    """As in chat completions."""
    plain = _tool(tool)
    return {"type": plain.pop("type"), "function": plain}


def _tool_choice(choice: str) -> str | dict[str, str]:
    """A mode word as it is; anything else is the name of the one function to call."""
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "name": choice}
