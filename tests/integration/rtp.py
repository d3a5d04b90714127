"""RTP of a telephone: packets, what it sends each 20 ms, and how exact what it got is. Pure."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from bridge.audio.formats import FRAME_MS, AudioFormat
from tests.integration.wire_codecs import Codec, Plain, WireCodec

DIGITS = "0123456789*#"
DIGIT_FRAMES = 6
_COMFORT_NOISE, _NOISE, _NOISE_EVERY = 13, b"\x40", 10
"""Payload type, a level of -64 dBov (RFC 3389 3), and in how many packets of silence one is it."""
_HEADER = struct.Struct("!BBHII")
_SSRC = 0x5EED
_REACH_MS = 500
"""Sound that was held up for longer than this counts as lost."""
_SURE = 3
"""So many frames in a row are the ones that are looked for."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A received one; `at` is its monotonic second of arrival."""

    at: float
    sequence: int
    timestamp: int
    payload_type: int
    payload: bytes
    pcm: bytes = b""
    """16-bit PCM, of codecs that only their decoder understands."""


def parse(data: bytes, at: float) -> Packet:
    """A packet without list of sources, extension and padding. Raises `ValueError` for others."""
    if len(data) < _HEADER.size or data[0] != 0x80:
        raise ValueError(f"no plain RTP: {data[:12]!r}")
    _, kind, sequence, timestamp, _ = _HEADER.unpack_from(data)
    return Packet(at, sequence, timestamp, kind & 0x7F, data[_HEADER.size :])


def from_wire(packet: Packet, audio_format: AudioFormat) -> bytes:
    """16-bit PCM."""
    return packet.pcm or Plain(audio_format.encoding).decode(packet.payload)


