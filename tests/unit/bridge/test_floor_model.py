"""A provider may say anything in any order: nothing cut is played, nothing due is lost."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.session.floor import Floor
from bridge.session.floor_states import FloorState as S

IDS = st.sampled_from(["r1", "r2", "r3", "r4", ""])


class AnyOrder(RuleBasedStateMachine):
    """Beside a floor of our own that knows only what is active, playing, asked for and due."""

    @initialize(interrupts=st.booleans(), barge_in=st.booleans())
    def make(self, interrupts: bool, barge_in: bool) -> None:
        self.floor = Floor(barge_in=barge_in)
        self.floor.interrupts = interrupts
        self.now = 0.0
        self.cut: set[str] = set()
        self.active: str | None = None
        self.asked = self.playing = False

    def _cut(self, generation: int | None, before: int) -> None:
        if generation is None:
            assert self.floor.generation == before
            return
        assert generation == before + 1 == self.floor.generation
        if self.active is not None:
            self.cut.add(self.active)
        self.active, self.playing, self.asked = None, False, False

    @rule()
    def time_passes(self) -> None:
        self.now += 0.1

    @rule(told=st.booleans())
    def caller_started(self, told: bool) -> None:
        floor, before = self.floor, self.floor.generation
        can_be_cut = self.playing or self.asked or self.active is not None
        kept = not floor.barge_in and (floor.due or floor.playing)
        generation = floor.caller_started(self.now, told=told)
        cuts = can_be_cut and not kept and not (told and floor.interrupts)
        assert (generation is not None) == cuts
        self._cut(generation, before)
        if cuts:
            assert not floor.due

    @rule(expects=st.booleans())
    def caller_stopped(self, expects: bool) -> None:
        self.floor.caller_stopped(self.now, expects_answer=expects)
        if expects:
            assert self.floor.due or self.floor.playing

    @rule()
    def ask(self) -> None:
        self.floor.asked()
        self.asked = True
        assert self.floor.due

    @rule(response_id=IDS)
    def response_started(self, response_id: str) -> None:
        self.floor.response_started(response_id)
        self.active, self.asked = response_id, False
        self.cut.discard(response_id)
        assert self.floor.due

    @rule(response_id=IDS)
    def audio(self, response_id: str) -> None:
        played = self.floor.audio(response_id, self.now)
        assert not (played and response_id in self.cut)
        if played:
            if self.active != response_id:
                self.asked = False
            self.active, self.playing = response_id, True
            assert self.floor.state is S.SPEAKING
        else:
            assert response_id != self.active

    @rule(response_id=IDS, heard=st.booleans())
    def response_done(self, response_id: str, heard: bool) -> None:
        due, speaks = self.floor.due, self.floor.state is S.CALLER_SPEAKING
        if self.floor.response_done(response_id, heard=heard):
            assert self.active in (None, response_id)
            self.active, self.asked = None, False
            if not heard and due and not speaks:
                assert self.floor.due

    @rule(response_id=IDS)
    def interrupted(self, response_id: str) -> None:
        before = self.floor.generation
        self._cut(self.floor.interrupted(response_id), before)

    @rule(response_id=IDS)
    def dropped(self, response_id: str) -> None:
        if self.floor.dropped(response_id):
            assert self.active is not None
            self.cut.add(self.active)
            self.active = None

    @rule(call_id=st.sampled_from(["c1", "c2"]), over=st.booleans())
    def function(self, call_id: str, over: bool) -> None:
        if over:
            self.floor.function_over(call_id)
        else:
            self.floor.function_called(call_id)

    @precondition(lambda self: self.active is not None and self.playing)
    @rule(full=st.booleans())
    def no_use(self, full: bool) -> None:
        before = self.floor.generation
        if full:
            self.floor.enough()
            self.cut.add(self.active or "")
            self.active = None
        else:
            self._cut(self.floor.unheard(), before)
            assert self.floor.state is S.THINKING

    @precondition(lambda self: self.playing and self.active is None)
    @rule()
    def drained(self) -> None:
        due = self.floor.due
        self.floor.drained()
        self.playing = False
        assert self.floor.due == due

    @rule()
    def local_audio(self) -> None:
        due = self.floor.due
        self.floor.local_audio()
        self.playing = True
        assert self.floor.due == due

    @rule()
    def broken_off(self) -> None:
        before = self.floor.generation
        self._cut(self.floor.broken_off(), before)
        assert self.floor.state is S.LISTENING

    @rule()
    def settled(self) -> None:
        self.floor.settled()
        if self.active is None:
            self.asked = False
            assert not self.floor.due

    @rule()
    def first_frame(self) -> None:
        latency = self.floor.first_frame_sent(self.now, network_ms=1.0, playout_ms=0)
        if latency is not None:
            assert latency.total_ms >= latency.buffer_ms >= 0
            assert latency.model_ms is not None
            assert latency.model_ms >= 0

    @rule()
    def provider_lost(self) -> None:
        due = self.floor.due
        self.floor.provider_lost()
        self.active, self.asked = None, False
        self.cut.clear()
        assert self.floor.due == due

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "floor"):
            assert self.floor.response_active == (self.active is not None)
            assert self.floor.playing == self.playing
            if self.active is not None and not self.playing:
                assert self.floor.due


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
