"""Where a linger notice ends: the one message in which FreeSWITCH prints a caller's bytes raw.

mod_event_socket.c (read_packet) formats the notice into 512 bytes with the channel's name as it is.
That name holds the user part of the caller's From address, decoded: ``%0D%0A`` becomes a line
break, so a caller can write header lines or whole messages into the stream (seen with 1.11.1). A
name over some 350 bytes would also cut off the empty line that ends the notice; mod_sofia stops at
255, other endpoints need not. So neither a line nor a length in the notice can be believed. But the
channel data that answered `connect` told the same name percent-encoded: the notice is known
beforehand, byte for byte, and is compared instead of parsed.
"""

from __future__ import annotations

import re
from typing import Final

from .errors import RemoteProtocolError

NOTICE_BYTES: Final = 511
"""`char disco_buf[512]` less its NUL: a longer notice is cut here, wherever that is."""

_START: Final = b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: "
_LINGER: Final = b"Content-Disposition: linger\n"
_NAME: Final = b"Channel-Name: "
_TAIL_PARTS: Final = (
    *(re.escape(char) for char in "\nLinger-Time: "),
    "-?[0-9]{0,10}",
    *(re.escape(char) for char in "\nContent-Length: 0\n\n"),
)
_TAIL: Final = re.compile("".join(_TAIL_PARTS).replace("{0,10}", "{1,10}").encode())
_ESCAPE: Final = re.compile(rb"(%[0-9A-F]{2})")


def _beginning_of(parts: tuple[str, ...]) -> str:
    """A pattern for every beginning of the sequence `parts`."""
    pattern = ""
    for part in reversed(parts):
        pattern = f"(?:{part}{pattern})?"
    return pattern


_TAIL_BEGUN: Final = re.compile(_beginning_of(_TAIL_PARTS).encode())


def fixed_part(data: bytes | bytearray) -> int | None:
    """Return the length of a linger notice's lines before the name; 0 if `data` is none.

    None: too little of it is here to tell.
    """
    if not data.startswith(_START):
        return None if data and _START.startswith(data) else 0
    line_end = data.find(b"\n", len(_START), NOTICE_BYTES)
    if line_end < 0:
        return None if len(data) < NOTICE_BYTES else 0
    at = line_end + 1
    if data.startswith(_LINGER, at):
        return at + len(_LINGER)
    return None if _LINGER.startswith(data[at:]) else 0


class LingerNotice:
    """The notice to come for one channel, made from its channel data."""

    def __init__(self, uuid: bytes, encoded_name: bytes) -> None:
        """`encoded_name` is the value of `Channel-Name` as `connect` was answered."""
        self._head = _START + uuid + b"\n" + _LINGER + _NAME
        self._name = [piece for piece in _ESCAPE.split(encoded_name) if piece]

    def length(self, data: bytes | bytearray) -> int | None:
        """Return how many bytes of `data` are the notice, or None while more must come.

        Raises:
            RemoteProtocolError: it is not the notice of this channel; where it ends is not known.
        """
        data = bytes(data[:NOTICE_BYTES])
        at = 0
        for piece in (self._head, *self._name):
            step = _match(data, at, piece)
            at += step
            if at == len(data):
                return NOTICE_BYTES if at == NOTICE_BYTES else None
        if found := _TAIL.match(data, at):
            return found.end()
        if not _TAIL_BEGUN.fullmatch(data, at):
            raise _not_ours()
        return NOTICE_BYTES if len(data) == NOTICE_BYTES else None


def _match(data: bytes, at: int, piece: bytes) -> int:
    """Return how many bytes at `at` are `piece`, which may be cut off by the end of `data`.

    switch_url_encode leaves an escape alone that was there before, so ``%0A`` in channel data
    stands for a line feed or for these three characters.
    """
    for form in (piece, *([bytes([int(piece[1:], 16)])] if _ESCAPE.fullmatch(piece) else [])):
        window = data[at : at + len(form)]
        if window == form or (at + len(window) == len(data) and form.startswith(window)):
            return len(window)
    raise _not_ours()


def _not_ours() -> RemoteProtocolError:
    return RemoteProtocolError("a disconnect notice that names another channel")
