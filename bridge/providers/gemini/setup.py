"""Gemini Live: the first message, and how conversation and functions are written.

Fields: Live API reference, `BidiGenerateContentSetup` (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.audio.formats import L16_16K, L16_24K
from bridge.errors import LocalProtocolError
from bridge.providers.base import Capabilities, Turns
from bridge.providers.conversation import Conversation, Ran, Said, Speaker, Tool
from bridge.providers.gemini.config import GeminiLiveConfig, model_name
from bridge.providers.gemini.models import Traits, traits_of
from bridge.providers.gemini.schema import gemini_parameters


def capabilities(config: GeminiLiveConfig) -> Capabilities:
    """The service finds the turns and tells nothing of them, or is told by our ear."""
    automatic = config.turn_detection == "automatic"
    return Capabilities(
        audio_in=(L16_16K,),
        audio_out=(L16_24K,),
        turns=Turns.HIDDEN if automatic else Turns.OURS,
        interrupts=automatic,
        notices_within_s=None,
    )


def check_formats(conversation: Conversation) -> None:
    """Raise `LocalProtocolError` for a format the service does not speak."""
    if (conversation.audio_in, conversation.audio_out) != (L16_16K, L16_24K):
        pair = f"{conversation.audio_in} and {conversation.audio_out}"
        raise LocalProtocolError(f"Gemini Live does not speak {pair}")


def setup_message(
    config: GeminiLiveConfig, conversation: Conversation, *, handle: str, name_language: bool
) -> dict[str, Any]:
    """The `setup` message. `handle` resumes a session, empty begins one."""
    traits, brief = traits_of(config.model), conversation.brief
    language = brief.heard_language if name_language and traits.names_language else None
    setup: dict[str, Any] = {
        "model": model_name(config),
        "generationConfig": _generation(config, language),
        "realtimeInputConfig": _realtime_input(config),
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        "sessionResumption": _present(handle=handle),
    }
    if brief.instructions:
        setup["systemInstruction"] = {"parts": [{"text": brief.instructions}]}
    if brief.tools:
        declared = [declaration(tool, traits) for tool in brief.tools]
        setup["tools"] = [{"functionDeclarations": declared}]
    if config.compression:
        setup["contextWindowCompression"] = _compression(config)
    if config.proactive_audio:
        setup["proactivity"] = {"proactiveAudio": True}
    if conversation.history and not traits.text_any_time:
        setup["historyConfig"] = {"initialHistoryInClientContent": True}
    return {"setup": deep_merge(setup, config.extra)}


def _generation(config: GeminiLiveConfig, language: str | None) -> dict[str, Any]:
    voice = {"prebuiltVoiceConfig": {"voiceName": config.voice}} if config.voice else None
    thinking = _present(
        thinkingLevel=config.thinking_level.upper(), thinkingBudget=config.thinking_budget
    )
    return {"responseModalities": ["AUDIO"]} | _present(
        speechConfig=_present(voiceConfig=voice, languageCode=language),
        temperature=config.temperature,
        maxOutputTokens=config.max_output_tokens,
        thinkingConfig=thinking,
        enableAffectiveDialog=config.affective_dialog or None,
    )


def _realtime_input(config: GeminiLiveConfig) -> dict[str, Any]:
    if config.turn_detection == "none":
        detection: dict[str, Any] = {"disabled": True}
    else:
        detection = _present(
            startOfSpeechSensitivity=_sensitivity("START", config.start_sensitivity),
            endOfSpeechSensitivity=_sensitivity("END", config.end_sensitivity),
            prefixPaddingMs=config.speech_before_start_ms,
            silenceDurationMs=config.vad_silence_ms,
        )
    handling = "START_OF_ACTIVITY_INTERRUPTS" if config.interrupt_response else "NO_INTERRUPTION"
    return {"automaticActivityDetection": detection, "activityHandling": handling}


def _sensitivity(which: str, word: str) -> str:
    return f"{which}_SENSITIVITY_{word.upper()}" if word else ""


def _compression(config: GeminiLiveConfig) -> dict[str, Any]:
    window = _present(targetTokens=config.compression_target_tokens)
    return {"slidingWindow": window} | _present(triggerTokens=config.compression_trigger_tokens)


def declaration(tool: Tool, traits: Traits) -> dict[str, Any]:
    """A function the model may call, and wait for."""
    made: dict[str, Any] = {"name": tool.name, "description": tool.description}
    parameters = gemini_parameters(tool.parameters)
    if parameters is not None:
        made["parameters"] = parameters
    if traits.function_behavior:
        made["behavior"] = "BLOCKING"
    return made


def _present(**fields: Any) -> dict[str, Any]:
    """Those that say something: a count may be 0."""
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `base`: objects are joined key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = deep_merge(below, value)
        else:
            merged[key] = value
    return merged


# --- what was said --------------------------------------------------------------------------------


def content(text: str, role: str = "user") -> dict[str, Any]:
    """One turn in words."""
    return {"role": role, "parts": [{"text": text}]}


def history_content(entry: Said | Ran) -> dict[str, Any]:
    """One entry of the conversation so far. Function calls can be made by the model alone."""
    if isinstance(entry, Said):
        return content(entry.text, "user" if entry.speaker is Speaker.CALLER else "model")
    return content(
        f"[The function {entry.name} was called earlier with {entry.arguments}; it ran, do not "
        f"call it again. Its result: {entry.output}]"
    )


def client_content(turns: list[dict[str, Any]], *, complete: bool) -> dict[str, Any]:
    """Turns for the conversation; `complete`: an answer is wanted."""
    return {"clientContent": {"turns": turns, "turnComplete": complete}}
