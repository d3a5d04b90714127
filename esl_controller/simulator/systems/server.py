"""The reference server of docs/contracts: tickets, customers and an agenda behind one port."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

import gevent
import msgspec
from gevent.pywsgi import WSGIServer

from esl_controller.simulator.systems.store import Store, Taken

MAX_BODY_BYTES = 64 * 1024
_STATUS = {
    200: "200 OK",
    201: "201 Created",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    404: "404 Not Found",
    409: "409 Conflict",
    503: "503 Service Unavailable",
}


Heard = Callable[[str, str, Mapping[str, Any], int], None]
"""Gets method, path, what came, and the status of the answer."""


@dataclass(frozen=True)
class Faults:
    """What is wrong with answers."""

    wait_s: float = 0.0
    """Before an answer begins."""
    refuse_status: int | None = None
    acts: bool = False
    """It does what it was asked for before it is slow or refuses."""
    body: bytes | None = None
    """Instead of the answer: nonsense, or too much."""


@dataclass
class SystemsServer:
    """Answers below `/tickets`, `/crm` and `/agenda`."""

    token: str = "reference-token"
    """Empty: nobody need send one."""
    host: str = "127.0.0.1"
    store: Store = field(default_factory=Store)
    faults: Faults = field(default_factory=Faults)
    """Of every answer from now on."""
    requests: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    """Method, path and what came, a query or a body."""
    keys: list[str] = field(default_factory=list)
    """Of each ticket that was asked for."""
    heard: Heard = lambda method, path, asked, status: None
    _server: WSGIServer | None = None

    def start(self, port: int = 0) -> str:
        """Listen; return the address, without a slash at its end."""
        self._server = WSGIServer((self.host, port), self._serve, log=None, spawn=100)
        self._server.start()
        return f"http://{self.host}:{self._server.server_port}"

    def stop(self) -> None:
        """As a power cut: connections that are kept end too."""
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None

    def _serve(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        faults = self.faults
        status, answer = 503, dict[str, Any]()
        before = len(self.requests)
        if faults.acts or faults.refuse_status is None:
            status, answer = self._answer(environ)
        gevent.sleep(faults.wait_s)
        if faults.refuse_status is not None:
            status, answer = faults.refuse_status, {"error": "refused"}
        body = msgspec.json.encode(answer) if faults.body is None else faults.body
        asked = self.requests[before][2] if len(self.requests) > before else {}
        self.heard(environ["REQUEST_METHOD"], environ["PATH_INFO"], asked, status)
        start(_STATUS.get(status, f"{status} Fault"), [("Content-Type", "application/json")])
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        wanted = f"Bearer {self.token}"
        if self.token and not hmac.compare_digest(environ.get("HTTP_AUTHORIZATION", ""), wanted):
            return 401, {"error": "token"}
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        try:
            asked = _query(environ) if method in ("GET", "DELETE") else _body(environ)
            self.requests.append((method, path, asked))
            return self._routed(method, path, asked, environ.get("HTTP_IDEMPOTENCY_KEY", ""))
        except Taken:
            return 409, {"error": "taken"}
        except (KeyError, ValueError, msgspec.MsgspecError) as error:
            return 400, {"error": repr(error)}

    def _routed(
        self, method: str, path: str, asked: Mapping[str, Any], key: str
    ) -> tuple[int, dict[str, Any]]:
        store = self.store
        if (method, path) == ("POST", "/tickets"):
            self.keys.append(key)
            ticket = {"id": f"T-{len(store.tickets) + 1}", **asked}
            return 201, {"id": store.once(key, ticket, store.tickets)["id"]}
        if (method, path) == ("GET", "/crm/customers"):
            found = store.find_customers(asked.get("phone", ""), asked.get("name", ""))
            return 200, {"customers": found}
        if (method, path) == ("GET", "/agenda/slots"):
            return 200, {"slots": store.slots(*_between(asked), int(asked["minutes"]))}
        if (method, path) == ("GET", "/agenda/appointments"):
            return 200, {"appointments": store.of_phone(*_between(asked), asked["phone"])}
        if (method, path) == ("POST", "/agenda/appointments"):
            times = {name: datetime.fromisoformat(asked[name]) for name in ("start", "end")}
            return 201, {"appointment": store.book({**asked, **times}, key)}
        if method == "DELETE" and path.startswith("/agenda/appointments/"):
            gone = store.cancel(unquote(path.rpartition("/")[2]), asked["phone"])
            return (404, {"error": "none"}) if gone is None else (200, {"appointment": gone})
        return 404, {"error": "path"}


def _query(environ: Mapping[str, Any]) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}


def _body(environ: Mapping[str, Any]) -> dict[str, Any]:
    text = environ["wsgi.input"].read(MAX_BODY_BYTES)
    return msgspec.json.decode(text, type=dict[str, Any])


def _between(asked: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(asked["from"]), datetime.fromisoformat(asked["to"])
