"""The clock on a loop and a time of our own; and once on the real hub, waiting for facts."""

import gevent
import pytest
from gevent.event import Event

import bridge.playout.pacer_timer
from bridge.audio.pacer import Pacer
from bridge.playout.pacer_timer import PacerClock


class Timer:
    def __init__(self, loop: "Loop", after: float) -> None:
        self.loop, self.after, self.callback = loop, after, None

    def start(self, callback, update=False) -> None:
        assert update  # or libev would count from a moment in the past
        self.callback = callback
        self.loop.timers.append(self)

    def stop(self) -> None:
        self.loop.timers.remove(self)

    def close(self) -> None:
        assert self not in self.loop.timers


class Loop:
    """A loop whose timers we fire ourselves, as late as we like."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def timer(self, after: float) -> Timer:
        assert after >= 0
        return Timer(self, after)

    def fire(self, late_s: float = 0.0) -> None:
        (timer,) = self.timers
        self.now += timer.after + late_s
        timer.callback()


class Stream:
    def __init__(self) -> None:
        self.calls: list[float] = []
        self.more = True

    def send_due(self, now: float) -> bool:
        self.calls.append(now)
        return self.more


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(bridge.playout.pacer_timer, "monotonic", lambda: loop.now)
    return loop


def running(loop: Loop) -> tuple[Pacer, PacerClock]:
    pacer = Pacer()
    clock = PacerClock(pacer)
    clock._loop = loop
    clock.start()
    return pacer, clock


def test_sleeps_while_nothing_is_to_do(loop: Loop) -> None:
    pacer, _ = running(loop)
    assert loop.timers == []
    stream = Stream()
    pacer.join(stream, loop.now)
    assert len(loop.timers) == 1
    stream.more = False
    loop.fire()
    assert len(stream.calls) == 1
    assert loop.timers == []


def test_a_late_tick_does_not_delay_the_next(loop: Loop) -> None:
    pacer, _ = running(loop)
    stream = Stream()
    pacer.join(stream, loop.now)
    for late_s in (0.0, 0.003, 0.0, 0.019, 0.0):
        loop.fire(late_s)
    grid = [round((at - stream.calls[0]) * 1000) for at in stream.calls]
    assert grid == [0, 23, 40, 79, 80]


def test_a_tick_longer_than_a_period_is_followed_at_once(loop: Loop) -> None:
    pacer, _ = running(loop)
    slow, other = Stream(), Stream()

    def take_long(now: float) -> bool:
        loop.now += 0.030
        return True

    slow.send_due = take_long
    pacer.join(slow, loop.now)
    pacer.join(other, loop.now + 0.006)
    loop.fire()
    assert loop.timers[0].after == 0
    loop.fire()
    assert len(other.calls) == 1


def test_a_stream_due_earlier_moves_the_timer(loop: Loop) -> None:
    pacer, _ = running(loop)
    pacer.join(Stream(), loop.now)
    loop.fire()
    waits = loop.timers[0].after
    pacer.join(Stream(), loop.now + 0.001)
    assert len(loop.timers) == 1
    assert loop.timers[0].after < waits


def test_stopped_is_stopped(loop: Loop) -> None:
    pacer, clock = running(loop)
    pacer.join(Stream(), loop.now)
    clock.stop()
    assert loop.timers == []
    pacer.join(Stream(), loop.now)
    assert loop.timers == []
    clock.stop()
    clock.start()
    clock.start()
    assert len(loop.timers) == 1


def test_stopped_by_a_stream_within_a_tick(loop: Loop) -> None:
    pacer, clock = running(loop)
    stream = Stream()
    stream.send_due = lambda now: clock.stop() or True
    pacer.join(stream, loop.now)
    loop.fire()
    assert loop.timers == []


def test_a_failing_stream_is_logged_and_the_others_go_on(loop: Loop, caplog) -> None:
    pacer, _ = running(loop)
    bad, good = Stream(), Stream()

    def fail(now: float) -> bool:
        raise ValueError("broken")

    bad.send_due = fail
    pacer.join(bad, loop.now)
    pacer.join(good, loop.now)
    loop.fire()
    loop.fire()
    assert len(good.calls) == 2
    assert "taken off the pacer" in caplog.text
    assert len(loop.timers) == 1


def test_on_the_real_hub() -> None:
    pacer, done = Pacer(), Event()
    clock = PacerClock(pacer)

    class Counting(Stream):
        def send_due(self, now: float) -> bool:
            self.calls.append(now)
            if len(self.calls) == 5:
                done.set()
            return len(self.calls) < 5

    stream = Counting()
    clock.start()
    try:
        pacer.join(stream, bridge.playout.pacer_timer.monotonic())
        assert done.wait(10)
        gevent.sleep(0)
        assert pacer.next_deadline() is None
    finally:
        clock.stop()
    # Never early: each call lies at or behind its place on the grid.
    first = stream.calls[0]
    for number, at in enumerate(stream.calls):
        assert at >= first - 0.020 + number * 0.020
