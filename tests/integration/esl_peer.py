"""A scripted FreeSWITCH end of an Event Socket connection: sends any bytes, records commands."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
from collections.abc import Callable, Iterator
from urllib.parse import quote

import gevent
from gevent.event import Event as Signal

UUID = "c60e8d63-f2fa-4e65-92bd-657b2f9acacf"
CHANNEL_NAME = "sofia/internal/5551000@127.0.0.1"


def block(*pairs: tuple[str, str]) -> bytes:
    return "".join(f"{name}: {quote(value)}\n" for name, value in pairs).encode()


def channel_data(*pairs: tuple[str, str], uuid: str = UUID) -> bytes:
    return (
        block(
            ("Event-Name", "CHANNEL_DATA"),
            ("Channel-Name", CHANNEL_NAME),
            ("Unique-ID", uuid),
            ("Caller-Caller-ID-Number", "5551000"),
            *pairs,
            ("Content-Type", "command/reply"),
            ("Reply-Text", "+OK\n"),
            ("Socket-Mode", "async"),
            ("Control", "full"),
        ).replace(b"command%2Freply", b"command/reply")
        + b"\n"
    )


def reply(text: str = "+OK") -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def api_response(text: str) -> bytes:
    body = text.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body)


def event(name: str, *pairs: tuple[str, str], body: bytes = b"", uuid: str = UUID) -> bytes:
    inner = block(("Event-Name", name), ("Unique-ID", uuid), *pairs)
    inner += b"Content-Length: %d\n\n%s" % (len(body), body) if body else b"\n"
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(inner), inner)


LINGER_NOTICE = (
    b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: " + UUID.encode() + b"\n"
    b"Content-Disposition: linger\nChannel-Name: " + CHANNEL_NAME.encode() + b"\n"
    b"Linger-Time: -1\nContent-Length: 0\n\n"
)
_GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
FINAL_NOTICE = (
    b"Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\n"
    b"Content-Length: %d\n\n%s" % (len(_GOODBYE), _GOODBYE)
)


RUN_UNSET = "sendmsg\ncall-command: execute\nexecute-app-name: unset"
"""How a session makes sure that the call is parked."""


class Peer:
    """Reads commands into `commands`; answers each by the longest prefix."""

    def __init__(self, sock: socket.socket, answers: dict[str, bytes] | None = None) -> None:
        self.sock = sock
        self.commands: list[str] = []
        self.answers: dict[str, bytes | Callable[[str], bytes]] = {
            "connect": channel_data(),
            "api ": api_response("+OK\n"),
            "bgapi ": lambda command: job_reply(command, "+OK\n"),
            RUN_UNSET: lambda command: reply() + started(command),
            "exit": reply("+OK bye") + FINAL_NOTICE,
            **(answers or {}),
            "": reply(),
        }
        self.changed = Signal()
        self.ended = False
        self._reader = gevent.spawn(self._read)

    def send(self, *data: bytes) -> None:
        self.sock.sendall(b"".join(data))

    def wait_command(self, prefix: str, count: int = 1) -> str:
        with gevent.Timeout(5):
            while sum(command.startswith(prefix) for command in self.commands) < count:
                self.changed.clear()
                self.changed.wait()
        return [command for command in self.commands if command.startswith(prefix)][-1]

    def wait_eof(self) -> None:
        self._reader.join(timeout=5)
        assert self.ended

    def close(self) -> None:
        self._reader.kill()
        self.sock.close()

    def reset(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def _read(self) -> None:
        pending = b""
        with contextlib.suppress(OSError):
            while data := self.sock.recv(65536):
                pending += data
                while b"\n\n" in pending:
                    head, _, rest = pending.partition(b"\n\n")
                    length = int(header(head.decode(), "content-length") or 0)
                    if len(rest) < length:
                        break
                    self._take((head + rest[:length]).decode())
                    pending = rest[length:]
        self.ended = True
        self.changed.set()

    def _take(self, command: str) -> None:
        self.commands.append(command)
        self.changed.set()
        prefix = max((key for key in self.answers if command.startswith(key)), key=len)
        answer = self.answers[prefix]
        self.sock.sendall(answer(command) if callable(answer) else answer)
        if command == "exit" and FINAL_NOTICE in answer:
            self.sock.shutdown(socket.SHUT_WR)


def header(command: str, name: str) -> str:
    """The value of one header line of a command."""
    lines = dict(line.partition(": ")[::2] for line in command.split("\n"))
    return lines.get(name, "")


def started(command: str) -> bytes:
    return event(
        "CHANNEL_EXECUTE",
        ("Application", header(command, "execute-app-name")),
        ("Application-UUID", header(command, "Event-UUID")),
    )


def job_reply(command: str, output: str) -> bytes:
    job = header(command, "Job-UUID")
    text = f"+OK Job-UUID: {job}\nJob-UUID: {job}"
    return reply(text) + event("BACKGROUND_JOB", ("Job-UUID", job), body=output.encode())


def until(condition: Callable[[], object]) -> None:
    """Wait for a fact."""
    with gevent.Timeout(5):
        while not condition():
            gevent.sleep(0.001)


def greenlets() -> int:
    """Living greenlets made since `nothing_left` began."""
    return sum(
        isinstance(thing, gevent.Greenlet) and thing.started and not thing.dead
        for thing in gc.get_objects()
    )


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Check that no greenlet and no descriptor outlives the block."""
    gevent.sleep(0)  # the hub opens descriptors of its own when it is first used
    gc.freeze()  # leaves out, and so does not walk, all that was there before
    before = open_files()
    try:
        yield
        gc.collect()
        until(lambda: greenlets() == 0)
        assert open_files() == before
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected TCP sockets on loopback: (ours, FreeSWITCH's)."""
    listener = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listener.getsockname())
    ours, _ = listener.accept()
    listener.close()
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()
