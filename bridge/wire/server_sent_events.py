"""Server-sent events: from bytes cut anywhere to the data of each event. Pure.

Format: WHATWG HTML, section 9.2.6 "Interpreting an event stream". `id` and `retry` steer a
reconnection, which an answer streamed once does not have, so they are ignored.
"""

from __future__ import annotations

from typing import NamedTuple

from bridge.errors import RemoteProtocolError

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event that has data."""

    data: bytes
    """Lines joined by LF; UTF-8 as it came."""
    name: bytes = b"message"


class EventStreamParser:
    """Parses one stream.

    `max_event_bytes` limits the data of one event, and the length of any line.
    """

    def __init__(self, max_event_bytes: int = 1 << 20) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._searched = 0
        """Bytes of the buffer known to hold no line end."""
        self._begun = False
        self._skip_lf = False
        self._lines: list[bytes] = []
        self._size = 0
        self._name = b""

    def receive_data(self, data: bytes) -> list[ServerSentEvent]:
        """Take some bytes; the events they complete.

        What follows the last blank line is never an event, however the stream ends.

        Raises:
            RemoteProtocolError: an event or a line is too long. The parser is of no use then.
        """
        self._buffer += data
        if not self._begun and not self._begin():
            return []
        events: list[ServerSentEvent] = []
        for line in self._take_lines():
            self._require_short(line)
            if line:
                self._take_field(line)
            elif self._lines:
                events.append(self._dispatch())
            else:
                self._name = b""
        self._require_short(self._buffer)
        return events

    def _require_short(self, line: bytes | bytearray) -> None:
        if len(line) > self._max_event_bytes:
            raise RemoteProtocolError(f"event stream line of {len(line)} bytes")

    def _begin(self) -> bool:
        """Drop a byte order mark; False while there may be one."""
        head = bytes(self._buffer[:3])
        if head == _BOM:
            del self._buffer[:3]
        elif _BOM.startswith(head) and len(head) < len(_BOM):
            return False
        self._begun = True
        return True

    def _take_lines(self) -> list[bytes]:
        """Whole lines without their ends: CR, LF or CR LF, which may be cut in two."""
        buffer = self._buffer
        lines: list[bytes] = []
        begin = 0
        if self._skip_lf and buffer:
            begin = 1 if buffer[0] == 10 else 0
            self._skip_lf = False
        at = max(begin, self._searched)
        cr, lf = buffer.find(b"\r", at), buffer.find(b"\n", at)
        while cr >= 0 or lf >= 0:
            end = cr if lf < 0 or 0 <= cr < lf else lf
            lines.append(bytes(buffer[begin:end]))
            begin = end + 1
            if end == cr:
                if begin == len(buffer):
                    self._skip_lf = True
                elif buffer[begin] == 10:
                    begin += 1
                cr = buffer.find(b"\r", begin)
            if 0 <= lf < begin:
                lf = buffer.find(b"\n", begin)
        del buffer[:begin]
        self._searched = len(buffer)
        return lines

    def _take_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._size += len(value) + 1
            if self._size > self._max_event_bytes:
                raise RemoteProtocolError(f"event of more than {self._max_event_bytes} bytes")
            self._lines.append(value)
        elif name == b"event":
            self._name = value

    def _dispatch(self) -> ServerSentEvent:
        event = ServerSentEvent(b"\n".join(self._lines), self._name or b"message")
        self._lines, self._size, self._name = [], 0, b""
        return event
