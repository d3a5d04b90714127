"""Who is let in to the emulated service, and how the others are told.

Close codes and texts seen in public reports: 3000 (twilio-samples/speech-assistant-openai-
realtime-api-python#4), 4000 (openai-python#1989); a Live model on this path: `invalid_model`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request

from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.door import HttpAnswer


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client is turned away: before the upgrade by `status`, else by error and close."""

    code: str
    message: str
    close_code: int
    close_reason: str
    status: int | None = None

    def body(self) -> str:
        """The HTTP answer's JSON."""
        error = {"type": "invalid_request_error", "code": self.code, "message": self.message}
        return json.dumps({"error": error})


def admit(request: Request, config: EmulatorConfig) -> Refusal | None:
    """None for a client that may come in."""
    url = urlsplit(request.path)
    if not url.path.endswith("/realtime"):
        return Refusal("not_found", f"Invalid URL {url.path}", 4004, "", status=404)
    key_refusal = _check_key(_key(request), config)
    if key_refusal is not None:
        return key_refusal
    if config.api_shape == "ga" and "OpenAI-Beta" in request.headers:
        text = "The Realtime Beta API is no longer supported. Please use /v1/realtime."
        reason = "invalid_request_error.beta_api_shape_disabled"
        return Refusal("beta_api_shape_disabled", text, 4000, reason)
    model = (parse_qs(url.query).get("model") or [""])[0]
    if model.startswith("gpt-live"):
        text = f"Model '{model}' is not supported on this endpoint."
        return Refusal("invalid_model", text, 4000, "invalid_request_error.invalid_model")
    return None


def models_page(request: Request, config: EmulatorConfig) -> HttpAnswer:
    """`GET /v1/models` (API reference, List models, 2026-11)."""
    refusal = _check_key(_key(request), config)
    if refusal is not None:
        return HttpAnswer(401, refusal.body())
    models = [
        {"id": name, "object": "model", "created": 0, "owned_by": "openai", "shutdown_date": day}
        for name, day in config.models.items()
    ]
    return HttpAnswer(200, json.dumps({"object": "list", "data": models}))


def _key(request: Request) -> str:
    headers = request.headers
    return headers.get("Authorization", "").removeprefix("Bearer ") or headers.get("api-key", "")


def _check_key(key: str, config: EmulatorConfig) -> Refusal | None:
    if key and (config.api_keys is None or key in config.api_keys):
        return None
    status = 401 if config.refuse_key_by == "http" or not key else None
    text = "Incorrect API key provided. You can find your API key in your account settings."
    reason = "invalid_request_error.invalid_api_key"
    return Refusal("invalid_api_key", text, 3000, reason, status=status)
