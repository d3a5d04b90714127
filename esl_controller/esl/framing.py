"""Event Socket framing: bytes in, messages out. No socket, no clock, nothing to wait for.

A message is a block of ``Name: value`` lines ended by an empty line, then `Content-Length` bytes of
body (FreeSWITCH, mod_event_socket.c). Blocks are split into lines *before* escapes are decoded, and
values are decoded only when somebody asks: a caller whose name holds an encoded line break stays
one value of one header. The linger notice holds that name as it is: see `linger_notice`. (So do
``getvar`` and ``log/data``, which nothing here uses.)
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from bridge.short_queue import ShortQueue

from .errors import LocalProtocolError, RemoteProtocolError
from .linger_notice import LingerNotice, fixed_part

MAX_LINE_BYTES: Final = 256 * 1024
"""One header line. The longest seen is an SDP or a JSON object in a channel variable: some kB."""
MAX_BLOCK_BYTES: Final = 1024 * 1024
"""One block of headers. A `connect` reply is 5.5 kB on a plain call."""
MAX_BLOCK_LINES: Final = 8192
"""Lines in one block, outer or inner: bounds the index built from it."""
MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""One body. FreeSWITCH's own limit for what it reads is 16 MiB; events are 2-10 kB, the largest
seen is a refused `streamAudio`, which comes back whole."""
MAX_QUEUED_MESSAGES: Final = 65536
"""Messages parsed but not taken: a caller of `receive_data` that never calls `next_message`."""
FOLD_BYTES: Final = 64 * 1024
"""What is larger would hold up the hub for a millisecond."""

COMMAND_REPLY: Final = "command/reply"
API_RESPONSE: Final = "api/response"
EVENT_PLAIN: Final = "text/event-plain"
EVENT_JSON: Final = "text/event-json"
DISCONNECT_NOTICE: Final = "text/disconnect-notice"
AUTH_REQUEST: Final = "auth/request"
RUDE_REJECTION: Final = "text/rude-rejection"
LOG_DATA: Final = "log/data"

_END = b"\n\n"
_EMPTY = b"_undef_"  # how switch_event_serialize writes an empty value


class Headers:
    """Headers of one block, in order; names in any case; the first of equal names counts.

    FreeSWITCH's own ``switch_event_get_header`` takes the first one too. Decoding happens per value
    and on access: bytes that are not UTF-8 become U+FFFD. A line without a colon is no header.
    """

    __slots__ = ("_block", "_encoded", "_folded", "_index")

    def __init__(self, block: bytes, *, percent_encoded: bool) -> None:
        self._block = block
        self._encoded = percent_encoded
        self._folded = b""
        self._index: dict[bytes, bytes] | None = None

    def get(self, name: str, default: str = "") -> str:
        """Return the decoded value of `name`, or `default`."""
        value = self._values().get(name.lower().encode())
        return default if value is None else self._decode(value)

    def raw(self, name: str) -> bytes:
        """Return the value of `name` as it came, empty without one."""
        return self._values().get(name.lower().encode(), b"").removeprefix(b" ")

    @property
    def encoded(self) -> bool:
        """Whether values are percent-encoded on the wire."""
        return self._encoded

    def __contains__(self, name: str) -> bool:
        return name.lower().encode() in self._values()

    def __getitem__(self, name: str) -> str:
        value = self._values().get(name.lower().encode())
        if value is None:
            raise KeyError(name)
        return self._decode(value)

    def __len__(self) -> int:
        return len(self._values())

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield every header line as (name, decoded value), in order, repeated ones included."""
        for line in self._lines():
            name, colon, value = line.partition(b":")
            if colon:
                yield name.decode("utf-8", "replace"), self._decode(value)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.items())

    def fold(self) -> None:
        """Give memory back: 18 kB of index for channel data, and most of their text. The next
        look-up brings both back."""
        self._index = None
        if 0 < len(self._block) <= FOLD_BYTES:
            self._folded, self._block = zlib.compress(self._block, 1), b""

    def _lines(self) -> list[bytes]:
        if self._folded:
            self._block, self._folded = zlib.decompress(self._folded), b""
        return self._block.split(b"\n")

    def _values(self) -> dict[bytes, bytes]:
        if self._index is None:
            # Last to first, so that the first of equal names is the one that stays.
            lines = (line.partition(b":") for line in reversed(self._lines()))
            self._index = {name.lower(): value for name, colon, value in lines if colon}
        return self._index

    def _decode(self, value: bytes) -> str:
        value = value.removeprefix(b" ")
        if self._encoded:
            if value == _EMPTY:
                return ""
            if b"%" in value:
                value = unquote_to_bytes(value)
        return value.decode("utf-8", "replace")


def encode_headers(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return a block of percent-encoded headers, as FreeSWITCH serialises an event.

    Raise `RemoteProtocolError` if a name cannot be one: this is how foreign pairs become headers.
    """
    lines = []
    for name, value in pairs:
        if not name or any(character in name for character in ":\r\n"):
            raise RemoteProtocolError(f"not a header name: {name[:40]!r}")
        lines.append(f"{name}: {quote(value, errors='replace')}".encode("utf-8", "replace"))
    return b"\n".join(lines)


