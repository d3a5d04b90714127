import pytest

from bridge.errors import LocalProtocolError
from bridge.playout.heard import HeardPosition
from bridge.session.turn import Interruption, Truncation, TurnKeeper
from bridge.session.turn_states import TURN_TABLE, TurnEvent, TurnState

S = TurnState


def speaking(**options) -> TurnKeeper:
    """The caller asked, the agent is heard, more is to come."""
    turns = TurnKeeper(**{"provider_cancels": False} | options)
    turns.speech_started(0.0)
    turns.speech_stopped(1.0)
    turns.response_started("r1", 1.2)
    assert turns.audio("r1", "i1", 1.5)
    assert turns.state is S.SPEAKING
    return turns


def test_a_turn_from_begin_to_end() -> None:
    turns = TurnKeeper(provider_cancels=False)
    seen = [turns.state]
    for step in (
        lambda: turns.speech_started(0.0),
        lambda: turns.speech_stopped(1.0),
        lambda: turns.response_started("r", 1.1),
        lambda: turns.audio("r", "i", 1.4),
        lambda: turns.response_done("r", 0, 2.0),
        lambda: turns.drained(5.0),
    ):
        step()
        seen.append(turns.state)
    assert seen == [
        S.LISTENING,
        S.CALLER_SPEAKING,
        S.THINKING,
        S.THINKING,
        S.SPEAKING,
        S.DRAINING,
        S.LISTENING,
    ]


def test_barge_in_cuts_and_cancels() -> None:
    turns = speaking()
    assert turns.speech_started(2.0) == Interruption(generation=1, cancel_response=True)
    assert turns.state is S.CALLER_SPEAKING
    assert turns.cut(HeardPosition("i1", 480)) == [Truncation("i1", 480)]


def test_a_provider_that_cancels_itself_is_not_told_to() -> None:
    turns = speaking(provider_cancels=True)
    assert turns.speech_started(2.0) == Interruption(1, cancel_response=False)


def test_a_complete_answer_is_cut_without_cancelling() -> None:
    turns = speaking()
    assert turns.response_done("r1", 0, 1.9)
    assert turns.speech_started(2.0) == Interruption(1, cancel_response=False)


def test_an_answer_not_yet_heard_is_cancelled_too() -> None:
    turns = TurnKeeper(provider_cancels=False)
    turns.speech_stopped(1.0)
    turns.response_started("r1", 1.1)
    assert turns.speech_started(1.2) == Interruption(1, cancel_response=True)
    assert not turns.audio("r1", "i1", 1.3)
    assert turns.cut(None) == []


def test_nothing_to_cut_is_no_interruption() -> None:
    turns = TurnKeeper(provider_cancels=False)
    assert turns.speech_started(0.0) is None
    turns.speech_stopped(1.0)
    assert turns.speech_started(1.1) is None
    assert turns.generation == 0


def test_late_audio_of_a_cut_answer_is_never_played() -> None:
    turns = speaking()
    turns.speech_started(2.0)
    assert not turns.audio("r1", "i1", 2.01)
    assert not turns.audio("r1", "i2", 2.02)
    assert not turns.response_done("r1", 0, 2.03)
    turns.speech_stopped(3.0)
    assert not turns.audio("r1", "i1", 3.1)
    turns.response_started("r2", 3.2)
    assert not turns.audio("r1", "i1", 3.3)
    assert turns.audio("r2", "i3", 3.4)
    assert turns.state is S.SPEAKING


def test_after_an_interruption_only_an_announced_answer_is_played() -> None:
    turns = speaking()
    turns.response_done("r1", 0, 1.9)
    turns.speech_started(2.0)
    turns.speech_stopped(2.5)
    assert not turns.audio("never announced", "i9", 2.6)
    turns.response_started("r2", 2.7)
    assert turns.audio("r2", "i2", 2.8)


def test_otherwise_audio_announces_itself() -> None:
    turns = TurnKeeper(provider_cancels=False)
    assert turns.audio("r1", "i1", 0.0)
    assert turns.state is S.SPEAKING
    assert turns.response_done("r1", 0, 0.1)
    assert turns.audio("r2", "i2", 0.2)
    assert turns.state is S.SPEAKING


def test_audio_behind_the_end_of_its_answer_is_not_played() -> None:
    turns = speaking()
    turns.response_done("r1", 0, 1.9)
    assert not turns.audio("r1", "i1", 2.0)
    assert turns.state is S.DRAINING


