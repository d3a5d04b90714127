"""`python -m bench.frame`: microseconds of CPU for one frame of each way, hot, and by step.

The real session, host, links, playout and pacer of many calls in one process, on real sockets of
loopback, one event for each turn of the loop: nothing sleeps, so nothing is cold. What a worker of
real calls costs is more (`python -m bench`): waking up, cold caches, turns, journal, timers.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import _socket  # noqa: E402
import cProfile  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import pstats  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from typing import Any, cast  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
import pybase64  # noqa: E402

from bridge.audio.formats import Encoding  # noqa: E402
from bridge.audio.pacer import Pacer  # noqa: E402
from bridge.audio.pcm import audioop  # noqa: E402
from bridge.audio.processor import Converter  # noqa: E402
from bridge.playout.base import PlayoutSinks  # noqa: E402
from bridge.playout.modes import Flavour, PlayoutMode  # noqa: E402
from bridge.playout.registry import make_playout  # noqa: E402
from bridge.providers.conversation import Brief  # noqa: E402
from bridge.providers.openai.config import OpenAIRealtimeConfig  # noqa: E402
from bridge.providers.openai.realtime import OpenAIRealtime  # noqa: E402
from bridge.session import media_plan as plans  # noqa: E402
from bridge.session.candidates import Candidate  # noqa: E402
from bridge.session.config import SessionConfig  # noqa: E402
from bridge.session.ear import Ear  # noqa: E402
from bridge.session.phrases import Phrases  # noqa: E402
from bridge.session.session import Session  # noqa: E402
from bridge.session.states import SessionState  # noqa: E402
from bridge.session_manager import _Stream  # noqa: E402
from bridge.wire import frames, websocket_channel  # noqa: E402
from bridge.wire.client_handshake import Opened  # noqa: E402
from bridge.wire.datagram import DatagramLink  # noqa: E402
from bridge.wire.frames import FrameParser, Role, client_frame, server_frame  # noqa: E402
from bridge.wire.link import LinkLimits, WebSocketLink  # noqa: E402
from esl_controller.simulator import speech  # noqa: E402

FRAME_S = 0.02
ANSWER_FRAMES = 100
"""An answer of two seconds, then two seconds of the caller's, and so on."""
BURST_MS = 100
PHRASES = Phrases("Still there?", "Good-bye.", "Time is up.", "Connecting.", "Say it again?")


Sink = Callable[[bytes], None]


class Nobody:
    """Listens to a session, or owns a stream."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def pair() -> tuple[_socket.socket, _socket.socket]:
    """Two ends of a TCP connection over loopback, as they are between machines."""
    door = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    door.bind(("127.0.0.1", 0))
    door.listen(1)
    near = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    near.connect(door.getsockname())
    descriptor, _ = door._accept()  # type: ignore[attr-defined]
    far = _socket.socket(fileno=descriptor)
    door.close()
    for one in (near, far):
        one.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        one.setblocking(False)
    return near, far


def gevents(sock: _socket.socket) -> Any:
    """The same socket, as gevent's."""
    return gevent.socket.socket(fileno=sock.detach())


def drain(sock: _socket.socket) -> int:
    """Take what has come; how many bytes."""
    try:
        return len(sock.recv(1 << 18))
    except BlockingIOError:
        return 0


def until(there: Callable[[], bool], most_s: float = 5.0) -> None:
    """Let the loop turn until that is so."""
    begun = time.monotonic()
    while not there():
        assert time.monotonic() - begun < most_s, "it does not come to that"
        gevent.sleep(0.001)


@dataclass(slots=True)
class Cost:
    """CPU of one kind of event, seconds each."""

    rounds: list[float] = field(default_factory=list)

    def us(self, part: float) -> float:
        """A quantile in microseconds."""
        ordered = sorted(self.rounds)
        return ordered[int(part * (len(ordered) - 1))] * 1e6


