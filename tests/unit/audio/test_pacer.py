import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.audio.pacer import Pacer
from bridge.errors import LocalProtocolError


class Stream:
    """Notes when it was called and does as it is told."""

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.more = True
        self.then = lambda: None

    def send_due(self, now: float) -> bool:
        self.calls.append(now)
        self.then()
        return self.more


def run(pacer: Pacer, start: float, until: float) -> None:
    """A perfect clock."""
    while (deadline := pacer.next_deadline()) is not None and deadline <= until:
        pacer.tick(max(start, deadline))


def test_called_once_a_period_on_one_grid() -> None:
    pacer, stream = Pacer(), Stream()
    pacer.join(stream, 100.0013)
    run(pacer, 100.0013, 101.0)
    assert len(stream.calls) == 50
    assert stream.calls[0] - 100.0013 <= 0.005
    for number, at in enumerate(stream.calls):
        assert at == pytest.approx(stream.calls[0] + number * 0.020, abs=1e-6)


def test_streams_spread_over_the_period() -> None:
    pacer = Pacer(period_ms=20, slots=4)
    streams = [Stream() for _ in range(4)]
    for number, stream in enumerate(streams):
        pacer.join(stream, 50.001 + number * 0.005)
    run(pacer, 50.02, 50.06)
    phases = {round(stream.calls[-1] * 1000) % 20 for stream in streams}
    assert len(phases) == 4


def test_a_late_tick_is_one_call_and_the_grid_stays() -> None:
    pacer, stream = Pacer(), Stream()
    pacer.join(stream, 10.0)
    first = pacer.next_deadline()
    assert first is not None
    pacer.tick(first + 0.065)
    assert len(stream.calls) == 1
    assert pacer.next_deadline() == pytest.approx(first + 0.080)
    # Of the frames due 65, 45, 25 and 5 ms ago two are later than 40 ms.
    assert pacer.counters.late_frames == 2


@pytest.mark.parametrize("late_ms", [0, 39, 41])
def test_two_packets_of_a_jitter_buffer_are_late(late_ms: float) -> None:
    pacer = Pacer()
    pacer.join(Stream(), 0.0)
    due = pacer.next_deadline()
    assert due is not None
    pacer.tick(due + late_ms / 1000)
    assert pacer.counters.late_frames == (1 if late_ms > 40 else 0)


def test_joining_an_overdue_slot_does_not_put_its_streams_off() -> None:
    pacer, waiting, joining = Pacer(slots=1), Stream(), Stream()
    pacer.join(waiting, 0.0)
    pacer.join(joining, 0.035)  # the tick of 0.020 has not come yet
    pacer.tick(0.036)
    assert waiting.calls == joining.calls == [0.036]


def test_nothing_left_to_send_leaves_the_wheel() -> None:
    pacer, stream = Pacer(), Stream()
    stream.more = False
    pacer.join(stream, 0.0)
    pacer.tick(1.0)
    assert (len(pacer), pacer.next_deadline()) == (0, None)


def test_joining_twice_is_joining_once() -> None:
    pacer, stream = Pacer(), Stream()
    pacer.join(stream, 0.0)
    pacer.join(stream, 0.012)
    pacer.tick(0.1)
    assert len(stream.calls) == len(pacer) == 1


def test_the_clock_is_woken_only_for_an_earlier_deadline() -> None:
    pacer, woken = Pacer(slots=4), []
    pacer.on_wake = lambda: woken.append(pacer.next_deadline())
    early, late = Stream(), Stream()
    pacer.join(late, 0.011)
    assert woken == [pytest.approx(0.015)]
    pacer.join(Stream(), 0.016)  # later than what the clock already waits for
    assert len(woken) == 1
    pacer.leave(late)
    pacer.join(early, 0.0161)
    assert len(woken) == 1