def test_a_provider_that_numbers_nothing() -> None:
    turns = TurnKeeper(provider_cancels=True)
    for _ in range(3):
        turns.response_started("", 0.0)
        assert turns.audio("", "", 0.1)
        assert turns.interrupted("", 0.2) is not None
        assert not turns.audio("", "", 0.3)
        turns.response_started("", 0.4)
        assert turns.audio("", "", 0.5)
        assert turns.response_done("", 0, 0.6)
        turns.drained(0.7)


def test_the_provider_itself_cuts() -> None:
    turns = speaking()
    assert turns.interrupted("r1", 2.0) == Interruption(1, cancel_response=False)
    assert turns.state is S.CALLER_SPEAKING
    assert not turns.audio("r1", "i1", 2.1)
    assert turns.interrupted("r1", 2.2) is None
    assert turns.speech_started(2.3) is None


def test_news_of_an_older_answer_cuts_nothing() -> None:
    turns = speaking()
    turns.response_started("r2", 2.0)
    assert turns.interrupted("r1", 2.1) is None
    assert not turns.response_done("r1", 0, 2.2)
    assert turns.response_active
    assert turns.state is S.SPEAKING


def test_words_that_must_be_heard() -> None:
    turns = speaking(barge_in=False)
    assert turns.speech_started(2.0) is None
    turns.speech_stopped(2.5)
    assert turns.state is S.SPEAKING
    assert turns.audio("r1", "i1", 2.6)
    assert turns.interrupted("r1", 2.7) is None
    assert turns.state is S.DRAINING
    turns.drained(3.0)
    assert turns.speech_started(3.1) is None
    assert turns.state is S.CALLER_SPEAKING
    assert turns.generation == 0


def test_speech_that_may_not_interrupt_starts_no_wait() -> None:
    turns = speaking(barge_in=False)
    assert turns.first_frame_sent(1.5, network_ms=0, playout_ms=0) is not None
    turns.speech_stopped(2.0)
    turns.audio("r1", "i1", 2.1)
    assert turns.first_frame_sent(2.1, network_ms=0, playout_ms=0) is None


def test_history_keeps_what_was_heard_and_no_more() -> None:
    turns = speaking()
    for item in ("i1", "i2", "i2", "i3", "i4"):
        turns.audio("r1", item, 1.6)
    turns.speech_started(2.0)
    assert turns.cut(HeardPosition("i2", 300)) == [
        Truncation("i2", 300),
        Truncation("i3", 0),
        Truncation("i4", 0),
    ]
    assert turns.cut(HeardPosition("i2", 300)) == []


def test_heard_nothing_removes_all() -> None:
    turns = speaking()
    turns.audio("r1", "i2", 1.6)
    turns.speech_started(2.0)
    assert turns.cut(HeardPosition("i1", 0)) == [Truncation("i1", 0), Truncation("i2", 0)]


def test_our_own_words_are_unknown_to_the_provider() -> None:
    turns = TurnKeeper(provider_cancels=False)
    turns.speech_stopped(0.0)
    turns.response_awaited(0.1)
    turns.local_audio("filler", 1.0)
    assert turns.state is S.SPEAKING
    turns.audio("r1", "i1", 1.5)
    assert turns.speech_started(2.0) is not None
    assert turns.cut(HeardPosition("filler", 700)) == [Truncation("i1", 0)]


def test_what_was_heard_to_its_end_is_not_cut_later() -> None:
    turns = speaking()
    turns.response_done("r1", 0, 2.0)
    turns.drained(3.0)
    turns.response_started("r2", 4.0)
    turns.audio("r2", "i2", 4.1)
    turns.speech_started(4.2)
    assert turns.cut(HeardPosition("i2", 100)) == [Truncation("i2", 100)]


def test_functions_keep_the_floor_until_the_answer_after_them() -> None:
    turns = speaking()
    assert turns.response_done("r1", 1, 2.0)
    assert turns.state is S.SPEAKING
    turns.drained(2.5)
    assert turns.state is S.THINKING
    turns.response_awaited(3.0)
    turns.response_started("r2", 3.1)
    assert turns.audio("r2", "i2", 3.4)
    assert turns.response_done("r2", 0, 3.5)
    turns.drained(6.0)
    assert turns.state is S.LISTENING