class Call:
    """One call: a session, and the far ends of its sockets."""

    def __init__(self, bench: Bench, number: int) -> None:
        leg, choice = bench.leg, bench.choice
        near, self.provider = pair()
        bench.dialled.append(gevents(near))
        make = lambda: OpenAIRealtime(OpenAIRealtimeConfig(api_key="k", model="m"))  # noqa: E731
        config = SessionConfig(
            candidates=[Candidate("p", "openai", make)],
            brief=Brief(),
            phrases=PHRASES,
            provider_formats=lambda can: plans.provider_formats(leg, can),
        )
        listener: Any = Nobody()
        self.session = Session(
            "domain", str(number), config, listener, pacer=bench.pacer, clock=bench.clock
        )
        self.session.prepare()
        until(lambda: not bench.dialled)
        self.tell({"type": "session.created", "session": {"id": "sess"}})
        self.tell({"type": "session.updated", "session": {"id": "sess"}})
        near, self.caller = pair()
        stream = _Stream(self.session, listener)
        self.link = WebSocketLink(
            gevents(near),
            role=Role.SERVER,
            on_messages=stream.on_messages,
            on_closed=lambda info: None,
            limits=LinkLimits(),
        )
        self.link.offer_reads(self.session.receive_plain)
        self.ear = self.caller
        sinks = PlayoutSinks(
            send_binary=cast(Sink, self.link.send_binary),
            send_text=cast(Sink, self.link.send_text),
        )
        if choice.mode is PlayoutMode.UNICAST:
            self.ear = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
            self.ear.bind(("127.0.0.1", 0))
            self.ear.setblocking(False)
            self.datagrams = DatagramLink(
                on_datagram=lambda data: None, remote=self.ear.getsockname()
            )
            sinks = PlayoutSinks(send_datagram=cast(Sink, self.datagrams.send))
        plan = bench.plan
        playout = make_playout(choice.mode, choice.flavour, plan.playout_format, sinks)
        self.session.attach_media(plan, playout)
        until(lambda: self.session.state is SessionState.TALKING)

    def tell(self, *messages: dict[str, Any]) -> None:
        """The provider's words, in one write."""
        self.provider.send(b"".join(server_frame(1, json.dumps(m).encode()) for m in messages))


class Bench:
    """All calls of one kind."""

    def __init__(self, kind: str, calls: int) -> None:
        pcm = kind == "pcm"
        self.leg = plans.Leg("L16", 16000) if pcm else plans.Leg("PCMU", 8000)
        mode = PlayoutMode.BINARY if pcm else PlayoutMode.UNICAST
        self.choice = plans.PlayoutChoice(mode, Flavour.CLOUDFIELDCZ if pcm else Flavour.OPEN)
        self.dialled: list[Any] = []
        websocket_channel.open_websocket = (  # type: ignore[attr-defined]
            lambda *_, **__: Opened(self.dialled.pop(0), b"")
        )
        self.now = time.monotonic()
        self.pacer = Pacer()
        capabilities = OpenAIRealtime(OpenAIRealtimeConfig(api_key="k", model="m")).capabilities
        self.audio_in, self.audio_out = plans.provider_formats(self.leg, capabilities)
        self.plan = plans.choose_formats(
            self.leg, (self.audio_in.rate_hz,), self.choice, prefer_provider_rate=False
        )
        self.calls = [Call(self, number) for number in range(calls)]
        self.uplink, self.burst, self.paced = Cost(), Cost(), Cost()
        self.profile: cProfile.Profile | None = None
        rate_hz = self.plan.stream_format.rate_hz
        voice = speech.synthetic(2.0, rate_hz, seed=3).frames(rate_hz)
        silence = [bytes(len(voice[0]))] * ANSWER_FRAMES
        # While the agent speaks the caller is silent: an answer is not to be interrupted here.
        self.said = [client_frame(2, one, os.urandom(4)) for one in (silence + voice[:100])]
        answer = speech.synthetic(BURST_MS / 1000, self.audio_out.rate_hz, seed=5).pcm
        if self.audio_out.encoding is not Encoding.L16:
            answer = audioop.lin2ulaw(answer, 2)
        self.answer = pybase64.b64encode(answer).decode()

    def clock(self) -> float:
        """As the bench moves it."""
        return self.now

    def run(self, seconds: float) -> None:
        """Let so much of the calls' time pass."""
        gc.collect()
        gc.freeze()
        for number in range(round(seconds / FRAME_S)):
            self.now += FRAME_S
            self._uplink(number)
            if number % 200 < ANSWER_FRAMES and number % 5 == 0:
                self._burst(number)
            elif number % 200 == ANSWER_FRAMES:
                self._end(number)
            self._pace()

    def _uplink(self, number: int) -> None:
        spent = 0.0
        for call in self.calls:
            call.caller.send(self.said[number % len(self.said)])
            spent += self._turn()
            assert drain(call.provider) or number < 5
        self.uplink.rounds.append(spent / len(self.calls))

    def _burst(self, number: int) -> None:
        spent = 0.0
        response, item = f"resp_{number // 200}", f"item_{number // 200}"
        ids = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        for call in self.calls:
            if number % 200 == 0:
                call.tell({"type": "response.created", "response": {"id": response}})
                self._turn()
            call.tell(
                {"type": "response.output_audio_transcript.delta", **ids, "delta": "Good morning "},
                {"type": "response.output_audio.delta", **ids, "delta": self.answer},
            )
            spent += self._turn()
            drain(call.ear)
        self.burst.rounds.append(spent / len(self.calls))

    def _end(self, number: int) -> None:
        for call in self.calls:
            response = {"id": f"resp_{number // 200}", "status": "completed"}
            call.tell({"type": "response.done", "response": response})
            self._turn()

    def _pace(self) -> None:
        before = self._sent()
        spent = self._timed(lambda: self.pacer.tick(self.now))
        sent = self._sent() - before
        if sent:
            self.paced.rounds.append(spent / sent)
        for call in self.calls:
            while call.ear is not call.caller and drain(call.ear):
                pass
            drain(call.caller)

    def _sent(self) -> int:
        playouts = [call.session.line.downlink.playout for call in self.calls]
        return sum(playout.counters.frames_sent for playout in playouts if playout is not None)

    def _turn(self) -> float:
        """One turn of the loop; CPU seconds."""
        loop: Any = gevent.get_hub().loop
        return self._timed(lambda: loop.run(nowait=True, once=True))

    def _timed(self, act: Callable[[], object]) -> float:
        if self.profile is not None:
            self.profile.enable()
        began = time.thread_time()
        act()
        spent = time.thread_time() - began
        if self.profile is not None:
            self.profile.disable()
        return spent


