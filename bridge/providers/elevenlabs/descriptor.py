"""ElevenLabs: Agents, and Eleven Realtime by OpenAI's protocol.

Agents are priced by the minute of connection: elevenlabs.io/pricing/api (2026-08); their language
model's tokens come on ElevenLabs' own bill. Eleven Realtime: `OpenAiSessionConfigInput` and
`client_secrets` of the `elevenlabs` package 2.78.0 say which parts of OpenAI's protocol it speaks;
its models: elevenlabs.io/docs/eleven-agents/customization/realtime-models (2026-10).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bridge.providers.descriptor import Descriptor, Interface, Model, Rates, Secretary, Spoken
from bridge.providers.elevenlabs.agent import PRODUCT, VENDOR, ElevenLabsAgent
from bridge.providers.elevenlabs.config import ElevenLabsConfig

SLOWEST, FASTEST = 0.7, 1.2
"""Of ElevenLabs' voices; a secretary may ask for 0.25 to 1.5."""
REALTIME_ROW: Mapping[str, Any] = {
    "base_url": "wss://api.elevenlabs.io/v1/convai",
    "auth_style": "client_secret",
    "model": "eleven_realtime_v1_mini",
    "formats": ["pcmu", "pcm"],
    "transcription_model": "own",
    "vendor": VENDOR,
}


def wishes(secretary: Secretary) -> dict[str, Any]:
    """The agent's own settings say how it listens. A speed it does not know is the nearest."""
    speed = secretary.voice_settings.get("speed")
    asked: Mapping[str, Any] = {
        "model": secretary.model,
        "voice": secretary.voice_id,
        "speed": None if speed is None else min(max(speed, SLOWEST), FASTEST),
        "extra": secretary.provider_config,
    }
    return {name: value for name, value in asked.items() if value not in (None, "")}


DESCRIPTOR = Descriptor(
    kind="elevenlabs",
    label="ElevenLabs",
    spoken=Spoken(
        name="elevenlabs_agent",
        config=ElevenLabsConfig,
        make=ElevenLabsAgent,
        vendor=VENDOR,
        wishes=wishes,
    ),
    interfaces=(
        Interface(
            protocol="elevenlabs_agent",
            no_key="",
            formats=("ulaw_8000", "pcm_8000", "pcm_16000", "pcm_24000"),
            features=("turns_by_sense", "functions", "history", "transcripts", "minds_silence"),
        ),
        Interface(
            protocol="openai_realtime",
            name="realtime",
            row=REALTIME_ROW,
            # It transcribes by itself, and has one speed and no noise reduction.
            without=frozenset(
                ("speed", "transcription_model", "noise_reduction", "vad_idle_timeout_ms")
            ),
            formats=("pcmu", "pcm_24000"),
            features=("turns_told", "says_words", "functions", "history", "transcripts", "usage"),
        ),
    ),
    hosts={"base_url": "api.elevenlabs.io"},
    key_variables={"": ("ELEVENLABS_API_KEY",)},
    models=(
        Model(
            id=PRODUCT,
            vendor=VENDOR,
            role="speech",
            rates=(
                Rates(
                    since=date(2026, 8, 1),
                    usd={"audio_minute": "0.08"},
                    source="elevenlabs.io/pricing/api, 2026-08; the list, before a plan's discount",
                ),
            ),
        ),
        Model(id="eleven_realtime_v1_mini", vendor=VENDOR, role="speech"),
        Model(id="eleven_realtime_v1_max", vendor=VENDOR, role="speech"),
    ),
    own_voices=True,
    unread=("transcription_model", "vad_idle_timeout_ms", "noise_reduction"),
)
