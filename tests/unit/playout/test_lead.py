"""How far ahead of the caller's ear `unicast` sends: as little as the hub allows."""

import itertools

import pytest

from bridge.audio.formats import L16_8K
from bridge.audio.pacer import Pacer
from bridge.playout.base import PlayoutSinks
from bridge.playout.stream import PlayoutStream
from bridge.playout.ticks import ENOUGH, Ticks
from bridge.playout.unicast import BEHIND_MS, LEAST_MARGIN_MS, MOST_MARGIN_MS, UnicastPlayout

SLOT_MS = 5
PTIMES_MS = [10, 20, 30, 40, 60]


class Speaker:
    """Ten seconds of an answer, on a hub that is as late as it is told."""

    def __init__(self, ptime_ms: int, ticks: Ticks | None = None) -> None:
        self.now, self.pacer = 100.0, Pacer()
        self.ahead_ms: list[float] = []
        """At each datagram: what was sent and not heard before it."""
        sinks = PlayoutSinks(send_datagram=lambda data: self._sent(len(data)))
        playout = UnicastPlayout(L16_8K, sinks, ptime_ms=ptime_ms, ticks=ticks)
        self.stream = PlayoutStream(playout, self.pacer)
        self._until = self.now
        self.stream.write("a", bytes(160_000), self.now)

    def _sent(self, size: int) -> None:
        self.ahead_ms.append((self._until - self.now) * 1000)
        self._until = max(self._until, self.now) + size / 16000

    def tick(self, late_ms: float) -> None:
        """The pacer's next call."""
        due = self.pacer.next_deadline()
        assert due is not None
        self.now = max(self.now, due + late_ms / 1000)
        self.pacer.tick(self.now)

    def run(self, seconds: float, late_ms: float) -> list[float]:
        """So long, with every third tick late; returns `ahead_ms` of that time."""
        end, before, ticks = self.now + seconds, len(self.ahead_ms), 0
        while (due := self.pacer.next_deadline()) is not None and due < end:
            ticks += 1
            self.tick(0.5 if ticks % 3 else late_ms)
        return self.ahead_ms[before:]


@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
def test_a_packet_goes_shortly_before_the_one_in_front_ends(ptime_ms: int) -> None:
    speaker = Speaker(ptime_ms)
    least_ms = min(LEAST_MARGIN_MS, ptime_ms - BEHIND_MS)
    ahead_ms = speaker.run(4.0, late_ms=1.0)
    assert len(ahead_ms) == pytest.approx(4000 / ptime_ms, abs=2)
    assert min(ahead_ms) >= least_ms - 1
    assert max(ahead_ms) <= least_ms + 1 + SLOT_MS
    assert speaker.stream.counters.underruns == 0


@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
def test_never_before_the_packet_in_front_is_on_its_way(ptime_ms: int) -> None:
    """FreeSWITCH throws away what waits while it works on a SIP message, right behind a packet."""
    speaker = Speaker(ptime_ms)
    assert max(speaker.run(4.0, late_ms=30.0)) <= ptime_ms - BEHIND_MS + SLOT_MS


@pytest.mark.parametrize("ptime_ms", PTIMES_MS[1:])
def test_earlier_on_a_hub_that_is_late_and_later_again(ptime_ms: int) -> None:
    speaker = Speaker(ptime_ms)
    speaker.run(1.0, late_ms=9.0)
    counters = speaker.stream.counters
    learnt = counters.underruns
    late = speaker.run(3.0, late_ms=9.0)
    assert counters.underruns == learnt <= 1
    assert max(late) <= MOST_MARGIN_MS + SLOT_MS
    calm = speaker.run(5.0, late_ms=1.0)[-10:]
    assert max(calm) <= LEAST_MARGIN_MS + 1 + SLOT_MS


def test_the_end_of_a_stall_is_made_up_at_once() -> None:
    speaker = Speaker(20)
    speaker.run(1.0, late_ms=1.0)
    speaker.run(0.1, late_ms=70.0)
    assert speaker.stream.counters.underruns >= 1
    assert max(speaker.run(2.0, late_ms=1.0)) <= MOST_MARGIN_MS + SLOT_MS


def ticks_at(phase_s: float, ptime_ms: int) -> Ticks:
    ticks = Ticks()
    for step in range(ENOUGH):
        ticks.note(90.0 + phase_s + step * ptime_ms / 1000)
    return ticks


@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
@pytest.mark.parametrize("tick_ms", range(0, 20, 2))
@pytest.mark.parametrize("late_ms", [11.0, 17.0, 23.0, 31.0, 47.0])
def test_after_a_stall_each_packet_is_in_time_again(
    ptime_ms: int, tick_ms: int, late_ms: float
) -> None:
    """Wherever in the period it begins anew: it would come as the one in front of it ends."""
    speaker = Speaker(ptime_ms, ticks_at(tick_ms / 1000, ptime_ms))
    speaker.run(0.5, late_ms=0.5)
    for _ in range(3):
        speaker.run(0.09, late_ms=late_ms)
        speaker.run(0.1, late_ms=0.5)
        underruns = speaker.stream.counters.underruns
        speaker.run(0.5, late_ms=0.5)
        assert speaker.stream.counters.underruns == underruns


@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
def test_after_two_late_calls_each_packet_is_in_time_again(ptime_ms: int) -> None:
    for one_ms, other_ms in itertools.product(range(0, 40, 2), repeat=2):
        speaker = Speaker(ptime_ms, ticks_at(0.019, ptime_ms))
        speaker.run(0.1, late_ms=9.0)
        speaker.tick(one_ms)
        speaker.tick(other_ms)
        speaker.run(0.1, late_ms=0.1)
        underruns = speaker.stream.counters.underruns
        speaker.run(0.3, late_ms=0.3)
        assert speaker.stream.counters.underruns == underruns, (one_ms, other_ms)
