from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.audio.pcm import audioop
from bridge.audio.ring_buffer import RingBuffer


class AgainstAList(RuleBasedStateMachine):
    """The ring does what a plain list of bytes does, and keeps the end of what was read."""

    @initialize(limit=st.integers(1, 3000), keep=st.integers(0, 900))
    def make(self, limit: int, keep: int) -> None:
        self.ring = RingBuffer(limit, keep=keep)
        self.limit, self.keep = limit, keep
        self.model, self.past = b"", b""

    @rule(data=st.binary(max_size=1500))
    def write(self, data: bytes) -> None:
        taken = data[: max(0, self.limit - len(self.model))]
        assert self.ring.write(data) == len(data) - len(taken)
        self.model += taken

    @rule(count=st.integers(0, 2000))
    def read(self, count: int) -> None:
        assert self.ring.peek(count) == self.model[:count]
        assert self.ring.read(count) == self.model[:count]
        self.past += self.model[:count]
        self.model = self.model[count:]

    @rule(count=st.integers(0, 900))
    def take_back(self, count: int) -> None:
        lately = self.ring.lately(count)
        assert self.past.endswith(lately)
        assert len(lately) >= min(count, self.keep, len(self.past))
        assert self.ring.take_back(count) == len(lately)
        self.model, self.past = lately + self.model, b""

    @rule()
    def forget(self) -> None:
        self.ring.forget()
        self.past = b""

    @rule()
    def clear(self) -> None:
        assert self.ring.clear() == len(self.model)
        self.model = self.past = b""

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "ring"):
            assert len(self.ring) == self.ring.depth == len(self.model)
            kept = sum(map(len, self.ring._past))
            assert kept == self.ring._past_bytes <= self.keep + self.limit


TestAgainstAList = AgainstAList.TestCase
TestAgainstAList.settings = settings(max_examples=60, stateful_step_count=40)


def test_a_queue_that_is_over_its_limit_takes_nothing_until_there_is_room() -> None:
    ring = RingBuffer(4, keep=4)
    ring.write(b"abcd")
    ring.read(2)
    ring.write(b"ef")
    assert ring.take_back(2) == 2
    assert (ring.write(b"xy"), ring.depth) == (2, 6)
    assert ring.read(3) == b"abc"
    assert (ring.write(b"xy"), ring.read(10)) == (1, b"defx")


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


def test_what_is_kept_in_half_the_memory_comes_back_nearly_as_it_was() -> None:
    ring, loud = RingBuffer(4000, keep=2000, as_ulaw=True), b"\x00\x20" * 600
    for _ in range(3):
        ring.write(loud)
        ring.read(1200)
    ring.write(loud)
    ring.read(600)
    assert sum(map(len, ring._past)) < 2000
    back = ring.lately(2000)
    assert len(back) == 2000
    assert back[-600:] == loud[:600]
    assert audioop.max(audioop.add(back, b"\x00\xe0" * 1000, 2), 2) < 200
