import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.audio.ring_buffer import RingBuffer
from bridge.errors import LocalProtocolError


class AgainstAList(RuleBasedStateMachine):
    """The ring does what a plain list of bytes does."""

    @initialize(limit=st.integers(1, 3000), data=st.data())
    def make(self, limit: int, data) -> None:
        high = data.draw(st.integers(0, limit))
        low = data.draw(st.integers(0, high))
        self.ring = RingBuffer(limit, low_water=low, high_water=high)
        self.limit, self.low, self.high = limit, low, high
        self.model: list[int] = []
        self.written = self.read_count = self.dropped = self.cleared = self.hits = self.peak = 0
        self.above = False

    def _marks(self) -> None:
        self.peak = max(self.peak, len(self.model))
        if not self.above and len(self.model) >= self.high > 0:
            self.above = True
            self.hits += 1

    @rule(data=st.binary(max_size=1500))
    def write(self, data: bytes) -> None:
        room = self.limit - len(self.model)
        taken = data[:room]
        assert self.ring.write(data) == len(data) - len(taken)
        self.model += taken
        self.written += len(taken)
        self.dropped += len(data) - len(taken)
        self._marks()

    @rule(count=st.integers(0, 2000))
    def read(self, count: int) -> None:
        assert self.ring.read(count) == bytes(self.model[:count])
        self.read_count += len(self.model[:count])
        del self.model[:count]
        if self.above and len(self.model) <= self.low:
            self.above = False

    @rule()
    def clear(self) -> None:
        assert self.ring.clear() == len(self.model)
        self.cleared += len(self.model)
        self.model.clear()
        self.above = False

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "ring"):
            return
        counters = self.ring.counters
        assert len(self.ring) == len(self.model) <= self.limit
        assert self.ring.above_high_water == self.above
        assert (counters.written, counters.read) == (self.written, self.read_count)
        assert (counters.dropped, counters.cleared) == (self.dropped, self.cleared)
        assert (counters.high_water_hits, counters.peak) == (self.hits, self.peak)
        assert counters.written == counters.read + counters.cleared + len(self.ring)


TestAgainstAList = AgainstAList.TestCase
TestAgainstAList.settings = settings(max_examples=60, stateful_step_count=40)


def test_the_newest_is_dropped_so_that_what_is_heard_has_no_hole() -> None:
    ring = RingBuffer(4)
    assert ring.write(b"abc") == 0
    assert ring.write(b"def") == 2
    assert ring.read(10) == b"abcd"


def test_tiny_writes_do_not_pile_up_objects() -> None:
    ring = RingBuffer(100_000)
    for _ in range(20_000):
        ring.write(b"ab")
    assert len(ring._chunks) < 100
    assert ring.read(40_000) == b"ab" * 20_000


@pytest.mark.parametrize(("low", "high"), [(-1, 5), (6, 5), (0, 11)])
def test_water_marks_out_of_order_are_our_mistake(low: int, high: int) -> None:
    with pytest.raises(LocalProtocolError):
        RingBuffer(10, low_water=low, high_water=high)
