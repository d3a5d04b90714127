"""OpenAI Realtime: where to connect, how to be let in, and this provider's own settings.

URL and headers: OpenAI API reference, Realtime over WebSocket (2026-08); `api-key` is Azure's.
Session fields and their ranges: Realtime `session.update` (2026-08).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bridge.providers.actions import Endpoint

API_SHAPES = ("ga", "beta")
AUTH_STYLES = ("bearer", "api-key")
SCHEMES = ("ws", "wss", "http", "https")
TURN_DETECTIONS = ("server_vad", "semantic_vad", "none")
NOISE_REDUCTIONS = ("", "near_field", "far_field")


@dataclass(frozen=True, slots=True)
class OpenAIRealtimeConfig:
    """One provider row: the service, the door, the model, and how it shall listen and speak."""

    api_key: str = field(repr=False)
    model: str = "gpt-realtime-2.1"
    base_url: str = "wss://api.openai.com/v1"
    """Up to, not including, `/realtime`."""
    api_shape: str = "ga"
    auth_style: str = "bearer"
    """`bearer` (OpenAI and most others) or `api-key` (Azure)."""
    organization: str = ""
    project: str = ""
    safety_identifier: str = ""
    """Sent as OpenAI-Safety-Identifier: an opaque name of the end user."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    """Further query parameters; with `model` empty Azure's `deployment` can take its place."""
    session_limit_s: float = 3600.0
    """After this the service closes the session by itself, if it does not announce less."""
    going_away_s: float = 300.0
    """How long before that the session is told to move on."""
    voice: str | None = None
    speed: float | None = None
    """0.25 to 1.5."""
    turn_detection: str = "server_vad"
    """server_vad | semantic_vad | none; with `none` our own ear finds the turns."""
    vad_threshold: float | None = None
    """server_vad: 0 to 1."""
    vad_prefix_padding_ms: int | None = None
    vad_silence_ms: int | None = None
    vad_eagerness: str | None = None
    """semantic_vad: low | medium | high | auto"""
    vad_idle_timeout_ms: int | None = None
    """server_vad: 5000 to 30000; the model then asks a silent caller by itself."""
    create_response: bool = True
    """The service answers a turn by itself; otherwise it is asked to."""
    interrupt_response: bool = True
    """The service stops its answer when the caller speaks."""
    noise_reduction: str | None = None
    """near_field | far_field"""
    transcription_model: str = "gpt-transcribe"
    """Empty leaves the caller untranscribed."""
    transcription_prompt: str | None = None
    """Names and words the transcription should expect."""
    tool_choice: str = "auto"
    """auto | none | required | the name of a function"""
    max_output_tokens: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the session, laid over everything else."""

    def problems(self) -> list[str]:
        """Everything wrong with the values, one sentence each."""
        parts = urlsplit(self.base_url)
        checks = {
            "api_key: must not be empty": bool(self.api_key),
            "base_url: needs ws, wss, http or https and a host": parts.scheme in SCHEMES
            and bool(parts.netloc),
            f"api_shape: must be one of {', '.join(API_SHAPES)}": self.api_shape in API_SHAPES,
            f"auth_style: must be one of {', '.join(AUTH_STYLES)}": self.auth_style in AUTH_STYLES,
            "session_limit_s: must be larger than going_away_s": self.session_limit_s
            > self.going_away_s,
            "going_away_s: must be positive": self.going_away_s > 0,
            f"turn_detection: must be one of {', '.join(TURN_DETECTIONS)}": self.turn_detection
            in TURN_DETECTIONS,
            "noise_reduction: must be near_field or far_field": (self.noise_reduction or "")
            in NOISE_REDUCTIONS,
            "headers: no control characters in names, values, api_key": _printable(self),
        }
        return [text for text, holds in checks.items() if not holds]


def _printable(config: OpenAIRealtimeConfig) -> bool:
    texts = [config.api_key, config.organization, config.project, config.safety_identifier]
    texts += [*config.headers, *config.headers.values()]
    return all(text.isprintable() for text in texts)


def endpoint(config: OpenAIRealtimeConfig) -> Endpoint:
    """URL and headers of the WebSocket."""
    query = ({"model": config.model} if config.model else {}) | dict(config.query)
    scheme, _, rest = config.base_url.rstrip("/").partition("://")
    scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    url = f"{scheme}://{rest}/realtime?{urlencode(query, quote_via=quote)}"
    return Endpoint(url=url, headers=tuple(_headers(config).items()))


def _headers(config: OpenAIRealtimeConfig) -> dict[str, str]:
    if config.auth_style == "bearer":
        headers = {"Authorization": f"Bearer {config.api_key}"}
    else:
        headers = {"api-key": config.api_key}
    optional = {
        "OpenAI-Organization": config.organization,
        "OpenAI-Project": config.project,
        "OpenAI-Safety-Identifier": config.safety_identifier,
        "OpenAI-Beta": "realtime=v1" if config.api_shape == "beta" else "",
    }
    headers |= {name: value for name, value in optional.items() if value}
    return headers | dict(config.headers)
