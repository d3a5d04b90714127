"""How a sentence went on after a pause in its middle: what of it was heard twice, what never."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from bridge.audio.formats import AudioFormat
from tests.integration.rtp import Packet, from_wire

_HOP_MS = 10
_QUIET = 200
_GAP_MS = 200
"""Without packets for so long the telephone is silent; less is an uneven network."""
_SURE_MS = 40
"""So much sound has one place in the sentence, near the one expected."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The longest one."""

    from_at: float
    """Arrival of the last sound before it, its end."""
    silent_ms: float
    twice_ms: float
    """Of the sentence, heard before it and again behind it; below 0: lost."""


def pause(packets: Sequence[Packet], audio_format: AudioFormat, wanted: bytes) -> Pause:
    """Find it in what was heard of `wanted`, 16-bit PCM.

    Sound that was faded is not what is looked for: next to the pause it is taken to go on evenly.
    Raises `ValueError` when something else was heard.
    """
    pieces = _with_gaps(packets, audio_format)
    ends = list(accumulate(len(piece) // 2 for piece in pieces))
    heard, sentence = (np.frombuffer(data, "<i2") for data in (b"".join(pieces), wanted))
    per_ms = audio_format.rate_hz // 1000
    begin, end = _silence(heard, _HOP_MS * per_ms)
    sure = _SURE_MS * per_ms
    loud = int(np.flatnonzero(np.abs(heard) >= _QUIET)[0])
    first = loud - int(np.flatnonzero(np.abs(sentence) >= _QUIET)[0])
    place, before = _near(heard, sentence, range(begin - sure, first, -per_ms), sure, -first)
    reached = before + begin - place
    place, behind = _near(heard, sentence, range(end, end + 8 * sure, per_ms), sure, reached - end)
    went_on = behind - (place - end)
    packet = packets[int(np.searchsorted(ends, begin))]
    return Pause(packet.at, (end - begin) / per_ms, (reached - went_on) / per_ms)


def _with_gaps(packets: Sequence[Packet], audio_format: AudioFormat) -> list[bytes]:
    """What each brought, behind the silence of the time in which none came."""
    pieces, at = [], packets[0].at
    for packet in packets:
        late_ms = int((packet.at - at) * 1000) // _HOP_MS * _HOP_MS
        gap = bytes(audio_format.rate_hz // 1000 * 2 * late_ms) if late_ms >= _GAP_MS else b""
        data = from_wire(packet, audio_format)
        pieces.append(gap + data)
        at = packet.at + len(data) / 2 / audio_format.rate_hz
    return pieces


def _silence(heard: np.ndarray, hop: int) -> tuple[int, int]:
    """The longest one between two sounds, to the sample."""
    loud = np.flatnonzero(np.abs(heard) >= _QUIET)
    longest = int(np.argmax(np.diff(loud)))
    return int(loud[longest]) + 1, int(loud[longest + 1])


def _near(
    heard: np.ndarray, sentence: np.ndarray, places: range, count: int, shift: int
) -> tuple[int, int]:
    """The first of some places whose sound is in the sentence, and where: nearest to expected."""
    data = sentence.tobytes()
    for place in places:
        part = heard[place : place + count].tobytes()
        found, at = [], data.find(part)
        while at >= 0:
            found += [at // 2] if at % 2 == 0 else []
            at = data.find(part, at + 1)
        if found:
            return place, min(found, key=lambda one: abs(one - (place + shift)))
    raise ValueError("something else was heard")
