"""OpenAI Realtime: where to connect, how to be let in, and this provider's own settings.

URL and headers: OpenAI API reference, Realtime over WebSocket (2026-08); `api-key` is Azure's.
Session fields and their ranges: Realtime `session.update` (2026-08).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from bridge.errors import RemoteProtocolError
from bridge.providers.actions import Endpoint, HttpRequest
from bridge.providers.descriptor import object_setting, setting

API_SHAPES = ("ga", "beta", "xai", "qwen")
AUTH_STYLES = ("bearer", "api-key", "client_secret")
FORMATS = ("pcm", "pcmu", "pcma")
OWN_TRANSCRIPTION = "own"
MAX_SECRET_CHARS = 4096
SCHEMES = ("ws", "wss", "http", "https")
TURN_DETECTIONS = ("server_vad", "semantic_vad", "none")
NOISE_REDUCTIONS = ("", "near_field", "far_field")


@dataclass(frozen=True, slots=True)
class OpenAIRealtimeConfig:
    """One provider row: the service, the door, the model, and how it shall listen and speak."""

    api_key: str = field(repr=False)
    model: str = setting("gpt-realtime-2.1", "Model to ask for.")
    base_url: str = setting("wss://api.openai.com/v1", "Up to, not including, `/realtime`.")
    api_shape: str = setting(
        "ga",
        "`ga`; `beta` for servers that still speak the older form; `xai` and `qwen` for theirs.",
        choices=API_SHAPES,
    )
    auth_style: str = setting(
        "bearer",
        "`bearer` (OpenAI and most others), `api-key` (Azure) or `client_secret` (Eleven "
        "Realtime: the key, as `xi-api-key`, buys a secret for one session).",
        choices=AUTH_STYLES,
    )
    formats: Sequence[str] = setting(FORMATS, "Those of `audio/…` the service speaks.")
    vendor: str = setting("openai", "Who is paid, as in the price list.")
    organization: str = ""
    project: str = ""
    safety_identifier: str = setting(
        "", "Sent as OpenAI-Safety-Identifier: an opaque name of the end user."
    )
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = object_setting(
        "Further query parameters; with `model` empty Azure's `deployment` can take its place."
    )
    session_limit_s: float = setting(
        3600.0, "After this the service closes the session by itself, if it does not announce less."
    )
    going_away_s: float = setting(300.0, "How long before that the session is told to move on.")
    voice: str | None = setting(None, "Voice to ask for.")
    speed: float | None = setting(None, "0.25 to 1.5.")
    turn_detection: str = setting(
        "server_vad",
        "server_vad | semantic_vad | none; with `none` our own ear finds the turns.",
        choices=TURN_DETECTIONS,
    )
    vad_threshold: float | None = setting(None, "server_vad: 0 to 1.")
    vad_prefix_padding_ms: int | None = setting(
        None, "server_vad: sound kept from before speech began."
    )
    vad_silence_ms: int | None = setting(None, "server_vad: silence that ends a turn.")
    vad_eagerness: str | None = setting(
        None, "semantic_vad: low | medium | high | auto", choices=("low", "medium", "high", "auto")
    )
    vad_idle_timeout_ms: int | None = setting(
        None, "server_vad: 5000 to 30000; the model then asks a silent caller by itself."
    )
    create_response: bool = setting(
        True, "The service answers a turn by itself; otherwise it is asked to."
    )
    interrupt_response: bool = setting(True, "The service stops its answer when the caller speaks.")
    noise_reduction: str | None = setting(
        None, "near_field | far_field", choices=NOISE_REDUCTIONS[1:]
    )
    transcription_model: str = setting(
        "gpt-transcribe",
        "Empty leaves the caller untranscribed; `own` is a service that has one and takes no name.",
    )
    transcription_prompt: str | None = setting(
        None, "Names and words the transcription should expect."
    )
    tool_choice: str = setting("auto", "auto | none | required | the name of a function")
    max_output_tokens: int | None = setting(None, "Longest answer.")
    extra: Mapping[str, Any] = object_setting(
        "Further fields of the session, laid over everything else."
    )

    def problems(self) -> list[str]:
        """Everything wrong with the values, one sentence each."""
        parts = urlsplit(self.base_url)
        checks = {
            "api_key: must not be empty": bool(self.api_key),
            "base_url: needs ws, wss, http or https and a host": parts.scheme in SCHEMES
            and bool(parts.netloc),
            f"api_shape: must be one of {', '.join(API_SHAPES)}": self.api_shape in API_SHAPES,
            f"auth_style: must be one of {', '.join(AUTH_STYLES)}": self.auth_style in AUTH_STYLES,
            f"formats: one or more of {', '.join(FORMATS)}": bool(self.formats)
            and set(self.formats) <= set(FORMATS),
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


class _Secret(msgspec.Struct):
    value: str


def _printable(config: OpenAIRealtimeConfig) -> bool:
    texts = [config.api_key, config.organization, config.project, config.safety_identifier]
    texts += [*config.headers, *config.headers.values()]
    return all(text.isprintable() for text in texts)


def endpoint(config: OpenAIRealtimeConfig, secret: str = "") -> Endpoint:
    """URL and headers of the WebSocket; `secret` was bought with the key (`client_secret`)."""
    query = ({"model": config.model} if config.model else {}) | dict(config.query)
    url = f"{_base(config, 'ws')}/realtime?{urlencode(query, quote_via=quote)}"
    return Endpoint(url=url, headers=tuple(_headers(config, secret or config.api_key).items()))


def secret_request(config: OpenAIRealtimeConfig) -> HttpRequest:
    """Buys a secret for one session: `POST /v1/convai/realtime/client_secrets` of ElevenLabs.

    Request and response: `CreateClientSecretRequest`, `ClientSecretResponse` of the `elevenlabs`
    package 2.78.0.
    """
    session = {"type": "realtime", "model": config.model}
    headers = {"xi-api-key": config.api_key, "Content-Type": "application/json"}
    return HttpRequest(
        "POST",
        f"{_base(config, 'http')}/realtime/client_secrets",
        tuple((headers | dict(config.headers)).items()),
        msgspec.json.encode({"session": session}),
    )


def secret_of(data: bytes) -> str:
    """The secret in the answer. Raises `RemoteProtocolError` when there is none to be sent."""
    try:
        value = msgspec.json.decode(data, type=_Secret).value
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError("no client secret in the answer") from error
    if not value or len(value) > MAX_SECRET_CHARS or not (value.isascii() and value.isprintable()):
        raise RemoteProtocolError("the client secret cannot be sent")
    return value


def _base(config: OpenAIRealtimeConfig, scheme: str) -> str:
    given, _, rest = config.base_url.rstrip("/").partition("://")
    return f"{scheme}{'s' if given in ('https', 'wss') else ''}://{rest}"


def _headers(config: OpenAIRealtimeConfig, key: str) -> dict[str, str]:
    headers = (
        {"api-key": key} if config.auth_style == "api-key" else {"Authorization": f"Bearer {key}"}
    )
    optional = {
        "OpenAI-Organization": config.organization,
        "OpenAI-Project": config.project,
        "OpenAI-Safety-Identifier": config.safety_identifier,
        "OpenAI-Beta": "realtime=v1" if config.api_shape == "beta" else "",
    }
    headers |= {name: value for name, value in optional.items() if value}
    return headers | dict(config.headers)
