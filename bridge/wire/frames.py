"""WebSocket frames (RFC 6455 section 5): bytes in, messages out; and the builders.

Handshakes are made by gevent-websocket and websocket-client; from then on every byte passes here.
Extensions are never negotiated, so a reserved bit is always a violation.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Final

from bridge.errors import LocalProtocolError, RemoteProtocolError
from bridge.wire.masking import apply_mask

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_STATUS: Final = 1005
"""The peer's Close named no code. Never sent."""
ABNORMAL: Final = 1006
"""The connection ended without a Close. Never sent."""
BAD_TEXT: Final = 1007
POLICY_VIOLATION: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
TRY_AGAIN_LATER: Final = 1013

MAX_CONTROL_BYTES: Final = 125
MAX_REASON_BYTES: Final = MAX_CONTROL_BYTES - 2

_FIN = 0x80
_FIN_TEXT = _FIN | TEXT
_WHOLE_DATA = (_FIN | BINARY, _FIN_TEXT)
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015)))

_pack_length16 = struct.Struct("!BBH").pack
_pack_length64 = struct.Struct("!BBQ").pack
_unpack_length64 = struct.Struct("!Q").unpack_from

Message = tuple[int, bytes]
"""Opcode and payload: a whole message (TEXT, BINARY) or a control frame (CLOSE, PING, PONG)."""


class Role(enum.Enum):
    """Which end we are; the client masks its frames (RFC 6455 section 5.1)."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """Limits on what a peer can make us buffer, and whether its text is checked."""

    max_message_bytes: int = 1 << 20
    """A whole message, all fragments together."""
    max_fragments: int = 1024
    validate_text: bool = True
    """Check that text is UTF-8. Off where a JSON decoder checks it anyway."""


class FrameParser:
    """Turns received bytes into messages.

    After a violation it stays failed: `failure` holds the error, and `receive_data` raises it.
    After a Close everything that follows is ignored (RFC 6455 section 1.4).
    """

    def __init__(self, role: Role, limits: FrameLimits) -> None:
        self.failure: RemoteProtocolError | None = None
        """What the peer did wrong; its `close_code` is for our Close."""
        self.closed = False
        """A Close was received."""
        self._limits = limits
        self._mask_bit = 0x80 if role is Role.SERVER else 0
        self._partial = bytearray()  # the start of a frame whose end has not come
        self._needed = 0  # bytes of it before looking again is worth while
        self._fragments: list[bytes] = []
        self._fragments_bytes = 0
        self._opcode = CONTINUATION  # of the fragmented message under way

    @property
    def buffered_bytes(self) -> int:
        """Bytes buffered of incomplete messages."""
        return len(self._partial) + self._fragments_bytes

    @property
    def at_boundary(self) -> bool:
        """The next byte begins a message."""
        ended = self.closed or self.failure is not None
        return not (ended or self._partial or self._opcode)

    def receive_data(self, data: bytes) -> list[Message]:
        """Take received bytes; return what they complete, in order.

        Raises `RemoteProtocolError` at a violation. Messages complete before it in the same call
        are returned first: then `failure` is set at once and the next call raises it.
        """
        if self.failure is not None:
            raise self.failure
        if self.closed:
            return []
        if self._partial:
            self._partial += data
            if len(self._partial) < self._needed:
                return []
            data = bytes(self._partial)
            self._partial.clear()
        messages: list[Message] = []
        try:
            self._parse(data, messages)
        except RemoteProtocolError as error:
            self._fail(error)
            if not messages:
                raise
        return messages

    def _fail(self, error: RemoteProtocolError) -> None:
        self.failure = error
        self._forget()

    def _forget(self) -> None:
        self._partial.clear()
        self._fragments.clear()
        self._fragments_bytes = 0

    def _parse(self, data: bytes, messages: list[Message]) -> None:
        """Append all complete messages of `data`; keep the rest. One pass, no per-byte work."""
        mask_bit = self._mask_bit
        key_bytes = 4 if mask_bit else 0
        max_bytes = self._limits.max_message_bytes
        size = len(data)
        position = 0
        needed = 2
        while size - position >= 2:
            first = data[position]
            length = data[position + 1] ^ mask_bit
            start = position + 2
            if length > 125:
                if length > 127:
                    raise self._wrong_masking()
                start += 2 if length == 126 else 8
                if size < start:
                    needed = start - position
                    break
                if length == 126:
                    length = data[position + 2] << 8 | data[position + 3]
                else:
                    (length,) = _unpack_length64(data, position + 2)
            plain = first in _WHOLE_DATA and not self._opcode
            if not plain:
                self._check_header(first, length)
            if length > max_bytes:
                raise _too_big(max_bytes)
            body = start + key_bytes
            end = body + length
            if end > size:
                needed = end - position
                break
            payload = data[body:end]
            if key_bytes:
                payload = apply_mask(payload, data[start:body])
            position = end
            if plain:
                if first == _FIN_TEXT and self._limits.validate_text:
                    _check_text(payload)
                messages.append((first & 0xF, payload))
            elif self._take(first, payload, messages):
                return
        if position < size:
            self._partial += data[position:] if position else data
            self._needed = needed

    def _wrong_masking(self) -> RemoteProtocolError:
        who = "client did not mask" if self._mask_bit else "server masked"
        return RemoteProtocolError(f"{who} a frame")

    def _check_header(self, first: int, length: int) -> None:
        """RFC 6455 sections 5.2, 5.4 and 5.5, before the payload has come."""
        opcode = first & 0xF
        if first & 0x70:
            raise RemoteProtocolError("reserved bit set without an extension")
        if opcode >= CLOSE:
            if opcode > PONG:
                raise RemoteProtocolError(f"unknown opcode {opcode}")
            if not first & _FIN:
                raise RemoteProtocolError("fragmented control frame")
            if length > MAX_CONTROL_BYTES:
                raise RemoteProtocolError("control frame too long")
        elif opcode == CONTINUATION:
            self._check_continuation(length)
        elif opcode > BINARY:
            raise RemoteProtocolError(f"unknown opcode {opcode}")
        elif self._opcode:
            raise RemoteProtocolError("new message inside a fragmented one")

    def _check_continuation(self, length: int) -> None:
        if not self._opcode:
            raise RemoteProtocolError("continuation of nothing")
        if len(self._fragments) >= self._limits.max_fragments:
            raise RemoteProtocolError("too many fragments", close_code=POLICY_VIOLATION)
        if self._fragments_bytes + length > self._limits.max_message_bytes:
            raise _too_big(self._limits.max_message_bytes)

    def _take(self, first: int, payload: bytes, messages: list[Message]) -> bool:
        """Handle a fragment or a control frame; True ends the parsing: it was a Close."""
        opcode = first & 0xF
        if opcode < CLOSE:
            self._take_fragment(first, payload, messages)
            return False
        if opcode == CLOSE:
            decode_close(payload)
            self.closed = True
            self._forget()
        messages.append((opcode, payload))
        return self.closed

    def _take_fragment(self, first: int, payload: bytes, messages: list[Message]) -> None:
        self._opcode = self._opcode or first & 0xF
        self._fragments.append(payload)
        self._fragments_bytes += len(payload)
        if not first & _FIN:
            return
        opcode, whole = self._opcode, b"".join(self._fragments)
        self._opcode = CONTINUATION
        self._fragments.clear()
        self._fragments_bytes = 0
        if opcode == TEXT and self._limits.validate_text:
            _check_text(whole)
        messages.append((opcode, whole))


def _too_big(limit: int) -> RemoteProtocolError:
    return RemoteProtocolError(f"message over {limit} bytes", close_code=TOO_BIG)


def _check_text(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError("text is not UTF-8", close_code=BAD_TEXT) from None


def server_frame(opcode: int, payload: bytes) -> bytes:
    """One final, unmasked frame, as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, size)) + payload
    if size < 0x10000:
        return _pack_length16(_FIN | opcode, 126, size) + payload
    return _pack_length64(_FIN | opcode, 127, size) + payload


