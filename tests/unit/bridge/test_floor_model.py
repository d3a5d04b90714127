"""A provider may say anything in any order: no error, and no audio of a cut answer is played."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.playout.heard import HeardPosition
from bridge.session.turn import Interruption, TurnKeeper
from bridge.session.turn_states import TurnState as S

IDS = st.sampled_from(["r1", "r2", "r3", "r4", ""])


class AnyOrder(RuleBasedStateMachine):
    """Beside a keeper of our own that knows only what is active and what is playing."""

    @initialize(cancels=st.booleans(), barge_in=st.booleans())
    def make(self, cancels: bool, barge_in: bool) -> None:
        self.turns = TurnKeeper(provider_cancels=cancels, barge_in=barge_in)
        self.cancels = cancels
        self.now = 0.0
        self.cut: set[str] = set()
        self.active: str | None = None
        self.playing = False

    def _interrupted(self, interruption: Interruption | None, before: int) -> None:
        if interruption is None:
            assert self.turns.generation == before
            return
        assert interruption.generation == before + 1 == self.turns.generation
        if self.active is not None:
            self.cut.add(self.active)
        self.active, self.playing = None, False
        assert all(heard in (0, 50) for _, heard in self.turns.cut(HeardPosition("i1", 50)))

    @rule()
    def time_passes(self) -> None:
        self.now += 0.1

    @rule()
    def speech_started(self) -> None:
        before, active = self.turns.generation, self.active
        interruption = self.turns.speech_started(self.now)
        if self.turns.barge_in and (self.playing or active is not None):
            assert interruption is not None
            assert interruption.cancel_response == (active is not None and not self.cancels)
        else:
            assert interruption is None
        self._interrupted(interruption, before)

    @rule()
    def speech_stopped(self) -> None:
        self.turns.speech_stopped(self.now)

    @rule()
    def response_awaited(self) -> None:
        self.turns.response_awaited(self.now)

    @rule(response_id=IDS)
    def response_started(self, response_id: str) -> None:
        self.turns.response_started(response_id, self.now)
        self.active = response_id
        self.cut.discard(response_id)

    @rule(response_id=IDS, item=st.sampled_from(["i1", "i2", "i3"]))
    def audio(self, response_id: str, item: str) -> None:
        played = self.turns.audio(response_id, item, self.now)
        assert not (played and response_id in self.cut)
        if played:
            self.active, self.playing = response_id, True
            assert self.turns.state is S.SPEAKING
        else:
            assert response_id != self.active

    @rule(response_id=IDS, calls=st.integers(0, 1))
    def response_done(self, response_id: str, calls: int) -> None:
        if self.turns.response_done(response_id, calls, self.now):
            assert self.active in (None, response_id)
            self.active = None
            if not self.playing:
                self.turns.drained(self.now)

    @rule(response_id=IDS)
    def interrupted(self, response_id: str) -> None:
        before = self.turns.generation
        interruption = self.turns.interrupted(response_id, self.now)
        self._interrupted(interruption, before)
        if interruption is None and not self.turns.barge_in and response_id in ("", self.active):
            self.active = None

    @precondition(lambda self: self.playing)
    @rule()
    def drained(self) -> None:
        self.turns.drained(self.now)
        self.playing = False

    @rule()
    def local_audio(self) -> None:
        self.turns.local_audio("ours", self.now)
        self.playing = True

    @rule()
    def first_frame(self) -> None:
        latency = self.turns.first_frame_sent(self.now, network_ms=1.0, playout_ms=0)
        if latency is not None:
            assert latency.total_ms >= latency.buffer_ms >= 0
            assert latency.model_ms is not None
            assert latency.model_ms >= 0

    @rule()
    def provider_lost(self) -> None:
        self.turns.provider_lost(self.now)
        self.active = None
        self.cut.clear()

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "turns"):
            assert self.turns.response_active == (self.active is not None)
            if self.playing:
                assert self.turns.state in (S.SPEAKING, S.DRAINING)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=30)
