"""Who errands go to, in software: an HTTP receiver and a mail server that fail as they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gevent
import msgspec
from gevent.pywsgi import WSGIServer
from gevent.server import StreamServer

MAX_LINE = 1024
_HEADERS = [("Content-Type", "application/json"), ("Connection", "close")]


@dataclass(frozen=True, slots=True)
class Posted:
    """One request."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return msgspec.json.decode(self.body)


Answer = tuple[int, Any]
"""Status, and a body that is sent as JSON."""


class HttpReceiver:
    """Keeps every request; `answer` says what each gets (it may also wait)."""

    def __init__(
        self, answer: Callable[[Posted], Answer] = lambda _: (200, {}), port: int = 0
    ) -> None:
        self.posted: list[Posted] = []
        self.answer = answer
        self._server = WSGIServer(("127.0.0.1", port), self._take, log=None, error_log=None)
        self._server.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def stop(self) -> None:
        """Close it."""
        self._server.stop(timeout=0.1)

    def _take(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        posted = Posted(environ["PATH_INFO"], headers, environ["wsgi.input"].read())
        self.posted.append(posted)
        status, body = self.answer(posted)
        start_response(f"{status} told", _HEADERS)
        return [msgspec.json.encode(body)]


@dataclass(slots=True)
class Mailed:
    """One letter a mail server has taken."""

    sender: str
    to: list[str] = field(default_factory=list)
    content: bytes = b""


class MailReceiver:
    """As much of RFC 5321 as smtplib needs. `replies` gives a command another answer, `answer` a
    letter."""

    def __init__(
        self, answer: Callable[[Mailed], str] = lambda _: "250 taken", port: int = 0
    ) -> None:
        self.mailed: list[Mailed] = []
        self.replies: dict[str, str] = {}
        self.answer = answer
        self._server = StreamServer(("127.0.0.1", port), self._serve)
        self._server.start()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self._server.address[1])

    def stop(self) -> None:
        """Close it."""
        self._server.stop(timeout=0.1)

    def _serve(self, connection: Any, _address: object) -> None:
        stream = connection.makefile("rwb")

        def say(text: str) -> None:
            stream.write(f"{text}\r\n".encode())
            stream.flush()

        say("220 receiver.example ESMTP")
        letter = Mailed("")
        for line in iter(lambda: stream.readline(MAX_LINE), b""):
            command, _, rest = line.decode("latin-1").strip().partition(" ")
            command = command.upper()
            if command in self.replies:
                say(self.replies[command])
            elif command == "MAIL":
                letter = Mailed(_address_in(rest))
                say("250 yes")
            elif command == "RCPT":
                letter.to.append(_address_in(rest))
                say("250 yes")
            elif command == "DATA":
                say("354 go on")
                letter.content = _content(stream)
                self.mailed.append(letter)
                say(self.answer(letter))
            else:
                say("221 bye" if command == "QUIT" else "250 yes")
            if command == "QUIT":
                break
            gevent.sleep(0)


def _address_in(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]


def _content(stream: Any) -> bytes:
    lines: Sequence[bytes] = list(iter(lambda: stream.readline(), b".\r\n"))
    return b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
