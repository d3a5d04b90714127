"""The short way of the caller's audio does what the long one does, for any bytes cut anywhere."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from gevent import socket
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K, L16_16K, PCMA_8K, PCMU_8K, AudioFormat
from bridge.audio.pacer import Pacer
from bridge.errors import RemoteProtocolError
from bridge.providers.actions import Send
from bridge.session.line import Line
from bridge.session.media_plan import MediaPlan
from bridge.session.plain_uplink import PlainUplink
from bridge.session_manager import _Stream
from bridge.wire.frames import BINARY, PING, TEXT, FrameLimits, FrameParser, Role, client_frame
from bridge.wire.link import LinkLimits, WebSocketLink
from tests.unit.providers.openai_kit import conversation, ready_provider

FORMATS = (L16_8K, L16_16K, PCMU_8K, PCMA_8K)


class Seat:
    """One provider's protocol, and what went out to it, whichever way."""

    def __init__(self) -> None:
        self.protocol = ready_provider(conversation(PCMU_8K))
        self.messages: list[tuple[int, bytes]] = []
        self.there = True
        self.by_the_short_way = 0
        self.shape = self.protocol.audio_shape
        self.next_key = lambda: b"mask"

    def send_audio(self, data: bytes) -> None:
        self.protocol.send_audio(data)
        for action in self.protocol.actions():
            assert isinstance(action, Send)
            self.messages.append((BINARY if action.binary else TEXT, action.data))

    def audio_way(self) -> Seat | None:
        return self if self.usable else None

    @property
    def usable(self) -> bool:
        return self.there

    def sent(self, audio_bytes: int) -> None:
        self.protocol.audio_sent(audio_bytes)

    def send(self, frame: bytes) -> bool:
        self.by_the_short_way += 1
        self.messages += FrameParser(Role.SERVER, FrameLimits()).receive_data(frame)
        return True


class Caller:
    """A caller's link, his uplink and a provider; `plain`: reads are offered to the short way."""

    def __init__(self, *, plain: bool, max_message_bytes: int = 1 << 20) -> None:
        self.seat = Seat()
        self.voices: list[float] = []
        self.pieces: list[bytes] = []
        self.texts: list[bytes] = []
        self.doubts: list[float] = []
        self.now = 100.0
        self.on_voice: Callable[[], None] = lambda: None
        nobody: Any = None
        self.line = Line(
            Pacer(),
            nobody,
            send_audio=self.seat.send_audio,
            on_voice=self._voice,
            on_doubt=self.doubts.append,
            clock=lambda: self.now,
        )
        self.attach(L16_8K)
        self.uplink = self.line.uplink
        self.uplink.listen(PCMU_8K)
        self.uplink.open()
        session: Any = SimpleNamespace(receive_audio=self.line.receive)
        owner: Any = SimpleNamespace(stream_text=self.texts.append)
        ours, self.far = socket.socketpair()
        self.link = WebSocketLink(
            ours,
            role=Role.SERVER,
            on_messages=_Stream(session, owner).on_messages,
            on_closed=lambda info: None,
            limits=LinkLimits(FrameLimits(max_message_bytes=max_message_bytes)),
        )
        if plain:
            self.link.offer_reads(PlainUplink(self.line, self.seat).receive)

    def attach(self, stream: AudioFormat) -> None:
        self.line.attach(MediaPlan(stream, L16_8K), None, 0, self.now)

    def _voice(self, now: float) -> None:
        self.voices.append(now)
        self.on_voice()

    def read(self, data: bytes) -> None:
        self.now += 0.02
        if self.link.is_open:
            self.link._on_data(data)

    def play(self, level: int) -> None:
        """What the caller hears, and what comes back of it."""
        self.line.echo.levels.played(level.to_bytes(2, "little") * 160, 8000, self.now + 0.02)

    def activity(self) -> tuple[Any, ...]:
        ear = self.line.ear.activity
        if ear is None:
            return ()
        return ear.active, ear.loud_ms, ear.voiced_ms, ear.quiet_ms, ear.since_ms

    def told(self) -> dict[str, Any]:
        """All that can be seen of it."""
        uplink, link, parser = self.uplink, self.link, self.link._parser
        return {
            "sent": self.seat.messages,
            "voices": (self.voices, self.activity(), self.line.echo.levels.lately(25)),
            "pieces": (self.pieces, self.doubts),
            "texts": self.texts,
            "kept": (len(uplink.kept), bytes(uplink._held)),
            "carry": uplink.carry,
            "counters": uplink.counters,
            "billed": self.seat.protocol._uncommitted_bytes,
            "link": (link.frames_in, link.frames_out, link.dropped, link.is_open),
            "parser": (parser.buffered_bytes, str(parser.failure), parser.closed),
        }

    def close(self) -> None:
        self.link.abort()
        self.far.close()


