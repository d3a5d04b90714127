"""Gemini Live: models, voices and prices, and what a secretary may ask.

Models and their ends: ai.google.dev/gemini-api/docs/deprecations (2026-10); prices: …/pricing
(2026-10); voices and fields of `setup`: Live API reference (2026-11).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from bridge.providers.descriptor import (
    Descriptor,
    Interface,
    Model,
    Rates,
    Secretary,
    Spoken,
    Voice,
    named_fields,
)
from bridge.providers.gemini.config import GeminiLiveConfig
from bridge.providers.gemini.live import GeminiLive
from bridge.providers.gemini.usage import VENDOR

_END_BY_EAGERNESS = {"low": "low", "high": "high"}
_MIDDLE = 0.5
"""`vad_threshold` of a secretary that says nothing of it."""
_PAGE = "ai.google.dev/gemini-api/docs/pricing, 2026-10"


def wishes(secretary: Secretary) -> dict[str, Any]:
    """`vad_prefix_padding_ms` has no counterpart: Gemini's field of that name is a threshold."""
    by_sense = secretary.vad_mode == "semantic"
    asked: dict[str, Any] = {
        "start_sensitivity": _start_sensitivity(secretary.vad_threshold),
        "vad_silence_ms": None if by_sense else secretary.silence_duration_ms,
        "end_sensitivity": _END_BY_EAGERNESS.get(secretary.vad_eagerness, "") if by_sense else "",
        "extra": secretary.provider_config,
    }
    own = {"turn_detection": "none"} if secretary.turn_detector == "own" else {}
    optional = {"model": secretary.model, "voice": secretary.voice_id, **own}
    return asked | {name: value for name, value in optional.items() if value}


def manners(secretary: Secretary) -> dict[str, Any]:
    """It takes no word of ours to stop, so it must stop by itself."""
    return {"interrupt_response": secretary.barge_in}


def _start_sensitivity(threshold: float) -> str:
    """Gemini has two steps; the column's default leaves the choice to the service."""
    if threshold == _MIDDLE:
        return ""
    return "low" if threshold > _MIDDLE else "high"


def _speech(name: str, text: str, source: str = _PAGE, **more: Any) -> Model:
    """`text` is `input output`, USD per million tokens; nothing is cached for less."""
    text_input, text_output = text.split()
    usd = {
        "text_input": text_input,
        "text_cached": text_input,
        "text_output": text_output,
        "audio_input": "3.00",
        "audio_cached": "3.00",
        "audio_output": "12.00",
        "image_input": "3.00",
    }
    rates = (Rates(since=date(2026, 8, 1), usd=usd, source=source),)
    return Model(id=name, vendor=VENDOR, role="speech", rates=rates, **more)


_GENERATION = named_fields(
    "responseModalities temperature topP topK maxOutputTokens seed mediaResolution "
    "enableAffectiveDialog",
    speechConfig=named_fields("languageCode voiceConfig"),
    thinkingConfig=named_fields("thinkingLevel thinkingBudget includeThoughts"),
)
_INPUT = named_fields(
    "activityHandling turnCoverage",
    automaticActivityDetection=named_fields(
        "disabled startOfSpeechSensitivity endOfSpeechSensitivity prefixPaddingMs silenceDurationMs"
    ),
)
_VOICES = (
    "Achernar Achird Algenib Algieba Alnilam Aoede Autonoe Callirrhoe Charon Despina Enceladus "
    "Erinome Fenrir Gacrux Iapetus Kore Laomedeia Leda Orus Puck Pulcherrima Rasalgethi Sadachbia "
    "Sadaltager Schedar Sulafat Umbriel Vindemiatrix Zephyr Zubenelgenubi"
)
_TEXT, _OLD_TEXT = "0.75 4.50", "0.50 2.00"

DESCRIPTOR = Descriptor(
    kind="gemini",
    label="Gemini Live",
    spoken=Spoken(
        name="gemini_live",
        config=GeminiLiveConfig,
        make=GeminiLive,
        vendor=VENDOR,
        wishes=wishes,
        manners=manners,
        tenants_own=frozenset({"project"}),
    ),
    interfaces=(
        Interface(
            protocol="gemini_live",
            formats=("pcm_16000", "pcm_24000"),
            features=(
                *("functions", "functions_cancelled", "history", "resumption", "transcripts"),
                *("usage", "says_words"),
            ),
        ),
    ),
    hosts={"base_url": "generativelanguage.googleapis.com"},
    key_variables={"": ("GEMINI_API_KEY", "GOOGLE_API_KEY")},
    models=(
        _speech("gemini-3.8-live", _TEXT, f"{_PAGE}; its audio has no price there: 3.1's"),
        Model(id="gemini-3.8-live-extended-thinking", vendor=VENDOR, role="speech"),
        _speech("gemini-3.1-flash-live", _TEXT),
        _speech("gemini-3.1-flash-live-preview", _TEXT, successor="gemini-3.8-live"),
        _speech("gemini-2.5-flash-native-audio-preview-09-2025", _OLD_TEXT),
        _speech("gemini-2.5-flash-native-audio-preview-12-2025", _OLD_TEXT),
        _speech("gemini-live-2.5-flash-native-audio", _OLD_TEXT),
    ),
    voices=tuple(
        Voice(id=name, sample="https://aistudio.google.com/generate-speech")
        for name in _VOICES.split()
    ),
    session=named_fields(
        "model systemInstruction tools inputAudioTranscription outputAudioTranscription "
        "safetySettings labels",
        generationConfig=_GENERATION,
        realtimeInputConfig=_INPUT,
        sessionResumption=named_fields("handle transparent"),
        contextWindowCompression=named_fields("triggerTokens slidingWindow"),
        proactivity=named_fields("proactiveAudio proactiveVideo"),
        historyConfig=named_fields("initialHistoryInClientContent"),
    ),
    # ai.google.dev/gemini-api/docs/openai, 2026-10
    chat_url="https://generativelanguage.googleapis.com/v1beta/openai",
    unread=("transcription_model", "vad_idle_timeout_ms", "voice_settings", "noise_reduction"),
)