def client_frame(opcode: int, payload: bytes, mask_key: bytes) -> bytes:
    """One final, masked frame, as a client sends it. `mask_key`: four unpredictable bytes."""
    size = len(payload)
    if size < 126:
        head = bytes((_FIN | opcode, 0x80 | size))
    elif size < 0x10000:
        head = _pack_length16(_FIN | opcode, 0x80 | 126, size)
    else:
        head = _pack_length64(_FIN | opcode, 0x80 | 127, size)
    return head + mask_key + apply_mask(payload, mask_key)


def encode_close(code: int, reason: str = "") -> bytes:
    """Payload of a Close (RFC 6455 section 5.5.1); a long reason is cut between characters.

    Raises `LocalProtocolError` for a code that may not be sent.
    """
    if not _may_be_sent(code):
        raise LocalProtocolError(f"close code {code} may not be sent")
    cut = reason.encode("utf-8", "replace")[:MAX_REASON_BYTES]
    return code.to_bytes(2, "big") + cut.decode("utf-8", "ignore").encode()


def decode_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a Close payload; `NO_STATUS` when it is empty.

    Raises `RemoteProtocolError` for one byte, a code that may not be sent or a bad reason.
    """
    if not payload:
        return NO_STATUS, ""
    if len(payload) == 1:
        raise RemoteProtocolError("close payload of one byte")
    code = int.from_bytes(payload[:2], "big")
    if not _may_be_sent(code):
        raise RemoteProtocolError(f"close code {code} may not be sent")
    _check_text(payload[2:])
    return code, payload[2:].decode()


def _may_be_sent(code: int) -> bool:
    """RFC 6455 section 7.4 and the IANA registry of close codes."""
    return code in _CLOSE_CODES or 3000 <= code <= 4999
