"""Gemini Live: where to connect, how to be let in, and this provider's own settings.

Paths and headers: `google-genai` 3.4.0 (`google/genai/live.py`) and the Live API reference
(ai.google.dev/api/live, docs.cloud.google.com/vertex-ai, 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bridge.providers.actions import Endpoint
from bridge.providers.descriptor import object_setting, setting
from bridge.providers.gemini.models import traits_of

OWN_URL = "wss://generativelanguage.googleapis.com"
SCHEMES = ("ws", "wss", "http", "https")
SERVICES = ("developer", "vertex")
AUTH_STYLES = ("key", "bearer")
SENSITIVITIES = ("", "low", "high")
THINKING_LEVELS = ("", "minimal", "low", "medium", "high")
TURN_DETECTIONS = ("automatic", "none")

_VERSION = re.compile(r"v\d{1,3}(?:(?:alpha|beta)\d{0,3})?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9._:-]*", re.ASCII)
_MODEL = re.compile(r"[A-Za-z0-9._:@/-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class GeminiLiveConfig:
    """One provider row: the service, the door, the model, and how it shall listen and speak."""

    api_key: str = field(repr=False)
    """The API key; with `bearer` an OAuth access token, which lasts about an hour."""
    model: str = setting("gemini-3.8-live", "Model to ask for.")
    base_url: str = setting(
        OWN_URL,
        "Scheme and host; for Vertex that of a region: "
        "`wss://us-central1-aiplatform.googleapis.com`.",
    )
    service: str = setting("developer", "Google's developer API, or Vertex.", choices=SERVICES)
    api_version: str = setting("", "`v1beta`, for Vertex `v1beta1`, unless given.")
    auth_style: str = setting(
        "key",
        "`key` (x-goog-api-key; on Vertex its express mode) or `bearer`.",
        choices=AUTH_STYLES,
    )
    project: str = setting("", "Vertex: whose account it is on.")
    location: str = setting("", "Vertex: the region.")
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    session_limit_s: float = setting(
        3480.0,
        "Connections were seen to be cut after 58 minutes; `goAway` tells of an earlier end.",
    )
    going_away_s: float = setting(60.0, "How long before that the session is told to move on.")
    resumption: bool = setting(
        True,
        "A session that takes over is offered the last one's handle, before it is told the "
        "history.",
    )
    voice: str | None = setting(None, "A prebuilt voice.")
    turn_detection: str = setting(
        "automatic",
        "automatic | none; with `none` our own ear finds the turns.",
        choices=TURN_DETECTIONS,
    )
    start_sensitivity: str = setting(
        "", "low | high: how readily sound counts as speech.", choices=SENSITIVITIES[1:]
    )
    end_sensitivity: str = setting(
        "", "low | high: how readily a pause ends the turn.", choices=SENSITIVITIES[1:]
    )
    speech_before_start_ms: int | None = setting(
        None, "So long must speech last before it counts; the service calls it `prefixPaddingMs`."
    )
    vad_silence_ms: int | None = setting(None, "A pause of this length ends a turn.")
    interrupt_response: bool = setting(True, "The service stops its answer when the caller speaks.")
    temperature: float | None = setting(None, "How freely it words its answers.")
    max_output_tokens: int | None = setting(None, "Longest answer.")
    thinking_level: str = setting(
        "",
        "minimal | low | medium | high, for models that think on demand.",
        choices=THINKING_LEVELS[1:],
    )
    thinking_budget: int | None = setting(None, "Tokens, for the same; 0: none.")
    affective_dialog: bool = setting(False, "Speaks in the caller's mood (models 2.5).")
    proactive_audio: bool = setting(
        False, "The model may choose not to answer. Newer models always may."
    )
    compression: bool = setting(
        True, "The oldest of a long conversation is forgotten; otherwise it ends after 15 minutes."
    )
    compression_trigger_tokens: int | None = setting(
        None, "From this length on the oldest is forgotten."
    )
    compression_target_tokens: int | None = setting(None, "What then remains.")
    extra: Mapping[str, Any] = object_setting(
        "Further fields of `setup`, laid over everything else."
    )

    def problems(self) -> list[str]:
        """Everything wrong with the values, one sentence each."""
        checks = self._door_checks() | self._model_checks()
        return [text for text, holds in checks.items() if not holds]

    def _door_checks(self) -> dict[str, bool]:
        parts = urlsplit(self.base_url)
        vertex = self.service == "vertex"
        return {
            "api_key: must not be empty": bool(self.api_key),
            "base_url: needs ws, wss, http or https and a host": parts.scheme in SCHEMES
            and bool(parts.netloc),
            "base_url: Vertex needs the region's host, such as "
            "wss://us-central1-aiplatform.googleapis.com": not (
                vertex and self.base_url == OWN_URL
            ),
            f"service: must be one of {', '.join(SERVICES)}": self.service in SERVICES,
            "api_version: must look like v1 or v1beta": not self.api_version
            or bool(_VERSION.fullmatch(self.api_version)),
            f"auth_style: must be one of {', '.join(AUTH_STYLES)}": self.auth_style in AUTH_STYLES,
            "project: needed with a bearer token on Vertex": not (
                vertex and self.auth_style == "bearer"
            )
            or bool(self.project),
            "location: needed with project": bool(self.location) or not self.project,
            "project: letters, digits, dots and dashes": bool(_NAME.fullmatch(self.project)),
            "location: letters, digits, dots and dashes": bool(_NAME.fullmatch(self.location)),
            "model: letters, digits, dots, dashes and slashes": bool(_MODEL.fullmatch(self.model)),
            "session_limit_s: must be larger than going_away_s": self.session_limit_s
            > self.going_away_s,
            "going_away_s: must be positive": self.going_away_s > 0,
            "headers: no control characters in names, values, api_key": all(
                text.isprintable() for text in (self.api_key, *self.headers, *self.headers.values())
            ),
        }

    def _model_checks(self) -> dict[str, bool]:
        traits = traits_of(self.model)
        asks_to_think = bool(self.thinking_level) or self.thinking_budget is not None
        return {
            f"turn_detection: must be one of {', '.join(TURN_DETECTIONS)}": self.turn_detection
            in TURN_DETECTIONS,
            "start_sensitivity: must be low or high": self.start_sensitivity in SENSITIVITIES,
            "end_sensitivity: must be low or high": self.end_sensitivity in SENSITIVITIES,
            f"thinking_level: must be one of {', '.join(THINKING_LEVELS[1:])}": self.thinking_level
            in THINKING_LEVELS,
            f"thinking_level: {self.model} takes no thinking options": traits.thinking
            or not asks_to_think,
            f"affective_dialog: {self.model} does not take it": traits.affective
            or not self.affective_dialog,
            f"proactive_audio: {self.model} does not take it": traits.proactive
            or not self.proactive_audio,
        }


def model_name(config: GeminiLiveConfig) -> str:
    """The model as the service wants it named."""
    if "/" in config.model:
        return config.model
    if config.service == "developer":
        return f"models/{config.model}"
    published = f"publishers/google/models/{config.model}"
    if not config.project:  # express mode: the key names the project
        return published
    return f"projects/{config.project}/locations/{config.location}/{published}"


def endpoint(config: GeminiLiveConfig) -> Endpoint:
    """URL and headers of the WebSocket. The key is in no URL: those are logged by many."""
    scheme, _, rest = config.base_url.rstrip("/").partition("://")
    scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    if config.service == "developer":
        version = config.api_version or "v1beta"
        path = f"google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent"
    else:
        version = config.api_version or "v1beta1"
        path = f"google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent"
    if config.auth_style == "bearer":
        headers = {"Authorization": f"Bearer {config.api_key}"}
    else:
        headers = {"x-goog-api-key": config.api_key}
    headers |= dict(config.headers)
    return Endpoint(url=f"{scheme}://{rest}/ws/{path}", headers=tuple(headers.items()))