VOICE = b"".join(
    (8000 if (n // 27) % 2 else -8000).to_bytes(2, "little", signed=True) for n in range(160 * 40)
)
"""148 Hz, as loud as a voice."""


def sound(rng: random.Random, number: int) -> bytes:
    size = rng.choice((0, 1, 160, 320, 320, 320, 320, 321, 640))
    kind = rng.random()
    if kind < 0.6:
        return VOICE[number * 320 :][:size]
    return bytes(size) if kind < 0.8 else rng.randbytes(size)


def stream(rng: random.Random) -> bytes:
    """What a switch may send, and what it may not."""
    opcodes = [BINARY] * 12 + [TEXT, PING]
    frames = []
    for number in range(rng.randrange(1, 30)):
        opcode = rng.choice(opcodes)
        payload = sound(rng, number) if opcode == BINARY else b"{}"
        frames.append(bytearray(client_frame(opcode, payload, rng.randbytes(4))))
    if rng.random() < 0.3:
        frame = rng.choice(frames)
        frame[rng.randrange(2)] ^= 1 << rng.randrange(8)
    return b"".join(frames)


def changes(rng: random.Random) -> Callable[[Caller], None]:
    """Something else that happens to a call, now and then."""
    fmt: AudioFormat = rng.choice(FORMATS)
    level = rng.randrange(20_000)
    return rng.choice(
        [
            lambda caller: caller.uplink.shut(),
            lambda caller: caller.uplink.shut(forget=True),
            lambda caller: caller.uplink.open(),
            lambda caller: caller.uplink.listen(fmt),
            lambda caller: caller.line.detach(),
            lambda caller: caller.attach(L16_16K if fmt == L16_16K else L16_8K),
            lambda caller: caller.play(level),
            lambda caller: caller.line.echo.levels.expect(0.5, level % 3),
            lambda caller: setattr(caller.line, "on_heard", caller.pieces.append),
            lambda caller: setattr(caller.line, "on_heard", None),
            lambda caller: setattr(caller.line, "on_piece", caller.doubts.append),
            lambda caller: setattr(caller.line, "on_piece", None),
            lambda caller: caller.uplink.turn_began(),
            lambda caller: caller.uplink.turn_over(),
            lambda caller: setattr(caller.uplink, "muted", not caller.uplink.muted),
            lambda caller: setattr(caller.seat, "there", not caller.seat.there),
        ]
    )


@settings(max_examples=250)
@given(st.integers(0, 1 << 32), st.booleans())
def test_any_bytes_cut_anywhere_come_to_the_same(seed: int, whole_frames: bool) -> None:
    rng = random.Random(seed)
    long, short = Caller(plain=False), Caller(plain=True)
    data = stream(rng)
    steps: list[Any] = []
    while data:
        size = rng.choice((326, 328, 328, 656) if whole_frames else (1, 5, 100, 328, 700, 5000))
        steps.append(data[:size])
        data = data[size:]
        if rng.random() < 0.15:
            steps.append(changes(rng))
    for step in steps:
        for caller in (long, short):
            caller.read(step) if isinstance(step, bytes) else step(caller)
        assert short.told() == long.told()
    long.close()
    short.close()


@pytest.fixture
def caller():
    made = Caller(plain=True)
    yield made
    made.close()


def frame(audio: bytes) -> bytes:
    return client_frame(BINARY, audio, b"\x11\x22\x33\x44")


def test_plain_audio_goes_the_short_way(caller) -> None:
    for _ in range(3):
        caller.read(frame(b"\x01\x02" * 160))
    assert caller.seat.by_the_short_way == len(caller.seat.messages) == 3


def test_who_hears_a_voice_begin_may_change_everything_at_once(caller) -> None:
    """The session may be held, or without its provider, the moment after."""
    caller.on_voice = caller.uplink.shut
    frames = [VOICE[at : at + 320] for at in range(0, 6400, 320)]
    until_heard = 0
    while not caller.voices:
        caller.read(frame(frames[until_heard]))
        until_heard += 1
    assert len(caller.seat.messages) == until_heard - 1
    assert bytes(caller.uplink._held) == frames[until_heard - 1]
    caller.uplink.open()
    assert len(caller.seat.messages) == until_heard
    caller.read(frame(frames[until_heard]))
    assert caller.seat.by_the_short_way == until_heard


def test_whoever_listens_besides_is_given_each_piece(caller) -> None:
    caller.read(frame(VOICE[:320]))
    caller.line.on_heard = caller.pieces.append
    caller.read(frame(VOICE[320:640]))
    caller.line.on_heard = None
    caller.read(frame(VOICE[640:960]))
    assert caller.pieces == [VOICE[320:640]]
    assert (len(caller.seat.messages), caller.seat.by_the_short_way) == (3, 2)


def test_an_error_of_ours_ends_this_link_only(caller, caplog) -> None:
    def fail() -> None:
        raise RuntimeError("ours")

    caller.on_voice = fail
    for at in range(0, 12_800, 320):
        caller.read(frame(VOICE[at : at + 320]))
    assert not caller.link.is_open
    assert "message handler failed" in caplog.text


def test_a_link_with_a_small_limit_is_not_offered() -> None:
    caller = Caller(plain=True, max_message_bytes=100)
    caller.read(frame(bytes(320)))
    assert isinstance(caller.link._parser.failure, RemoteProtocolError)
    caller.close()
