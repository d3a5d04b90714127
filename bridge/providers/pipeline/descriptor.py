"""The pipeline: what its stages cost, which voices it has, and what a secretary may ask.

Prices per minute of audio are those of a stream on Deepgram's pay-as-you-go plan, tokens those of
Groq; a voice of this host costs nothing.
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
)
from bridge.providers.pipeline.config import GROQ_URL, VOICES, PipelineConfig
from bridge.providers.pipeline.realtime import Pipeline

_SINCE = date(2026, 8, 1)
_DEEPGRAM = "deepgram.com/pricing, pay as you go, 2026-11"
_GROQ = "console.groq.com/docs/models, 2026-11"
_SAMPLES = "https://rhasspy.github.io/piper-samples/#"


def wishes(secretary: Secretary) -> dict[str, Any]:
    """A secretary's settings as fields of the configuration."""
    asked: Mapping[str, Any] = {
        "model": secretary.model,
        "voice": secretary.voice_id,
        "speed": secretary.voice_settings.get("speed"),
        "endpointing_ms": secretary.silence_duration_ms,
        "stt_model": secretary.transcription_model,
        "extra": secretary.provider_config,
    }
    return {name: value for name, value in asked.items() if value not in (None, "")}


def _hearing(name: str, per_minute: str, source: str = _DEEPGRAM) -> Model:
    rates = (Rates(since=_SINCE, usd={"transcription_minute": per_minute}, source=source),)
    return Model(id=name, vendor="deepgram", role="hearing", rates=rates)


def _chat(name: str, text: str) -> Model:
    """`text` is `input cached output`, USD per million tokens."""
    text_input, text_cached, text_output = text.split()
    usd = {"text_input": text_input, "text_cached": text_cached, "text_output": text_output}
    rates = (Rates(since=_SINCE, usd=usd, source=_GROQ),)
    return Model(id=name, vendor="groq", role="chat", rates=rates)


def _piper(name: str, language: str) -> Voice:
    return Voice(id=name, languages=(language,), sample=f"{_SAMPLES}{name}")


DESCRIPTOR = Descriptor(
    kind="custom",
    label="Pipeline (Deepgram, a chat model, voices of this host)",
    spoken=Spoken(
        name="pipeline",
        config=PipelineConfig,
        make=Pipeline,
        vendor="groq",
        wishes=wishes,
        tenants_own=frozenset({"stt_url"}),
    ),
    interfaces=(
        Interface(
            protocol="pipeline",
            formats=("pcmu", "pcma", "pcm_8000"),
            features=(
                *("turns_told", "turns_by_sense", "says_words", "functions", "history"),
                *("transcripts", "usage", "local"),
            ),
        ),
    ),
    hosts={"base_url": "api.groq.com", "stt_url": "api.deepgram.com"},
    key_variables={"stt": ("DEEPGRAM_API_KEY",), "chat": ("GROQ_API_KEY",)},
    models=(
        _chat("openai/gpt-oss-20b", "0.075 0.0375 0.30"),
        _chat("openai/gpt-oss-120b", "0.15 0.075 0.60"),
        _hearing("nova-3", "0.0048"),
        _hearing("nova-3-multi", "0.0058"),
        _hearing("flux-general-en", "0.0077", f"{_DEEPGRAM}; others tell 0.0065 for it"),
        _hearing("flux-general-multi", "0.0078"),
        *(
            Model(id="*", vendor=voice, role="voice", rates=(Rates(since=_SINCE, usd={}),))
            for voice in VOICES
        ),
    ),
    voices=(
        _piper("en_US-joe-medium", "en-US"),
        _piper("pt_BR-faber-medium", "pt-BR"),
    ),
    own_voices=True,
    unread=("noise_reduction", "vad_idle_timeout_ms"),
    needs_key=False,
    low_cost=True,
    chat_url=GROQ_URL,
    chat_key="chat",
)
