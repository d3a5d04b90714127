"""Messages between the bridge and a service of the speech process. Pure.

To a service that speaks go JSON objects: `{"say": number, "text": "…"}`, and `{"cancel": true}` for
everything that was asked for so far. Back come a letter, the number in four bytes, most significant
first, and what belongs to it: `A` audio, `D` done, `F` failed, with a text.

A service that hears is sent samples, and sends `S` (a voice began) and `E` (it ended), with the
place in the audio in milliseconds instead of a number. One that understands words sends `P`, the
words so far, and instead of `E` sends `T`: the turn is over, with all its words.

`status` answers any text with a `Status`.
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
EXIT_RUNNING = 3
"""How a process ends that was to be the only one, and is not."""
_HEAD = struct.Struct(">cI")


class Told(enum.Enum):
    """What a message of the process tells."""

    AUDIO = b"A"
    DONE = b"D"
    FAILED = b"F"
    STARTED = b"S"
    ENDED = b"E"
    PARTIAL = b"P"
    TURN = b"T"


class Reply(NamedTuple):
    """A message of the process."""

    told: Told
    number: int
    """Of the sentence; of what was heard the place in milliseconds."""
    data: bytes = b""


class Say(msgspec.Struct, frozen=True):
    """A sentence to be spoken."""

    number: int = msgspec.field(name="say")
    text: str = ""


class Cancel(msgspec.Struct, frozen=True):
    """Nothing asked for so far is wanted any more."""

    cancel: bool = True


class Status(msgspec.Struct, frozen=True):
    """How the process does; the counters are of what the asking program's own clients did."""

    pid: int
    cpu_s: float
    """Used by it and by the programs it ran."""
    clients: int
    programs: int
    """Workers, and others, that have a client there."""
    waiting: int
    """Sentences nobody has begun with, and pieces of callers' audio nobody has looked at."""
    sentences: int = 0
    cancelled: int = 0
    failed: int = 0
    refused: int = 0
    turns: int = 0
    dropped_audio_ms: int = 0
    """Of callers, because recognition could not keep up."""
    first_sound_s: list[float] = []
    """From a sentence's request to its first sound, for each since the last status."""
    recognition_s: list[float] = []
    """From the end of a turn's silence to its words, for each since the last status."""


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


def decode_status(data: bytes) -> Status:
    """Raises `RemoteProtocolError` for anything else."""
    try:
        return msgspec.json.decode(data, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"status of the speech process: {error}") from error
