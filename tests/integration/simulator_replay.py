"""An application for the simulated switch that repeats recorded conversations; their shape."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

import gevent
from gevent.event import Event as Signal

from esl_controller.esl.framing import Framer, Headers, Message
from esl_controller.simulator.switch.command_reader import CommandReader

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PATIENCE_S = 10.0


@dataclass(slots=True)
class Seen:
    """One message from the switch, taken apart."""

    message: Message
    headers: dict[str, str]
    body: bytes = b""

    @property
    def event(self) -> str:
        """Name of the event, with subclass; empty for other messages."""
        if not self.message.kind.startswith("text/event-"):
            return ""
        return self.headers.get("Event-Subclass") or self.headers["Event-Name"]

    @property
    def is_connect(self) -> bool:
        """The answer to `connect`."""
        return self.headers.get("Event-Name") == "CHANNEL_DATA"

    @property
    def is_reply(self) -> bool:
        """An answer to a command."""
        return self.message.kind in ("command/reply", "api/response")

    @property
    def names(self) -> list[str]:
        """Header names in order."""
        return list(self.headers)

    def shape(self) -> str:
        """What must be equal between the recording and the stand-in, in one line."""
        if not self.event:
            return self._other_shape()
        keys = ("Application", "Application-Data", "Application-Response", "Playback-Status")
        more = ("Channel-State", "Answer-State", "Hangup-Cause", "DTMF-Digit", "Playback-File-Path")
        words = [self.headers[key] for key in (*keys, *more) if key in self.headers]
        body = self.body.decode("utf-8", "replace")
        return anonymous(" | ".join([self.event, *words, body]).rstrip(" |"))

    def _other_shape(self) -> str:
        if self.headers.get("Event-Name") == "CHANNEL_DATA":
            return "CHANNEL_DATA"
        kind = self.message.kind
        words = [
            value
            for name, value in self.headers.items()
            if name not in ("Content-Type", "Job-UUID")
        ]
        return anonymous(" | ".join([kind, *words, self.message.body.decode()]))


def anonymous(text: str) -> str:
    """Ids and ports that differ from run to run taken out."""
    text = UUID.sub("<uuid>", text)
    text = re.sub(r"@127\.0\.0\.1:\d+", "@127.0.0.1:<port>", text)
    text = re.sub(r"127\.0\.0\.1:\d+ async", "127.0.0.1:<port> async", text)
    return re.sub(r"\S*/<uuid>_", "<dir>/<uuid>_", text)


def take_apart(message: Message) -> Seen:
    """Headers decoded; of an event the inner ones."""
    if message.kind == "text/event-json":
        return Seen(message, json.loads(message.body))
    if message.kind != "text/event-plain":
        return Seen(message, dict(message.headers.items()))
    head, _, body = message.body.partition(b"\n\n")
    return Seen(message, dict(Headers(head, percent_encoded=True).items()), body)


def parse(data: bytes) -> list[Seen]:
    """All messages in `data`."""
    framer = Framer()
    framer.receive_data(data)
    seen = []
    while message := framer.next_message():
        seen.append(take_apart(message))
    return seen


def commands(data: bytes) -> list[str]:
    """The commands an application sent, each with its final empty line (and body)."""
    found = []
    reader = CommandReader()
    start = 0
    for end in range(1, len(data) + 1):
        reader.receive_data(data[end - 1 : end])
        if reader.next_command() is not None:
            found.append(data[start:end].decode())
            start = end
    return found


class Application:
    """One Event Socket connection, seen from the application; keeps everything received."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.received = bytearray()
        self.seen: list[Seen] = []
        self.closed = False
        self._framer = Framer()
        self._news = Signal()
        self._reader = gevent.spawn(self._read)

    @classmethod
    def accept(cls, listener: socket.socket) -> Application:
        """The switch connects for a call."""
        listener.settimeout(PATIENCE_S)
        sock, _ = listener.accept()
        return cls(sock)

    @classmethod
    def connect(cls, port: int) -> Application:
        """We connect to the switch's inbound port."""
        return cls(socket.create_connection(("127.0.0.1", port)))

    def _read(self) -> None:
        try:
            while data := self.socket.recv(65536):
                self.received += data
                self._framer.receive_data(data)
                while message := self._framer.next_message():
                    self.seen.append(take_apart(message))
                self._news.set()
        except OSError:
            pass
        self.closed = True
        self._news.set()

    def close(self) -> None:
        self._reader.kill()
        self.socket.close()

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def ask(self, text: str, count: int = 1) -> Seen:
        """Send `count` commands and wait for their replies; the first of them."""
        before = self.replies
        self.send(text)
        self.wait(lambda: self.replies >= before + count or self.closed)
        return [seen for seen in self.seen if seen.is_reply or seen.is_connect][before]

    @property
    def replies(self) -> int:
        return sum(1 for seen in self.seen if seen.is_reply or seen.is_connect)

    def wait(self, fact: Callable[[], bool]) -> None:
        """Until the fact is true; checked whenever something came."""
        with gevent.Timeout(PATIENCE_S):
            while not fact():
                self._news.clear()
                self._news.wait(0.05)

    def wait_event(self, name: str, count: int = 1, **headers: str) -> Seen:
        """Until `count` events of this name with these headers came; the last of them."""

        def found() -> list[Seen]:
            wanted = {key.replace("_", "-"): value for key, value in headers.items()}
            return [
                seen
                for seen in self.seen
                if seen.event == name and wanted.items() <= seen.headers.items()
            ]

        self.wait(lambda: len(found()) >= count or self.closed)
        assert len(found()) >= count, f"{name} {headers} did not come: {self.shapes()}"
        return found()[count - 1]

    def events(self) -> list[str]:
        """Names of the events so far."""
        return [seen.event for seen in self.seen if seen.event]

    def shapes(self) -> list[str]:
        return [seen.shape() for seen in self.seen]


def execute(name: str, data: str = "", *, lock: bool = True, uuid: str = "") -> str:
    """A `sendmsg execute`."""
    lines = ["sendmsg", "call-command: execute", f"execute-app-name: {name}"]
    if data:
        lines.append(f"execute-app-arg: {data}")
    if lock:
        lines.append("event-lock: true")
    if uuid:
        lines.append(f"Event-UUID: {uuid}")
    return "\n".join(lines) + "\n\n"
