"""Handler: the recording of a conversation, whole or in ranges, as browsers' players ask."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import gevent

from esl_controller.database.models import ConversationRealtime, Turn
from esl_controller.database.repository import conversations
from esl_controller.record.recordings import Recordings, Stored
from esl_controller.telemetry.background import in_thread
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.problems import Problem, not_found
from esl_controller.web.api.reply import Header, Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import RecordingView

PIECE_BYTES = 65_536
SEND_S = 30.0
"""A player that takes longer to take a piece is dropped."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg"}


def recording_of(row: ConversationRealtime, turns: list[Turn]) -> RecordingView | None:
    """What a page needs to play it; None when nothing was recorded and nobody was asked."""
    if row.recording_consent is None:
        return None
    began = row.recording_started_at
    return RecordingView(
        kept=bool(row.record_name),
        consent=row.recording_consent,
        started_at=began,
        offsets_ms=None if began is None else {t.turn_number: _offset(t, began) for t in turns},
    )


def _offset(turn: Turn, began: datetime) -> int:
    return max(0, round((turn.started_at - began).total_seconds() * 1000))


def play_recording(resources: Resources, request: Request) -> Reply:
    """The file, out of the folder of the domain in the path and no other."""
    domain_uuid, key = request.domain_uuid, request.path["conversation_uuid"]
    with resources.reading() as connection:
        row = conversations.find_conversation(connection, domain_uuid, key)
    if row is None:
        raise not_found("conversation")
    if not (row.record_path and row.record_name):
        raise not_found("recording")
    recordings = Recordings(resources.settings.freeswitch.recordings_dir)
    find = partial(recordings.find, request.domain_name)
    file = in_thread(find, Stored(row.record_path, row.record_name), OSError)
    if not isinstance(file, Path):
        raise not_found("recording on this host")
    return _sent(resources, file, request.byte_range)


def _sent(resources: Resources, file: Path, wanted: str) -> Reply:
    with ExitStack() as held:
        held.enter_context(resources.gates.through(Gate.PLAY))
        opened = in_thread(_open, file, OSError)
        if isinstance(opened, OSError):
            raise not_found("recording on this host")
        stream, size = opened
        held.callback(stream.close)
        first, last = byte_range(wanted, size)
        body = Pieces(stream, first, last + 1, held.pop_all())
    headers: list[Header] = [("Accept-Ranges", "bytes"), ("Content-Length", f"{last + 1 - first}")]
    status = HTTPStatus.OK
    if (first, last) != (0, size - 1):
        status = HTTPStatus.PARTIAL_CONTENT
        headers.append(("Content-Range", f"bytes {first}-{last}/{size}"))
    content_type = _TYPES.get(file.suffix.lower(), "application/octet-stream")
    return Reply(status, body, content_type, tuple(headers))


def _open(file: Path) -> tuple[BinaryIO, int]:
    """The file and its size."""
    stream = file.open("rb")
    return stream, os.fstat(stream.fileno()).st_size


def byte_range(wanted: str, size: int) -> tuple[int, int]:
    """First and last byte of a `Range` (RFC 9110 section 14.1.2); all for one we do not serve.

    Raises Problem 416 when nothing of it is there.
    """
    found = _RANGE.fullmatch(wanted)
    if found is None or found.group() == "bytes=-":
        return 0, size - 1
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    last = min(last, size - 1)
    if first > last:
        status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        header = ("Content-Range", f"bytes */{size}")
        raise Problem(status, "range-not-satisfiable", headers=[header])
    return first, last


class Pieces:
    """Bytes `first` to `end` of a file, read by a thread; `close` gives the file and place up."""

    def __init__(self, stream: BinaryIO, first: int, end: int, held: ExitStack) -> None:
        self._stream = stream
        self._at, self._end = first, end
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        """Piece by piece; each has its time to be taken."""
        gone = BrokenPipeError(errno.EPIPE, "player too slow")
        read: Callable[[int], bytes] = self._read
        while self._at < self._end:
            piece = in_thread(read, min(PIECE_BYTES, self._end - self._at), OSError)
            if isinstance(piece, OSError) or not piece:
                return  # the file was removed or cut: the player sees that less came
            self._at += len(piece)
            with gevent.Timeout(SEND_S, gone):
                yield piece

    def _read(self, size: int) -> bytes:
        self._stream.seek(self._at)
        return self._stream.read(size)

    def close(self) -> None:
        """Whoever sends it calls this at the end."""
        self._held.close()
