"""In whatever order things happen: nothing lost, nothing doubled, and what is heard is known."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.audio.formats import L16_8K, L16_24K, PCMU_8K
from bridge.audio.pacer import Pacer
from bridge.playout.stream import PlayoutStream

from .far_side import FarSide, advance, speech

TOLERANCE_MS = 1


class AnyConversation(RuleBasedStateMachine):
    """Speech comes in any pieces, ticks come late, callers interrupt."""

    @initialize(
        audio_format=st.sampled_from([L16_8K, L16_24K, PCMU_8K]),
        chunks=st.sampled_from([(20, 20), (100, 200), (100, 100)]),
        lead_ms=st.sampled_from([0, 20, 40, 60, 120, 440]),
        tail_ms=st.sampled_from([0, 80]),
        recalls=st.booleans(),
        late_ms=st.sampled_from([0, 0, 3, 30]),
        latency_ms=st.sampled_from([0, 10, 45, 150]),
        silence_every_s=st.sampled_from([None, 0.1]),
    )
    def make(
        self,
        audio_format,
        chunks,
        lead_ms,
        tail_ms,
        recalls,
        late_ms,
        latency_ms,
        silence_every_s,
    ) -> None:
        self.far = FarSide(
            format=audio_format,
            first_chunk_ms=chunks[0],
            chunk_ms=chunks[1],
            lead_ms=lead_ms,
            tail_padding_ms=tail_ms,
            recalls=recalls,
            latency_ms=latency_ms,
            silence_every_s=silence_every_s,
        )
        self.far.now = 50.0
        self.pacer = Pacer()
        self.late_s = late_ms / 1000
        self.stream = PlayoutStream(self.far, self.pacer)
        self.drained: list[float] = []
        self.stream.on_drained = self.drained.append
        self.generation = self.items = self.spoken = 0
        self.fmt = audio_format
        self._new_answer()

    def _new_answer(self) -> None:
        self.written = b""
        self.sound_before = len(self.far.sound)
        self.finished = False
        self.drained.clear()

    @property
    def now(self) -> float:
        return self.far.now

    @precondition(lambda self: not self.finished)
    @rule(ms=st.integers(1, 700), new_item=st.booleans())
    def write(self, ms: int, new_item: bool) -> None:
        self.items += new_item
        data = speech(self.fmt, ms, self.spoken)
        self.spoken += ms
        assert self.stream.write(f"item{self.items}", data, self.now) == 0
        self.written += data

    @rule(after_ms=st.integers(0, 400))
    def time_passes(self, after_ms: int) -> None:
        advance(self.pacer, self.far, self.now + after_ms / 1000, self.late_s)

    @rule()
    def keep_alive(self) -> None:
        sent = len(self.far.sound)
        self.stream.keep_alive(self.now)
        if len(self.far.sound) > sent:
            assert self.far.supply_until == self.now + 0.02
            assert not self.written or self.drained
            self._new_answer()

    @precondition(lambda self: self.written and not self.finished)
    @rule()
    def finish(self) -> None:
        self.finished = True
        self.stream.finish(self.now)

    @precondition(lambda self: self.written)
    @rule()
    def interrupt(self) -> None:
        was_heard = self.far.heard_bytes(self.now)
        was_over = bool(self.drained)
        position = self.stream.clear(self.now)
        assert (position is None) == was_over
        if self.far.recalls:
            assert self.far.heard_bytes(self.now) == was_heard
        sent = len(self.far.sound)
        self.generation += 1
        self.stream.begin(self.generation)
        advance(self.pacer, self.far, self.now + 0.1)
        assert len(self.far.sound) == sent
        assert self.drained == [] or was_over
        self._new_answer()

    @precondition(lambda self: self.finished)
    @rule()
    def hear_it_out(self) -> None:
        # With no lead and each tick late, a second of speech takes two.
        enough_s = 3 * len(self.written) / self.far.rate + 2
        advance(self.pacer, self.far, self.now + enough_s, self.late_s)
        assert len(self.drained) == 1
        sound = self.far.sound[self.sound_before :]
        assert sound[: len(self.written)] == self.written
        padding = sound[len(self.written) :]
        assert padding == self.fmt.silence(200)[: len(padding)]
        assert len(padding) >= self.fmt.bytes_for_ms(self.far.tail_padding_ms)
        assert len(padding) < self.fmt.bytes_for_ms(self.far.tail_padding_ms + 20)
        assert len(self.pacer) == 0
        self._new_answer()

    @invariant()
    def nothing_lost_doubled_or_out_of_order(self) -> None:
        if not hasattr(self, "stream"):
            return
        sound = self.far.sound[self.sound_before :]
        assert (self.written + self.fmt.silence(200)).startswith(sound)
        for at, chunk, generation in self.far.played:
            assert len(chunk) % self.fmt.bytes_per_frame == 0
            assert len(chunk) <= self.fmt.bytes_for_ms(self.far.chunk_ms)
            assert at <= self.now
            assert generation <= self.generation

    @invariant()
    def never_too_far_ahead(self) -> None:
        if hasattr(self, "stream"):
            ahead_s = self.far.supply_until - self.now
            most_ms = max(0, self.far.lead_ms - 20) + self.far.chunk_ms
            if self.far.silence_every_s is not None:
                most_ms += 20  # behind what was broken off
            assert ahead_s <= most_ms / 1000 + 1e-6

    @invariant()
    def what_was_heard_is_known(self) -> None:
        if not hasattr(self, "stream") or not self.written or self.drained:
            return
        heard = self.far.heard_bytes(self.now)
        # What was played before this answer and, where it cannot be silenced, is still audible.
        of_this = max(0, min(heard - self._heard_before(), len(self.written)))
        known_ms = self.stream.heard_ms(self.now)
        assert abs(known_ms - self.fmt.ms_for_bytes(of_this)) <= TOLERANCE_MS
        left_ms = self.fmt.ms_for_bytes(len(self.written) - of_this)
        if left_ms > TOLERANCE_MS + self.fmt.ms_for_bytes(self.stream._frame_bytes):
            assert not self.stream.idle(self.now)

    def _heard_before(self) -> int:
        """Bytes of earlier answers that were, or still will be, heard."""
        left, total = self.sound_before, 0
        for (_, chunk, _), (_, size) in zip(self.far.played, self.far.heard_from, strict=False):
            if left <= 0:
                break
            left -= len(chunk)
            total += size
        return total

    @invariant()
    def drained_when_heard_and_not_before(self) -> None:
        if hasattr(self, "stream") and self.drained:
            assert len(self.drained) == 1
            assert self.finished
            assert self.far.heard_bytes(self.now) >= self._heard_before() + len(self.written)


TestAnyConversation = AnyConversation.TestCase
TestAnyConversation.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
