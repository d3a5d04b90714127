"""Cuts the application's bytes into Event Socket commands. Pure.

As `read_packet` in `mod_event_socket.c`: lines end with LF or CRLF, a command ends with an empty
line, and `content-length` adds a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.errors import RemoteProtocolError

MAX_HEAD_BYTES = 65536
MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its first line, the header lines after it (names in lower case), its body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def verb(self) -> str:
        """First word, in lower case."""
        return self.line.split(" ", 1)[0].lower()

    @property
    def argument(self) -> str:
        """The rest of the first line."""
        return self.line.partition(" ")[2].strip()


class CommandReader:
    """Feed with `receive_data`, take commands with `next_command`."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Command | None = None
        self._body_bytes = 0

    def receive_data(self, data: bytes) -> None:
        """Add bytes. Raises RemoteProtocolError when a command has grown past its limit."""
        self._buffer += data
        if self._head is None and len(self._buffer) > MAX_HEAD_BYTES + MAX_BODY_BYTES:
            raise RemoteProtocolError("command too long")

    def next_command(self) -> Command | None:
        """The next whole command, or None until more bytes come."""
        if self._head is None:
            head = self._take_head()
            if head is None:
                return None
            self._head = head
            self._body_bytes = _content_length(head)
        if len(self._buffer) < self._body_bytes:
            return None
        head, self._head = self._head, None
        if not self._body_bytes:
            return head
        body = self._buffer[: self._body_bytes].decode("utf-8", "surrogateescape")
        del self._buffer[: self._body_bytes]
        return Command(head.line, head.headers, body)

    def _take_head(self) -> Command | None:
        while True:
            end, width = self._blank_line()
            if end < 0:
                return None
            text = self._buffer[:end].decode("utf-8", "surrogateescape")
            del self._buffer[: end + width]
            lines = [line.rstrip("\r") for line in text.split("\n")]
            lines = [line for line in lines if line]
            if lines:
                return Command(lines[0], _headers(lines[1:]))

    def _blank_line(self) -> tuple[int, int]:
        """Start and length of the empty line that ends the command."""
        if self._buffer[:1] == b"\n":
            return 0, 1
        found = [(self._buffer.find(mark), len(mark)) for mark in (b"\n\n", b"\n\r\n")]
        found = [pair for pair in found if pair[0] >= 0]
        return min(found) if found else (-1, 0)


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _content_length(command: Command) -> int:
    text = command.headers.get("content-length", "0")
    if not text.isdigit() or int(text) > MAX_BODY_BYTES:
        raise RemoteProtocolError(f"bad content-length {text[:20]!r}")
    return int(text)
