"""Messages between the bridge and a service of the speech process. Pure.

To a service that speaks go JSON objects: `{"say": number, "text": "…"}`, and `{"cancel": true}` for
everything that was asked for so far. Back come a letter, the number in four bytes, most significant
first, and what belongs to it: `A` audio, `D` done, `F` failed, with a text.

A service that hears voices is sent samples, and sends `S` (speech began) and `E` (it ended), with
the place in the audio in milliseconds instead of a number.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

import msgspec

from bridge.errors import RemoteProtocolError

MAX_TEXT_CHARS = 1000
MAX_WAITING = 32
"""Sentences a client may have asked for that are not spoken yet; it is let go with more."""
_HEAD = struct.Struct(">cI")


class Told(enum.Enum):
    """What a message of the process tells."""

    AUDIO = b"A"
    DONE = b"D"
    FAILED = b"F"
    STARTED = b"S"
    ENDED = b"E"


class Reply(NamedTuple):
    """A message of the process."""

    told: Told
    number: int
    """Of the sentence; of `STARTED` and `ENDED` the place in milliseconds."""
    data: bytes = b""


class Say(msgspec.Struct, frozen=True):
    """A sentence to be spoken."""

    number: int = msgspec.field(name="say")
    text: str = ""


class Cancel(msgspec.Struct, frozen=True):
    """Nothing asked for so far is wanted any more."""

    cancel: bool = True


class _Request(msgspec.Struct):
    say: int | None = None
    text: str = ""
    cancel: bool = False


def encode_request(request: Say | Cancel) -> bytes:
    """A request as a message."""
    return msgspec.json.encode(request)


def decode_request(data: bytes) -> Say | Cancel:
    """Raises `RemoteProtocolError` for anything else."""
    try:
        request = msgspec.json.decode(data, type=_Request)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"request to the speech process: {error}") from error
    if request.cancel:
        return Cancel()
    if request.say is None or not 0 <= request.say < 1 << 32:
        raise RemoteProtocolError("request to the speech process without a number")
    if len(request.text) > MAX_TEXT_CHARS:
        raise RemoteProtocolError(f"sentence of {len(request.text)} characters")
    return Say(request.say, request.text)


def encode_reply(told: Told, number: int, data: bytes = b"") -> bytes:
    """A reply as a message."""
    return _HEAD.pack(told.value, number) + data


def decode_reply(data: bytes) -> Reply:
    """Raises `RemoteProtocolError` for anything else."""
    try:
        letter, number = _HEAD.unpack_from(data)
        return Reply(Told(letter), number, data[_HEAD.size :])
    except (struct.error, ValueError) as error:
        raise RemoteProtocolError(f"speech process: {error}") from error