def test_an_answer_without_sound_gives_the_floor_back() -> None:
    turns = TurnKeeper(provider_cancels=False)
    turns.speech_stopped(0.0)
    turns.response_started("r", 0.1)
    assert turns.response_done("r", 0, 0.2)
    turns.drained(0.2)
    assert turns.state is S.LISTENING


def test_a_lost_provider_is_heard_out_and_forgotten() -> None:
    turns = speaking()
    turns.provider_lost(2.0, provider_cancels=True)
    assert turns.state is S.DRAINING
    assert not turns.response_active
    assert turns.speech_started(2.5) == Interruption(1, cancel_response=False)
    # The next provider never had these items.
    assert turns.cut(HeardPosition("i1", 500)) == []


def test_the_next_providers_numbers_may_be_the_same() -> None:
    turns = speaking()
    turns.speech_started(2.0)
    turns.provider_lost(2.1)
    assert turns.audio("r1", "i1", 3.0)


def test_where_the_time_of_a_turn_went() -> None:
    turns = speaking()
    latency = turns.first_frame_sent(1.52, network_ms=80.0, playout_ms=45)
    assert latency is not None
    assert latency.turn == 1
    assert latency.total_ms == pytest.approx(520)
    assert latency.network_ms == 80.0
    assert latency.model_ms == pytest.approx(420)
    assert latency.buffer_ms == pytest.approx(20)
    assert latency.playout_ms == 45
    assert turns.first_frame_sent(1.6, network_ms=80.0, playout_ms=45) is None


def test_time_that_is_not_known_is_not_made_up() -> None:
    latency = speaking().first_frame_sent(1.52, network_ms=None, playout_ms=0)
    assert latency is not None
    assert (latency.network_ms, latency.model_ms) == (None, None)
    slow_network = speaking().first_frame_sent(1.52, network_ms=9000, playout_ms=0)
    assert slow_network is not None
    assert slow_network.model_ms == 0


def test_nobody_waited_for_a_greeting_or_a_filler() -> None:
    turns = TurnKeeper(provider_cancels=False)
    turns.response_awaited(0.0)
    turns.audio("r1", "i1", 0.5)
    assert turns.first_frame_sent(0.5, network_ms=1, playout_ms=0) is None
    turns = TurnKeeper(provider_cancels=False)
    turns.speech_stopped(0.0)
    turns.local_audio("filler", 1.0)
    assert turns.first_frame_sent(1.0, network_ms=1, playout_ms=0) is None


def test_the_first_end_of_a_turn_counts() -> None:
    turns = TurnKeeper(provider_cancels=False)
    turns.audio("r1", "greeting", 0.0)
    turns.response_done("r1", 0, 0.1)
    turns.drained(1.0)
    turns.speech_stopped(2.0)
    turns.speech_stopped(2.2)
    turns.audio("r2", "i2", 2.5)
    latency = turns.first_frame_sent(2.6, network_ms=0, playout_ms=0)
    assert latency is not None
    assert latency.total_ms == pytest.approx(600)
    assert latency.buffer_ms == pytest.approx(100)


def test_an_interruption_starts_the_count_anew() -> None:
    turns = speaking()
    turns.speech_started(2.0)
    turns.speech_stopped(4.0)
    turns.response_started("r2", 4.1)
    turns.audio("r2", "i2", 4.3)
    latency = turns.first_frame_sent(4.3, network_ms=0, playout_ms=0)
    assert latency is not None
    assert latency.total_ms == pytest.approx(300)


@pytest.mark.parametrize("event", TurnEvent)
@pytest.mark.parametrize("state", TurnState)
def test_every_pair_is_in_the_table_or_raises(state: TurnState, event: TurnEvent) -> None:
    if TURN_TABLE.allows(state, event):
        assert isinstance(TURN_TABLE.next(state, event), TurnState)
    else:
        assert event is TurnEvent.AUDIO
        assert state not in (S.THINKING, S.SPEAKING)
        with pytest.raises(LocalProtocolError):
            TURN_TABLE.next(state, event)


def test_the_diagram_shows_every_state_and_change() -> None:
    diagram = TURN_TABLE.diagram()
    assert diagram.startswith("stateDiagram-v2\n    [*] --> LISTENING\n")
    for state, row in TURN_TABLE.transitions.items():
        for event, target in row.items():
            lines = [
                t
                for t in diagram.splitlines()
                if t.startswith(f"    {state.name} --> {target.name}:")
            ]
            assert len(lines) == 1
            assert event.name.lower() in lines[0].split(": ")[1].split(", ")