def _hot_us(act: Callable[[], object], times: int = 2000) -> float:
    best = float("inf")
    for _ in range(7):
        began = time.thread_time()
        for _ in range(times // 7):
            act()
        best = min(best, (time.thread_time() - began) / (times // 7))
    return best * 1e6


def steps(bench: Bench) -> dict[str, float]:
    """The steps of one frame of the caller's, each by itself, in microseconds."""
    plan, rate_hz = bench.plan, bench.plan.stream_format.rate_hz
    voice = speech.synthetic(0.5, rate_hz, seed=3).frames(rate_hz)[10]
    parser, frame = FrameParser(Role.SERVER, LinkLimits().frames), bench.said[120]
    to_provider = Converter(plan.stream_format, bench.audio_in)
    to_caller = Converter(bench.audio_out, plan.playout_format)
    heard = Ear(lambda now: None, bench.clock)
    heard.attach(rate_hz)
    converted = to_provider.convert(voice) or voice
    protocol_text = pybase64.b64encode(converted)
    answer = pybase64.b64decode(bench.answer)
    near, far = pair()

    def across() -> None:
        near.send(frame)
        far.recv(1 << 16)

    return {
        "send and recv over loopback, both ends": _hot_us(across),
        "parse and unmask": _hot_us(lambda: parser.receive_data(frame)),
        "level": _hot_us(lambda: audioop.rms(voice, 2)),
        "own ear, a voice that goes on": _hot_us(lambda: heard.hear(voice, 3000.0)),
        "convert for the provider": _hot_us(lambda: to_provider.convert(voice)),
        "keep for another provider": _hot_us(lambda: audioop.lin2ulaw(voice, 2)),
        "base64": _hot_us(lambda: pybase64.b64encode(converted)),
        "mask and header": _hot_us(lambda: client_frame(frames.TEXT, protocol_text, b"abcd")),
        f"convert {BURST_MS} ms for the caller": _hot_us(lambda: to_caller.convert(answer)),
    }


@click.command()
@click.option("--kinds", default="pcm,g711", show_default=True)
@click.option("--calls", default=50, show_default=True)
@click.option("--seconds", default=8.0, show_default=True, help="Of the calls' time.")
@click.option("--profile", is_flag=True, help="Also which functions it is, by cProfile.")
def main(kinds: str, calls: int, seconds: float, profile: bool) -> None:
    """Say what one frame costs: the lowest decile and the median."""
    for kind in kinds.split(","):
        bench = Bench(kind, calls)
        bench.profile = cProfile.Profile() if profile else None
        bench.run(seconds)
        click.echo(f"{kind}, {calls} calls, microseconds of CPU (p10, p50)")
        named = (
            ("a frame of the caller's", bench.uplink),
            (f"{BURST_MS} ms of an answer", bench.burst),
            ("a paced frame", bench.paced),
        )
        for name, cost in named:
            click.echo(f"  {name:42} {cost.us(0.1):6.1f} {cost.us(0.5):6.1f}")
        per_s = 50 * bench.uplink.us(0.1) + 5 * bench.burst.us(0.1) + 25 * bench.paced.us(0.1)
        click.echo(f"  {'a call with half of it answers, % of a core':42} {per_s / 1e4:6.3f}")
        for name, us in steps(bench).items():
            click.echo(f"    {name:40} {us:6.2f}")
        if bench.profile is not None:
            pstats.Stats(bench.profile).sort_stats("tottime").print_stats(30)
    os._exit(0)  # hundreds of calls are not to be ended one by one


if __name__ == "__main__":
    main()
