"""A caller's turns in words: Silero finds the voice, a recogniser the words, both the turn's end.

What is not voice is never recognised: a caller who listens costs Silero's share alone.
"""

from __future__ import annotations

import logging
from collections import deque

from bridge.speech.messages import Reply, Told
from bridge.speech.service import Recogniser, SpeechFailed
from bridge.speech.silero import Silero
from bridge.speech.turn_end import silence_needed_ms

_log = logging.getLogger("bridge.speech")

PAUSE_MS = 96
"""Silence after which the end of a turn is thought of."""
BEFORE_MS = 320
"""Recognised from before where the voice was noticed."""
MAX_TURN_MS = 60_000
"""A longer one is ended: a recogniser's memory of it grows."""
MAX_TEXT_BYTES = 4000
PIECE_MS = 40


class Listening:
    """An `Ear` that understands."""

    def __init__(
        self,
        voice: Silero,
        recogniser: Recogniser,
        *,
        silence_ms: int,
        language: str = "en",
    ) -> None:
        self._voice = voice
        self._recogniser = recogniser
        self._silence_ms = silence_ms
        self._language = language
        self._piece_bytes = voice.rate_hz * PIECE_MS // 1000 * 2
        self._before: deque[bytes] = deque(maxlen=BEFORE_MS // PIECE_MS)
        self._rest = b""
        self._in_turn = False
        self._began_ms = 0
        self._quiet_from_ms: int | None = None
        """Where the voice paused; None: it is heard."""
        self._text = ""

    def hear(self, data: bytes) -> list[Reply]:
        """Take 16-bit samples."""
        data = self._rest + data
        size = self._piece_bytes
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        told: list[Reply] = []
        for begin in range(0, whole, size):
            told += self._piece(data[begin : begin + size])
        return told

    def close(self) -> None:
        """The caller has left."""
        self._recogniser.close()

    def _piece(self, piece: bytes) -> list[Reply]:
        told = [reply for change in self._voice.hear(piece) for reply in self._changed(change)]
        if not self._in_turn:
            self._before.append(piece)
            return told
        told += self._recognise(piece)
        return told + self._end_if_over()

    def _changed(self, change: Reply) -> list[Reply]:
        if change.told is Told.ENDED:
            self._quiet_from_ms = change.number
            return []
        self._quiet_from_ms = None
        if self._in_turn:
            return []
        self._in_turn, self._began_ms, self._text = True, change.number, ""
        self._recogniser.begin()
        before = b"".join(self._before)
        self._before.clear()
        return [change, *self._recognise(before)]

    def _recognise(self, samples: bytes) -> list[Reply]:
        text = self._recogniser.feed(samples) if samples else self._text
        if text == self._text:
            return []
        self._text = text
        return [Reply(Told.PARTIAL, self._voice.at_ms, _bytes(text))]

    def _end_if_over(self) -> list[Reply]:
        at_ms, quiet_ms = self._voice.at_ms, self._quiet_from_ms
        needed_ms = silence_needed_ms(self._text, self._language, self._silence_ms)
        long_quiet = quiet_ms is not None and at_ms - quiet_ms >= needed_ms
        if not long_quiet and at_ms - self._began_ms < MAX_TURN_MS:
            return []
        self._in_turn = False
        try:
            text = self._recogniser.finish().strip()
        except SpeechFailed as error:
            _log.warning("a turn's end is not understood: %s", error)
            text = self._text
        return [Reply(Told.TURN, at_ms if quiet_ms is None else quiet_ms, _bytes(text))]


def _bytes(text: str) -> bytes:
    return text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore").encode()