class Mouth:
    """What the telephone sends: silence, unless it was told to say or press something."""

    def __init__(
        self,
        codec: Codec,
        payload_type: int,
        digits: tuple[int, int] | None = None,
        ptime_ms: int = FRAME_MS,
    ) -> None:
        """`digits`: payload type and clock rate of RFC 4733 digits."""
        self.ptime_ms = ptime_ms
        self.pauses = False
        """Nothing is sent in silence (RFC 3389: discontinuous transmission)."""
        self.comfort = False
        """The same, but for comfort noise."""
        self._silent = 0
        """Packets of silence in a row."""
        self._digits = digits
        self._speak(codec, payload_type)
        self._audio = b""
        self._keys: deque[tuple[int, int]] = deque()
        self._sequence = self._timestamp = self._began = 0

    def say(self, frames: Sequence[bytes]) -> None:
        """Speak 16-bit PCM."""
        self._audio += b"".join(frames)

    def change(self, codec: Codec, payload_type: int, ptime_ms: int) -> None:
        """Go on in another codec; what was still to be said is not."""
        self.ptime_ms, self._audio = ptime_ms, b""
        self._speak(codec, payload_type)

    def _speak(self, codec: Codec, payload_type: int) -> None:
        self._wire: WireCodec = codec.make()
        self._type = payload_type
        self._ticks = codec.clock_hz * self.ptime_ms // 1000
        self._silence = bytes(codec.format.rate_hz * self.ptime_ms // 1000 * 2)

    def press(self, digits: str) -> None:
        """Press keys, 120 ms each with 60 ms between. Raises `ValueError`."""
        if self._digits is None:
            raise ValueError("the caller takes no digits")
        for digit in digits:
            key = DIGITS.index(digit)
            self._keys.extend((key, step) for step in range(1, DIGIT_FRAMES + 4))

    def tick(self) -> list[bytes]:
        """Packets of the next `ptime_ms`."""
        key, step = self._keys.popleft() if self._keys else (0, DIGIT_FRAMES + 1)
        packets = self._digit(key, step) if step <= DIGIT_FRAMES else self._voice()
        self._timestamp += self._ticks
        return packets

    def _voice(self) -> list[bytes]:
        size = len(self._silence)
        pcm, self._audio = self._audio[:size], self._audio[size:]
        if not pcm and self.comfort:
            self._silent += 1
            noise = self._packet(_COMFORT_NOISE, self._timestamp, _NOISE)
            return [noise] if self._silent % _NOISE_EVERY == 1 else []
        self._silent = 0
        if not pcm and self.pauses:
            return []
        payload = self._wire.encode(pcm + self._silence[len(pcm) :])
        return [self._packet(self._type, self._timestamp, payload)]

    def _digit(self, key: int, step: int) -> list[bytes]:
        """All packets of a digit have the timestamp of its begin; the last goes three times."""
        assert self._digits is not None
        payload_type, rate_hz = self._digits
        if step == 1:
            self._began = self._timestamp
            payload_type |= 0x80
        is_last = step == DIGIT_FRAMES
        event = struct.pack(
            "!BBH", key, 0x8A if is_last else 0x0A, step * rate_hz * self.ptime_ms // 1000
        )
        count = 3 if is_last else 1
        return [self._packet(payload_type, self._began, event) for _ in range(count)]

    def _packet(self, kind: int, timestamp: int, payload: bytes) -> bytes:
        self._sequence = self._sequence + 1 & 0xFFFF
        return _HEADER.pack(0x80, kind, self._sequence, timestamp & 0xFFFFFFFF, _SSRC) + payload


@dataclass(frozen=True, slots=True)
class Match:
    """Where something that should be heard was found in what was received."""

    exact_ms: float
    """So much of it came sample by sample."""
    wanted_ms: float
    inserted_ms: float
    """What lies between its first and last sample and is not of it."""
    largest_gap_ms: float
    """Longest time between two packets of it."""
    last_at: float
    """Arrival of its last packet."""

    @property
    def whole(self) -> bool:
        """Nothing lost and nothing changed."""
        return self.exact_ms == self.wanted_ms


def lost(packets: Sequence[Packet]) -> int:
    """Places where the sequence number does not go on by one."""
    return sum((b.sequence - a.sequence) & 0xFFFF != 1 for a, b in pairwise(packets))


def match(
    packets: Sequence[Packet], audio_format: AudioFormat, wanted: bytes, after: float = 0.0
) -> Match:
    """Look for 16-bit PCM in what came after a moment, in blocks of 20 ms, in order."""
    packets = [packet for packet in packets if packet.at > after]
    pieces = [from_wire(packet, audio_format) for packet in packets]
    ends = list(accumulate(len(piece) for piece in pieces))
    heard, per_ms = b"".join(pieces), audio_format.rate_hz * 2 / 1000
    block = round(FRAME_MS * per_ms)
    exact, begin, place = 0, -1, 0
    for at in range(0, len(wanted), block):
        part = wanted[at : at + block]
        # Hum and vowels repeat themselves: sound is taken up again where more of it follows.
        more = part if heard.startswith(part, place) else wanted[at : at + _SURE * block]
        until = len(heard) if begin < 0 else place + len(more) + round(_REACH_MS * per_ms)
        found = _find(heard, more, place, until)
        if found >= 0:
            begin = found if begin < 0 else begin
            exact += len(part)
            place = found + len(part)
    if begin < 0:
        return Match(0.0, len(wanted) / per_ms, 0.0, 0.0, after)
    span = packets[bisect_right(ends, begin) : bisect_right(ends, place - 1) + 1]
    gaps = [(b.at - a.at) * 1000 for a, b in pairwise(span)]
    inserted = place - begin - exact
    return Match(
        exact / per_ms,
        len(wanted) / per_ms,
        inserted / per_ms,
        max(gaps, default=0.0),
        span[-1].at,
    )


def _find(heard: bytes, part: bytes, begin: int, end: int) -> int:
    """Place of whole samples; -1 if they are not there."""
    found = heard.find(part, begin, end)
    while found >= 0 and found % 2:
        found = heard.find(part, found + 1, end)
    return found
