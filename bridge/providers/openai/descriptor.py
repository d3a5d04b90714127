"""OpenAI Realtime: models, voices and prices, and what a secretary may ask.

Models and prices: developers.openai.com/api/docs/models/… and …/deprecations (2026-10); voices and
fields of a session: API reference, Realtime `session.update` (2026-08).
"""

from __future__ import annotations

from collections.abc import Mapping
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
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import OpenAIRealtime

VENDOR = "openai"
_VAD = {"server": "server_vad", "semantic": "semantic_vad"}
_SINCE = date(2026, 8, 1)
_PAGE = "developers.openai.com/api/docs/models, 2026-10"


def wishes(secretary: Secretary) -> dict[str, Any]:
    """A secretary's settings as fields of the configuration."""
    asked: dict[str, Any] = {
        "turn_detection": "none" if secretary.turn_detector == "own" else _VAD[secretary.vad_mode],
        "vad_threshold": secretary.vad_threshold,
        "vad_prefix_padding_ms": secretary.vad_prefix_padding_ms,
        "vad_silence_ms": secretary.silence_duration_ms,
        "vad_eagerness": secretary.vad_eagerness,
        "vad_idle_timeout_ms": secretary.vad_idle_timeout_ms,
        "extra": secretary.provider_config,
    }
    optional: Mapping[str, Any] = {
        "model": secretary.model,
        "voice": secretary.voice_id,
        "speed": secretary.voice_settings.get("speed"),
        "transcription_model": secretary.transcription_model,
        "noise_reduction": None
        if secretary.noise_reduction == "none"
        else secretary.noise_reduction,
    }
    return asked | {name: value for name, value in optional.items() if value not in (None, "")}


def manners(secretary: Secretary) -> dict[str, Any]:
    """A service that stops its answer at a sound cannot go on with it: then we stop it."""
    return {"interrupt_response": secretary.barge_in and not secretary.resume_after_noise}


def _speech(name: str, text: str, audio: str, image: str, **more: Any) -> Model:
    """`text` and `audio` are `input cached output`, USD per million tokens."""
    text_input, text_cached, text_output = text.split()
    audio_input, audio_cached, audio_output = audio.split()
    usd = {
        "text_input": text_input,
        "text_cached": text_cached,
        "text_output": text_output,
        "audio_input": audio_input,
        "audio_cached": audio_cached,
        "audio_output": audio_output,
        "image_input": image,
    }
    rates = (Rates(since=_SINCE, usd=usd, source=_PAGE),)
    return Model(id=name, vendor=VENDOR, role="speech", rates=rates, **more)


def _transcription(name: str, per_minute: str, **more: Any) -> Model:
    rates = (Rates(since=_SINCE, usd={"transcription_minute": per_minute}, source=_PAGE),)
    return Model(id=name, vendor=VENDOR, role="transcription", rates=rates, **more)


def _embedding(name: str, per_million: str) -> Model:
    page = "openrouter.ai/openai/" + name + " (2026-10)"
    rates = (Rates(since=_SINCE, usd={"text_input": per_million}, source=page),)
    return Model(id=name, vendor=VENDOR, role="embedding", rates=rates)


_LARGE, _MINI = "32 0.40 64", "10 0.30 20"
_ENDS = {"ends_on": date(2027, 1, 20), "successor": "gpt-realtime-2.1"}
_MINI_ENDS = {"ends_on": date(2027, 1, 20), "successor": "gpt-realtime-2.1-mini"}
_WHISPER_ENDS = {"ends_on": date(2027, 2, 26), "successor": "gpt-transcribe"}
_INPUT = named_fields(
    "format turn_detection",
    noise_reduction=named_fields("type strength"),
    transcription=named_fields("model language languages prompt keywords delay"),
)
_VOICES = "alloy ash ballad cedar coral echo marin sage shimmer verse"

DESCRIPTOR = Descriptor(
    kind="openai",
    label="OpenAI Realtime",
    spoken=Spoken(
        name="openai_realtime",
        config=OpenAIRealtimeConfig,
        make=OpenAIRealtime,
        vendor=VENDOR,
        wishes=wishes,
        manners=manners,
    ),
    interfaces=(
        Interface(
            protocol="openai_realtime",
            formats=("pcmu", "pcma", "pcm_24000"),
            features=(
                *("turns_told", "turns_by_sense", "says_words", "functions", "history"),
                *("transcripts", "usage", "noise_reduction", "minds_silence"),
            ),
        ),
    ),
    hosts={"base_url": "api.openai.com"},
    key_variables={"": ("OPENAI_API_KEY",)},
    models=(
        _speech("gpt-realtime-2.1", "4 0.40 24", _LARGE, "5"),
        _speech("gpt-realtime-2.1-mini", "0.60 0.06 2.40", _MINI, "0.80"),
        _speech("gpt-realtime-2", "4 0.40 24", _LARGE, "5"),
        _speech("gpt-realtime-1.5", "4 0.40 16", _LARGE, "5"),
        _speech("gpt-realtime", "4 0.40 16", _LARGE, "5", **_ENDS),
        _speech("gpt-realtime-mini", "0.60 0.06 2.40", _MINI, "0.80", **_MINI_ENDS),
        _transcription("gpt-transcribe", "0.0045"),
        _transcription("gpt-realtime-whisper", "0.017"),
        _transcription("gpt-live-transcribe", "0.017"),
        _transcription("gpt-4o-transcribe", "0.006", **_WHISPER_ENDS),
        _transcription("gpt-4o-mini-transcribe", "0.003", **_WHISPER_ENDS),
        _transcription("whisper-1", "0.006", **_WHISPER_ENDS),
        _embedding("text-embedding-3-small", "0.02"),
        _embedding("text-embedding-3-large", "0.13"),
    ),
    voices=tuple(Voice(id=name) for name in _VOICES.split()),
    session=named_fields(
        "type model output_modalities instructions max_output_tokens tools tool_choice "
        "parallel_tool_calls reasoning prompt tracing truncation include",
        audio=named_fields("", input=_INPUT, output=named_fields("format voice speed")),
    ),
    chat_url="https://api.openai.com/v1",
    models_page=True,
)