def test_one_that_takes_another_off_in_the_same_slot() -> None:
    pacer, first, second = Pacer(slots=1), Stream(), Stream()
    pacer.join(first, 0.0)
    pacer.join(second, 0.0)
    first.then = lambda: pacer.leave(second)
    pacer.tick(0.02)
    assert (len(first.calls), len(second.calls)) == (1, 0)


def test_one_failing_stream_does_not_stop_the_others() -> None:
    pacer, bad, good, told = Pacer(slots=1), Stream(), Stream(), []

    def fail() -> None:
        raise ValueError("broken")

    bad.then = fail
    pacer.on_error = lambda stream, error: told.append((stream, str(error)))
    pacer.join(bad, 0.0)
    pacer.join(good, 0.0)
    pacer.tick(0.02)
    pacer.tick(0.04)
    assert told == [(bad, "broken")]
    assert (len(bad.calls), len(good.calls), len(pacer)) == (1, 2, 1)


def test_without_a_boundary_the_failure_is_raised() -> None:
    pacer, bad = Pacer(), Stream()

    def fail() -> None:
        raise ValueError("broken")

    bad.then = fail
    pacer.join(bad, 0.0)
    with pytest.raises(ValueError, match="broken"):
        pacer.tick(0.02)
    assert len(pacer) == 0


@pytest.mark.parametrize(("period", "slots"), [(0, 4), (20, 0), (-1, 1)])
def test_a_wheel_without_size_is_our_mistake(period: int, slots: int) -> None:
    with pytest.raises(LocalProtocolError):
        Pacer(period, slots)


class AgainstAPlainClock(RuleBasedStateMachine):
    """Whatever joins, leaves and is late: each stream is called when a plain clock says so."""

    @initialize(slots=st.integers(1, 5), start=st.floats(0, 1e6))
    def make(self, slots: int, start: float) -> None:
        self.pacer = Pacer(slots=slots)
        self.width = 0.020 / slots
        self.now = start
        self.joined: dict[Stream, int] = {}  # by the number of its next step on the grid
        self.slots = slots
        self.last_now = start

    @rule(after=st.floats(0, 0.05))
    def join(self, after: float) -> None:
        self.now += after
        self._tick()
        stream = Stream()
        self.pacer.join(stream, self.now)
        self.joined[stream] = int(self.now / self.width) + 1

    @rule(data=st.data())
    def leave(self, data) -> None:
        if self.joined:
            stream = data.draw(st.sampled_from(list(self.joined)))
            self.pacer.leave(stream)
            del self.joined[stream]

    @rule(data=st.data())
    def ends(self, data) -> None:
        if self.joined:
            data.draw(st.sampled_from(list(self.joined))).more = False

    @rule(after=st.floats(0, 0.2))
    def tick(self, after: float) -> None:
        self.now += after
        self._tick()

    def _tick(self) -> None:
        due = {s: step for s, step in self.joined.items() if step * self.width <= self.now - 1e-9}
        unsure = {s for s, step in self.joined.items() if abs(step * self.width - self.now) <= 1e-9}
        for stream in self.joined:
            stream.calls.clear()
        self.pacer.tick(self.now)
        for stream, step in list(self.joined.items()):
            if stream in unsure:
                called = bool(stream.calls)
            else:
                called = stream in due
                assert len(stream.calls) == int(called)
            if called:
                assert stream.calls == [self.now]
                periods = int((self.now - step * self.width) / 0.020 + 1e-7) + 1
                self.joined[stream] = step + periods * self.slots
                if not stream.more:
                    del self.joined[stream]

    @invariant()
    def knows_the_next_deadline(self) -> None:
        if not hasattr(self, "pacer"):
            return
        assert len(self.pacer) == len(self.joined)
        deadline = self.pacer.next_deadline()
        if self.joined:
            assert deadline == pytest.approx(min(self.joined.values()) * self.width, abs=1e-6)
        else:
            assert deadline is None


TestAgainstAPlainClock = AgainstAPlainClock.TestCase
TestAgainstAPlainClock.settings = settings(max_examples=60, stateful_step_count=30)
