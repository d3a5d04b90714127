"""ElevenLabs Agents: which agent, where it is, and what of it a conversation may override.

Addresses: ElevenLabs API reference, `GET /v1/convai/conversation/get-signed-url` and the agent
WebSocket; names and ranges of overrides: `ConversationConfigOverride` and `TTSConversational` of
the `elevenlabs` package 2.78.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bridge.providers.actions import Endpoint, HttpRequest
from bridge.providers.descriptor import HELP, object_setting, setting

SCHEMES = ("ws", "wss", "http", "https")
OVERRIDES = (
    "prompt",
    "first_message",
    "language",
    "llm",
    "voice_id",
    "stability",
    "speed",
    "similarity_boost",
)
"""What an agent's security settings can allow, by name; each is off until somebody allows it."""
SUBPROTOCOL = "convai"
SIGNING_LIMIT_S = 5.0
MAX_URL_CHARS = 8192
_OWN_DOMAIN = ".elevenlabs.io"
_RANGES = {"stability": (0.0, 1.0), "similarity_boost": (0.0, 1.0), "speed": (0.7, 1.2)}


@dataclass(frozen=True, slots=True)
class ElevenLabsConfig:
    """One provider row: the agent, the door, and how it shall speak."""

    agent_id: str = field(metadata={HELP: "The agent; needed."})
    api_key: str = field(default="", repr=False)
    """Empty: a public agent, connected to without a signed address."""
    base_url: str = setting("https://api.elevenlabs.io", "Up to, not including, `/v1`.")
    branch_id: str = setting("", "A branch of the agent.")
    environment: str = setting("", "As in their API.")
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    model: str = setting(
        "", "The agent's language model, in ElevenLabs' words; empty leaves the agent's own."
    )
    voice: str | None = setting(None, "A voice id; empty leaves the agent's own.")
    stability: float | None = setting(None, "Of the voice, 0 to 1.")
    similarity_boost: float | None = setting(None, "Of the voice, 0 to 1.")
    speed: float | None = setting(None, "Of the voice, 0.7 to 1.2.")
    overrides: Sequence[str] = setting(
        OVERRIDES,
        "Those the agent's security settings allow: one that is not allowed ends the "
        "conversation. What is not in this list is given as a dynamic variable of the same "
        "name.",
    )
    dynamic_variables: Mapping[str, str | int | float | bool] = object_setting(
        "For `{{name}}` in the agent's own texts."
    )
    user_id: str = setting("", "An opaque name of the end user, for their records.")
    session_limit_s: float = setting(600.0, "The agent's `max_duration_seconds`.")
    going_away_s: float = setting(60.0, "How long before that the session is told to move on.")
    extra: Mapping[str, Any] = object_setting(
        "Further fields of `conversation_config_override`, laid over everything else."
    )

    def problems(self) -> list[str]:
        """Everything wrong with the values, one sentence each."""
        parts = urlsplit(self.base_url)
        unknown = sorted(set(self.overrides) - set(OVERRIDES))
        checks = {
            "agent_id: must not be empty": bool(self.agent_id),
            "base_url: needs ws, wss, http or https and a host": parts.scheme in SCHEMES
            and bool(parts.netloc),
            f"overrides: {', '.join(unknown)[:80]} unknown; known are {', '.join(OVERRIDES)}": (
                not unknown
            ),
            "dynamic_variables: names that begin with system__ are the service's own": not any(
                name.startswith("system__") for name in self.dynamic_variables
            ),
            "session_limit_s: must be larger than going_away_s": self.session_limit_s
            > self.going_away_s,
            "going_away_s: must be positive": self.going_away_s > 0,
            "headers: no control characters in names, values, api_key": _printable(self),
        }
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            checks[f"{name}: must be {low} to {high}"] = value is None or low <= value <= high
        return [text for text, holds in checks.items() if not holds]


def _printable(config: ElevenLabsConfig) -> bool:
    texts = [config.api_key, *config.headers, *config.headers.values()]
    return all(text.isascii() and text.isprintable() for text in texts)


def signing_request(config: ElevenLabsConfig) -> HttpRequest:
    """Asks for the address of a private agent; it is good for fifteen minutes to begin with."""
    url = _url(config, "http", "/v1/convai/conversation/get-signed-url")
    headers = {"xi-api-key": config.api_key, **config.headers}
    return HttpRequest("GET", url, tuple(headers.items()), first_byte_s=SIGNING_LIMIT_S)


def public_endpoint(config: ElevenLabsConfig) -> Endpoint:
    """The WebSocket of a public agent."""
    return _endpoint(config, _url(config, "ws", "/v1/convai/conversation"))


def signed_endpoint(config: ElevenLabsConfig, url: str) -> Endpoint | None:
    """The WebSocket at a signed address; None for an address this service may not send us to.

    The answer of a server a tenant named must lead nowhere else: to that server again, or for
    ElevenLabs' own to one of its regions, and never from TLS into the clear.
    """
    if len(url) > MAX_URL_CHARS or not (url.isascii() and url.isprintable()) or " " in url:
        return None
    try:
        signed, base = urlsplit(url), urlsplit(_base(config, "ws"))
        signed.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    same = signed.netloc.lower() == base.netloc.lower()
    own = _is_own(signed.hostname) and _is_own(base.hostname) and signed.port in (None, 443)
    plain = "@" in signed.netloc
    if signed.scheme != base.scheme or plain or not (same or own):
        return None
    return _endpoint(config, url)


def _is_own(host: str | None) -> bool:
    return host is not None and host.endswith(_OWN_DOMAIN)


def _endpoint(config: ElevenLabsConfig, url: str) -> Endpoint:
    return Endpoint(url, tuple(config.headers.items()), (SUBPROTOCOL,))


def _url(config: ElevenLabsConfig, scheme: str, path: str) -> str:
    query = {
        "agent_id": config.agent_id,
        "branch_id": config.branch_id,
        "environment": config.environment,
    }
    given = {name: value for name, value in query.items() if value}
    return f"{_base(config, scheme)}{path}?{urlencode(given, quote_via=quote)}"


def _base(config: ElevenLabsConfig, scheme: str) -> str:
    """`base_url` with `http` or `ws` for a scheme, with an `s` where it has one."""
    given, _, rest = config.base_url.rstrip("/").partition("://")
    secure = "s" if given in ("https", "wss") else ""
    return f"{scheme}{secure}://{rest}"