class Message:
    """One framed message: `headers`, `body` and its content type `kind`.

    `block` holds the header bytes as received, without the empty line that ends them.
    """

    __slots__ = ("block", "body", "headers", "kind")

    def __init__(self, block: bytes, body: bytes, headers: Headers, kind: str) -> None:
        self.block = block
        self.body = body
        self.headers = headers
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.block == other.block and self.body == other.body

    def __hash__(self) -> int:
        return hash((self.block, self.body))

    def __repr__(self) -> str:
        return f"<Message {self.kind} {len(self.block)}+{len(self.body)} bytes>"


def serialise(message: Message) -> bytes:
    """Return the bytes of `message` exactly as they came."""
    end = b"" if message.block.endswith(b"\n") else _END  # only a linger notice's lines do
    return message.block + end + message.body


class Framer:
    """Cuts a byte stream into messages; after a `RemoteProtocolError` it stays failed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._block: bytes | None = None
        self._headers: Headers | None = None
        self._kind = ""
        self._body_length = 0
        self._messages: ShortQueue[Message] = ShortQueue()
        self._failure: str | None = None
        self._notice = LingerNotice(b"", b"")
        """The notice to expect; nothing fits this one, for no call is known yet."""

    @property
    def buffered_bytes(self) -> int:
        """Bytes held of a message that is not complete."""
        return len(self._buffer) + len(self._block or b"")

    def receive_data(self, data: bytes) -> None:
        """Feed bytes. Raise `RemoteProtocolError`; what came before it can still be taken."""
        if self._failure is not None:
            raise RemoteProtocolError(self._failure)
        if len(self._messages) >= MAX_QUEUED_MESSAGES:
            raise LocalProtocolError("messages are not taken from the framer")
        self._buffer += data
        try:
            while self._parse_one():
                pass
        except RemoteProtocolError as error:
            self._failure = str(error)
            self._buffer.clear()
            raise

    def receive_eof(self) -> None:
        """Tell that the peer closed. Raise `RemoteProtocolError` if it did so inside a message.

        A linger notice that is cut off has still said what it had to say.
        """
        if self._failure is None and self._block is None and (fixed := fixed_part(self._buffer)):
            self._take_notice(fixed, len(self._buffer))
        if self._failure is None and self.buffered_bytes:
            self._failure = f"closed inside a message, {self.buffered_bytes} bytes of it received"
        if self._failure is not None:
            raise RemoteProtocolError(self._failure)
        self._failure = "data after the end of the stream"

    def next_message(self) -> Message | None:
        """Take the oldest complete message, or None."""
        return self._messages.popleft() if self._messages else None

    def _parse_one(self) -> bool:
        if self._block is None:
            fixed = fixed_part(self._buffer)
            if fixed != 0:
                return fixed is not None and self._parse_notice(fixed)
            if not self._parse_block():
                return False
        if len(self._buffer) < self._body_length:
            return False
        assert self._block is not None and self._headers is not None
        body = bytes(self._buffer[: self._body_length])
        del self._buffer[: self._body_length]
        self._messages.append(Message(self._block, body, self._headers, self._kind))
        self._block = None
        self._body_length = 0
        return True

    def _parse_notice(self, fixed: int) -> bool:
        """Take a linger notice: of one that cannot be delimited, only the lines before the name."""
        try:
            length = self._notice.length(self._buffer)
        except RemoteProtocolError:
            self._take_notice(fixed, fixed)
            raise
        if length is None:
            return False
        self._take_notice(fixed, length)
        return True

    def _take_notice(self, fixed: int, length: int) -> None:
        """Queue the notice; what follows its fixed lines is kept as its body, unread."""
        block, body = bytes(self._buffer[:fixed]), bytes(self._buffer[fixed:length])
        del self._buffer[:length]
        self._searched = 0
        headers = Headers(block, percent_encoded=False)
        self._messages.append(Message(block, body, headers, DISCONNECT_NOTICE))

    def _parse_block(self) -> bool:
        end = self._buffer.find(_END, self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - 1)
            if len(self._buffer) > MAX_BLOCK_BYTES + 1:  # can only become too large: do not wait
                raise RemoteProtocolError(f"header block over {MAX_BLOCK_BYTES} bytes")
            return False
        block = bytes(self._buffer[:end])
        lines = _header_lines(block)
        headers = Headers(block, percent_encoded=_is_percent_encoded(lines))
        if headers.encoded:
            self._notice = LingerNotice(headers.raw("Unique-ID"), headers.raw("Channel-Name"))
        self._kind = headers.get("Content-Type")
        if not self._kind:
            raise RemoteProtocolError("message without Content-Type")
        self._body_length = _content_length(lines)
        self._block, self._headers = block, headers
        del self._buffer[: end + len(_END)]
        self._searched = 0
        return True


def _header_lines(block: bytes) -> list[bytes]:
    """Split an outer block into its lines. Raise `RemoteProtocolError` if one is no header."""
    if len(block) > MAX_BLOCK_BYTES:
        raise RemoteProtocolError(f"header block over {MAX_BLOCK_BYTES} bytes")
    check_line_count(block)
    lines = block.split(b"\n")
    for line in lines:
        if len(line) > MAX_LINE_BYTES:
            raise RemoteProtocolError(f"header line over {MAX_LINE_BYTES} bytes")
        if line.find(b":") < 1:
            raise RemoteProtocolError("line without a header name")
    return lines


def check_line_count(block: bytes) -> None:
    """Raise `RemoteProtocolError` if `block` has more lines than any block of FreeSWITCH."""
    if block.count(b"\n") >= MAX_BLOCK_LINES:
        raise RemoteProtocolError(f"header block over {MAX_BLOCK_LINES} lines")


def _is_percent_encoded(lines: list[bytes]) -> bool:
    """Tell the `connect` reply from all other outer blocks: it is a serialised event.

    FreeSWITCH serialises channel data with encoded values and puts `Event-Name` first; every other
    outer block is written by a format string, values as they are, `Content-…` first.
    """
    return lines[0].startswith(b"Event-Name:")


def _content_length(lines: list[bytes]) -> int:
    lengths = [line for line in lines if line[:15].lower() == b"content-length:"]
    if not lengths:
        return 0
    if len(lengths) > 1:
        raise RemoteProtocolError("Content-Length repeated")
    digits = lengths[0][15:].strip(b" ")
    if not digits.isdigit() or len(digits) > 10:
        raise RemoteProtocolError("Content-Length is not a number")
    length = int(digits)
    if length > MAX_BODY_BYTES:
        raise RemoteProtocolError(f"body of {length} bytes, limit {MAX_BODY_BYTES}")
    return length
