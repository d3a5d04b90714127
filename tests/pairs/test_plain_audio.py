"""The short way of an answer's audio comes to the same as the long one: the same heard, told, sent
and counted, for any messages in any order, however their bytes are cut."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock, patch

import gevent
import pybase64
import pytest
from gevent import socket
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.pacer import Pacer
from bridge.playout.base import PlayoutSinks
from bridge.playout.registry import make_playout
from bridge.providers import base as p
from bridge.providers.conversation import Brief
from bridge.providers.elevenlabs.agent import ElevenLabsAgent
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.providers.gemini.config import GeminiLiveConfig
from bridge.providers.gemini.live import GeminiLive
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.session.candidates import Candidate
from bridge.session.config import SessionConfig
from bridge.session.media_plan import (
    Leg,
    MediaPath,
    PlayoutChoice,
    PlayoutMode,
    choose_formats,
    provider_formats,
)
from bridge.session.session import Session
from bridge.wire.client_handshake import Opened
from bridge.wire.frames import FrameLimits, FrameParser, Role, server_frame
from tests.unit.bridge.session_kit import PHRASES

LEGS = (Leg("PCMU", 8000), Leg("L16", 16000))
VOICE = bytes(random.Random(7).choices(range(1, 120), k=9600))


class Told:
    """Writes down all that a session tells."""

    def __init__(self) -> None:
        self.all: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given, **named: self.all.append((name, (given, named)))


class Call:
    """A real session, host and protocol; `short`: its reads may take the short way."""

    def __init__(self, make: Callable[[], Any], leg: Leg, *, short: bool) -> None:
        self.now, self.pacer, self.told = 100.0, Pacer(), Told()
        self.taken = 0
        self.heard: list[tuple[float, bytes]] = []
        near, self.far = socket.socketpair()
        self._parser = FrameParser(Role.SERVER, FrameLimits())

        def made() -> Any:
            protocol = make()
            receive_audio = protocol.receive_audio

            def counted(*given: Any) -> p.Pieces:
                pieces: p.Pieces = receive_audio(*given) if short else p.NO_PIECES
                self.taken += pieces.taken
                return pieces

            protocol.receive_audio = counted
            return protocol

        listener: Any = self.told
        self.session = Session(
            "domain",
            "call",
            SessionConfig(
                [Candidate("p", "kind", made)],
                Brief(greeting="Good morning."),
                PHRASES,
                lambda can: provider_formats(leg, can),
            ),
            listener,
            pacer=self.pacer,
            clock=lambda: self.now,
        )
        with patch(
            "bridge.wire.websocket_channel.open_websocket", lambda *_, **__: Opened(near, b"")
        ):
            self.session.prepare()
            gevent.sleep(0)
            gevent.sleep(0)
        connection = self.session._seat._now
        assert connection is not None
        self.host = connection.host
        self.protocol: Any = self.host.protocol
        assert self.host._websocket is not None
        link = self.host._websocket.link
        assert link is not None
        self.link = link
        if not short:
            link._take_plain = None
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        plan = choose_formats(leg, [8000], choice, media=MediaPath.UNICAST)
        sinks = PlayoutSinks(send_datagram=lambda data: self.heard.append((self.now, data)))
        self._playout = make_playout(choice.mode, choice.flavour, plan.playout_format, sinks)
        self._plan = plan

    def join(self) -> None:
        self.session.attach_media(self._plan, self._playout)

    def read(self, data: bytes, cuts: list[int]) -> None:
        for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            if self.link.is_open and end > begin:
                self.link._on_data(data[begin:end])

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.pacer.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.pacer.tick(self.now)
        self.now = until
        self.session.tick(self.now)
        if not self.host.is_over:
            self.host._guarded(self.host._on_timer)
        gevent.sleep(0)

    def sent(self) -> list[Any]:
        data = b""
        self.far.setblocking(False)
        try:
            while piece := self.far.recv(1 << 20):
                data += piece
        except BlockingIOError:
            pass
        return [one for one in self._parser.receive_data(data) if one[0] < 8]

    def seen(self) -> dict[str, Any]:
        state, session, host = self.protocol.state, self.session, self.host
        return {
            "heard": self.heard,
            "told": self.told.all,
            "sent": self.sent(),
            "host": (host.messages_in, host.dropped, host.is_over),
            "events": session._seat.events_in,
            "malformed": state.malformed_messages,
            "downlink": session.line.downlink.counters,
            "playout": self._playout and session.line.downlink.newest,
            "link": (self.link.frames_in, self.link.is_open),
            "deadline": self.protocol.next_deadline(),
            "state": (session.state, session._floor.state, session._floor.response_id),
            "depth": session.line.downlink.waiting_ms,
        }

    def close(self) -> None:
        self.session._seat.stop()
        self.far.close()
        gevent.sleep(0)


def sound(rng: random.Random, *, silent: bytes = b"\0") -> str:
    size = rng.choice((1, 2, 160, 800, 800, 800, 4800))
    data = silent * size if rng.random() < 0.15 else VOICE[: size + size % 2]
    return pybase64.b64encode(data[: size + (size % 2 if rng.random() < 0.9 else 0)]).decode()


def openai(rng: random.Random) -> Iterator[dict[str, Any]]:
    yield {"type": "session.created", "session": {"id": "s"}}
    yield {"type": "session.updated", "session": {"id": "s"}}
    number, delta = 0, "response.output_audio.delta"
    while True:
        running = {"response_id": f"r{number}", "item_id": f"i{number}", "content_index": 0}
        kind = rng.random()
        if kind < 0.6:
            yield {"type": delta, **running, "delta": sound(rng, silent=b"\xff")}
        elif kind < 0.7:
            yield {"type": "response.output_audio_transcript.delta", **running, "delta": "so"}
        elif kind < 0.78:
            number += 1
            yield {"type": "response.created", "response": {"id": f"r{number}"}}
        else:
            yield rng.choice(
                (
                    {"type": delta, **running, "delta": "no base64 !"},
                    {"type": delta, **running, "delta": ""},
                    {"type": delta, **running, "item_id": None, "delta": sound(rng)},
                    {"type": delta, "item_id": "i", "delta": sound(rng)},
                    {"type": delta, **running, "response_id": "r0", "delta": sound(rng)},
                    {"type": "response.audio.delta", **running, "delta": sound(rng)},
                    {"type": "response.done", "response": {"id": f"r{number}"}},
                    {"type": "input_audio_buffer.speech_started", "item_id": f"c{number}"},
                    {"type": "input_audio_buffer.speech_stopped", "item_id": f"c{number}"},
                    {"type": "input_audio_buffer.committed", "item_id": f"c{number}"},
                    {"type": "response.output_audio_transcript.done", **running, "transcript": "W"},
                    {"type": "error", "error": {"type": "server_error", "message": "oh"}},
                    {"type": delta},
                    {},
                )
            )


def elevenlabs(rng: random.Random) -> Iterator[dict[str, Any]]:
    yield {
        "type": "conversation_initiation_metadata",
        "conversation_initiation_metadata_event": {
            "conversation_id": "c",
            "agent_output_audio_format": rng.choice(("ulaw_8000", "pcm_16000")),
        },
    }
    number = 1
    while True:
        number += rng.random() < 0.1
        at = rng.choice((number, number, number, number - 1))
        audio = {"audio_base_64": sound(rng, silent=b"\xff"), "event_id": at}
        if rng.random() < 0.75:
            yield {"type": "audio", "audio_event": audio}
            continue
        yield rng.choice(
            (
                {"audio_event": audio, "type": "audio"},
                {"type": "audio", "audio_event": {**audio, "audio_base_64": "?"}},
                {"type": "audio", "audio_event": {"audio_base_64": ""}},
                {"type": "vad_score", "audio_event": audio},
                {"type": "ping", "ping_event": {"event_id": number}},
                {"type": "interruption", "interruption_event": {"event_id": at}},
                {
                    "type": "agent_response",
                    "agent_response_event": {"agent_response": "So.", "event_id": at},
                },
                {
                    "type": "user_transcript",
                    "user_transcription_event": {"user_transcript": "Yes", "event_id": at},
                },
                {},
            )
        )


def gemini(rng: random.Random) -> Iterator[dict[str, Any]]:
    yield {"setupComplete": {}}
    while True:
        kind = rng.choice(("audio/pcm;rate=24000", "audio/pcm;rate=24000", "audio/pcm"))
        part: dict[str, Any] = {"inlineData": {"mimeType": kind, "data": sound(rng)}}
        parts = [part] * rng.choice((1, 1, 1, 2))
        content: dict[str, Any] = {"modelTurn": {"parts": parts}}
        if rng.random() < 0.7:
            yield {"serverContent": content}
            continue
        yield rng.choice(
            (
                {"serverContent": {"modelTurn": {"parts": [part, {"text": "so"}]}}},
                {"serverContent": {"modelTurn": {"parts": [{**part, "thought": True}]}}},
                {"serverContent": {"modelTurn": {"parts": []}}},
                {"serverContent": {**content, "generationComplete": True}},
                {"serverContent": content, "usageMetadata": {"totalTokenCount": 3}},
                {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": "-_8="}}]}}},
                {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": "?"}}]}}},
                {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": ""}}]}}},
                {"serverContent": {"outputTranscription": {"text": "so"}}},
                {"serverContent": {"inputTranscription": {"text": "yes"}}},
                {"serverContent": {"interrupted": True}},
                {"serverContent": {"turnComplete": True}},
                {"serverContent": {"generationComplete": True}},
                {"sessionResumptionUpdate": {"newHandle": "h", "resumable": True}},
                {},
            )
        )


PROVIDERS: dict[str, tuple[Callable[[], Any], Callable[[random.Random], Any], int]] = {
    "openai": (
        lambda: OpenAIRealtime(OpenAIRealtimeConfig(api_key="k", model="m")),
        openai,
        2,
    ),
    "elevenlabs": (lambda: ElevenLabsAgent(ElevenLabsConfig(agent_id="a")), elevenlabs, 1),
    "gemini": (lambda: GeminiLive(GeminiLiveConfig(api_key="k")), gemini, 1),
}


def act(call: Call, rng: random.Random, said: Iterator[dict[str, Any]]) -> None:
    """One thing that may happen; the same for the same `rng`."""
    kind = rng.random()
    if kind < 0.75:
        messages = [json.dumps(next(said)).encode() for _ in range(rng.choice((1, 1, 2, 3)))]
        if rng.random() < 0.03:
            messages[-1] = messages[-1][: rng.randrange(len(messages[-1]))]
        data = b"".join(server_frame(rng.choice((1, 1, 2)), one) for one in messages)
        if rng.random() < 0.05:
            data += server_frame(9, b"ping")
        cuts = [rng.randrange(len(data)) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
        call.read(data, sorted(cuts))
    elif kind < 0.95:
        call.wait(rng.choice((0.0, 0.005, 0.02, 0.04, 0.1, 0.7)))
    else:
        session = call.session
        rng.choice(
            (
                lambda: session.say("Well."),
                lambda: session.tell("A fact.", respond=True),
                lambda: session.press_digit("5"),
                session.hold,
                session.resume,
            )
        )()


@patch("bridge.session.provider.gevent.spawn_later", Mock())  # nobody is connected instead
def play(name: str, seed: int, *, short: bool) -> Call:
    make, messages, before = PROVIDERS[name]
    rng = random.Random(seed)
    call = Call(make, rng.choice(LEGS), short=short)
    said = messages(random.Random(seed + 1))
    for _ in range(before):
        call.read(server_frame(1, json.dumps(next(said)).encode()), [])
    call.join()
    for _ in range(rng.randrange(40)):
        act(call, rng, said)
    return call


@pytest.mark.parametrize("name", PROVIDERS)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32))
def test_both_ways_come_to_the_same(name: str, seed: int) -> None:
    seen = []
    for short in (True, False):
        call = play(name, seed, short=short)
        seen.append(call.seen())
        call.close()
    assert seen[0] == seen[1]


@pytest.mark.parametrize("name", PROVIDERS)
def test_audio_between_all_that_takes_the_short_way(name: str) -> None:
    calls = [play(name, seed, short=True) for seed in range(12)]
    for call in calls:
        call.close()
    assert sum(call.taken for call in calls) > sum(call.link.frames_in for call in calls) / 5
