"""The page of `esl-controller demo --talk`: the talk page of FusionPBX's app, without FusionPBX."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from gevent.pywsgi import WSGIServer

from esl_controller.web.tickets import new_ticket

if TYPE_CHECKING:
    from esl_controller.app import App

_SCRIPTS = ("talk.js", "talk_sound.js")
_WORDS = {
    "idle": "Not talking.",
    "asking": "The browser asks whether the microphone may be used.",
    "connecting": "Connecting the provider …",
    "talking": "Talking. Interrupt as you would on the telephone.",
    "over": "The conversation is over.",
    "refused": "Not taken: {why}",
    "failed": "That did not work. Try again.",
    "no_microphone": "There is no microphone, or the browser may not use it.",
    "insecure": "A browser gives its microphone to https pages and to this machine's own alone.",
    "no_worker": "The worker cannot be reached.",
    "latency": "Answered after {ms} ms",
    "transfer": "On the telephone the caller would now go to {destination}.",
    "trouble": "Trouble with the provider:",
    "agent": "Agent",
    "caller": "You",
    "interrupted": "interrupted",
    "unclear": "(could not be written down)",
}


class TalkPage:
    """Serves the page and its scripts on loopback, and makes tickets for whoever asks there."""

    def __init__(self, app: App, domain_uuid: str, extension: str) -> None:
        self._app = app
        self._domain_uuid, self._extension = domain_uuid, extension
        self._server = WSGIServer(("127.0.0.1", 0), self._answer, log=None)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(1)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/").lstrip("/")
        kind, body = "text/html; charset=utf-8", b""
        if path == "":
            body = _file("demo_talk.html").replace("{words}", json.dumps(_WORDS)).encode()
        elif path in _SCRIPTS:
            kind, body = "text/javascript; charset=utf-8", _file(f"talk_files/{path}").encode()
        elif path == "address" and environ["REQUEST_METHOD"] == "POST":
            kind, body = "application/json", json.dumps(self._address()).encode()
        status = "200 OK" if body else "404 Not Found"
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def _address(self) -> dict[str, Any]:
        token = self._app.settings.http.admin_token
        expires = int(datetime.now(UTC).timestamp()) + 60
        ticket = new_ticket(token, self._domain_uuid, f"talk/{self._extension}", expires)
        host, port = self._app.media.address
        path = f"/talk/{self._domain_uuid}/{self._extension}"
        return {"ok": True, "url": f"http://{host}:{port}{path}?ticket={ticket}"}


def _file(name: str) -> str:
    return files("esl_controller.commands").joinpath(name).read_text("utf-8")
