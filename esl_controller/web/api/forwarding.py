"""What only the worker that has a call can do, asked of it by the worker that was asked.

Pages ask any worker. The owner is found in the register; it gets the same request with the same
token, once: a request that was forwarded is never forwarded again.
"""

from __future__ import annotations

import ipaddress
import socket
from http import HTTPMethod, HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import gevent
import msgspec
import requests
import structlog

from esl_controller.database.repository import workers
from esl_controller.database.repository.workers import Owner
from esl_controller.web.api.problems import CONTENT_TYPE, Problem, not_found, unavailable
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request

HEADER = "X-Voice-AI-Forwarded"
"""Says that another worker asks, for somebody who asked it."""
DEADLINE_S = 5.0
MAX_ANSWER_BYTES = 65_536
_TYPES = ("application/json", CONTENT_TYPE)

_log = structlog.get_logger("api")


def owner_of(resources: Resources, request: Request) -> Owner:
    """Who has the path's call. Raises Problem 404 when no such call is going on."""
    with resources.reading() as connection:
        owner = workers.find_owner(connection, request.domain_uuid, request.path["call_uuid"])
    if owner is None:
        raise not_found("call")
    return owner


def forward(
    resources: Resources, owner: Owner, request: Request, method: HTTPMethod, path: str
) -> Reply:
    """Have the owner of a call do it, with the body that came, and give its answer.

    Raises Problem: 404 when it has no such call after all, 503 when it cannot be asked.
    """
    if request.forwarded or owner.worker == resources.worker:
        raise not_found("call")
    url = _address(owner)
    try:
        with gevent.Timeout(DEADLINE_S, TimeoutError(f"no answer within {DEADLINE_S:g} s")):
            token = resources.settings.http.admin_token.reveal()
            return _ask(method, f"{url}{path}", token, request.body)
    except (requests.RequestException, OSError, ValueError) as error:
        _log.warning("api.not_forwarded", worker=owner.worker, error=type(error).__name__)
        raise _unreachable(owner, "does not answer") from error


def _ask(method: HTTPMethod, url: str, token: str, body: Any) -> Reply:
    headers = {"Authorization": f"Bearer {token}", HEADER: "1"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        with session.request(
            method,
            url,
            headers=headers,
            data=None if body is None else msgspec.json.encode(body),
            timeout=DEADLINE_S,
            allow_redirects=False,
            stream=True,
        ) as answer:
            content_type = answer.headers.get("Content-Type", "")
            body = answer.raw.read(MAX_ANSWER_BYTES + 1)
    if content_type not in _TYPES or len(body) > MAX_ANSWER_BYTES:
        raise ValueError("no worker's answer")
    return Reply(HTTPStatus(answer.status_code), body, content_type)


def _address(owner: Owner) -> str:
    """Where the owner's pages are; nowhere but where it registered itself."""
    if not owner.alive or owner.http_url is None:
        raise _unreachable(owner, "has not been seen for a while")
    host = urlsplit(owner.http_url).hostname or ""
    if owner.host != socket.gethostname() and _is_loopback(host):
        words = f"is on {owner.host} and listens on loopback; set VOICE_AI_MEDIA_PUBLIC_HOST there"
        raise _unreachable(owner, words)
    return owner.http_url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unreachable(owner: Owner, why: str) -> Problem:
    return unavailable("worker", f"worker {owner.worker}, which has the call, {why}")
