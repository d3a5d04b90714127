"""Whose turn it is, which audio may be played, and what is due."""

from __future__ import annotations

import pytest

from bridge.errors import LocalProtocolError
from bridge.session.floor import Floor
from bridge.session.floor_states import FLOOR_TABLE, FloorEvent, FloorState

S = FloorState


def speaking(**options) -> Floor:
    """The caller asked, the agent is heard, more is to come."""
    floor = Floor(**options)
    floor.caller_started(0.0)
    floor.caller_stopped(1.0)
    floor.response_started("r1")
    assert floor.audio("r1", 1.5)
    assert floor.state is S.SPEAKING
    return floor


def test_a_turn_from_begin_to_end():
    floor = Floor()
    seen = [floor.state]
    for step in (
        lambda: floor.caller_started(0.0),
        lambda: floor.caller_stopped(1.0),
        lambda: floor.response_started("r"),
        lambda: floor.audio("r", 1.4),
        lambda: floor.response_done("r", heard=True),
        lambda: floor.drained(),
    ):
        step()
        seen.append(floor.state)
    assert seen == [
        S.LISTENING,
        S.CALLER_SPEAKING,
        S.THINKING,
        S.THINKING,
        S.SPEAKING,
        S.DRAINING,
        S.LISTENING,
    ]


def test_barge_in_cuts():
    floor = speaking()
    assert floor.caller_started(2.0) == 1
    assert floor.state is S.CALLER_SPEAKING
    assert not floor.audio("r1", 2.1)
    assert not floor.audio("r9", 2.1), "nobody announced it"


@pytest.mark.parametrize("asked", [True, False])
def test_what_is_asked_for_or_begun_is_cut_before_its_first_sound(asked):
    floor = Floor()
    floor.caller_stopped(1.0)
    if asked:
        floor.asked()
    else:
        floor.response_started("r1")
    assert floor.caller_started(1.2) == 1
    assert not floor.audio("r1", 1.3)


def test_nothing_to_cut_is_no_interruption():
    floor = Floor()
    assert floor.caller_started(0.0) is None
    floor.caller_stopped(1.0)
    assert floor.caller_started(1.1) is None
    assert floor.generation == 0


def test_a_provider_that_interrupts_cuts_by_its_own_word_only():
    floor = speaking()
    floor.interrupts = True
    assert floor.caller_started(2.0) is None
    assert floor.state is S.SPEAKING
    assert floor.interrupted("r9") is None, "another answer"
    assert floor.interrupted("r1") == 1
    assert floor.state is S.CALLER_SPEAKING


def test_a_key_cuts_whoever_interrupts():
    floor = speaking()
    floor.interrupts = True
    assert floor.caller_started(2.0, told=False) == 1


def test_a_second_interruption_finds_nothing():
    floor = speaking()
    assert floor.caller_started(2.0) == 1
    assert floor.interrupted("") is None


def test_without_barge_in_the_agent_keeps_the_floor():
    floor = speaking(barge_in=False)
    assert floor.caller_started(2.0) is None
    assert floor.dropped("r1")
    assert not floor.dropped("r1")
    assert floor.state is S.DRAINING
    assert not floor.audio("r1", 2.2)


def test_a_cut_answer_number_may_come_back_when_it_is_announced():
    floor = speaking()
    floor.caller_started(2.0)
    floor.response_started("r1")
    assert floor.audio("r1", 2.1)


def test_audio_behind_a_guessed_end_is_wanted():
    floor = speaking()
    floor.response_done("r1", heard=True)
    assert floor.audio("r1", 2.0)
    assert floor.response_active


def test_an_answer_nobody_heard_leaves_one_due():
    floor = Floor()
    floor.caller_stopped(1.0)
    floor.response_started("r1")
    assert floor.response_done("r1", heard=False)
    assert floor.due
    assert floor.state is S.THINKING


@pytest.mark.parametrize("order", ["result first", "done first", "call after done"])
def test_a_function_leaves_an_answer_due(order):
    floor = Floor()
    floor.caller_stopped(1.0)
    floor.response_started("r1")
    steps = {
        "result first": [floor.function_called, floor.function_over, None],
        "done first": [floor.function_called, None, floor.function_over],
        "call after done": [None, floor.function_called, floor.function_over],
    }[order]
    for step in steps:
        if step is None:
            floor.response_done("r1", heard=True)
        else:
            step("c1")
    assert floor.due
    assert not floor.functions
    floor.response_started("r2")
    floor.audio("r2", 3.0)
    floor.response_done("r2", heard=True)
    assert not floor.due


def test_the_end_of_another_answer_or_of_none_moves_nothing():
    floor = speaking()
    assert not floor.response_done("r9", heard=False)
    assert floor.state is S.SPEAKING
    assert not Floor().response_done("r9", heard=False)


def test_a_refused_request_is_the_end_of_what_was_asked():
    floor = Floor()
    floor.asked()
    assert floor.response_done("", heard=False)
    assert floor.due


def test_a_turn_that_expects_nothing_makes_nothing_due():
    floor = Floor()
    floor.caller_started(0.0)
    floor.caller_stopped(1.0, expects_answer=False)
    assert floor.state is S.LISTENING


def test_what_is_due_is_still_due_when_the_provider_goes():
    floor = Floor()
    floor.caller_stopped(1.0)
    floor.provider_lost()
    assert floor.due
    floor.settled()
    assert not floor.due


def test_an_answer_that_was_heard_in_part_is_due_from_the_next():
    floor = speaking()
    floor.provider_lost()
    assert floor.state is S.SPEAKING
    floor.drained()
    assert floor.state is S.THINKING


def test_words_of_ours_change_nothing_about_what_is_due():
    floor = Floor()
    floor.caller_stopped(1.0)
    floor.local_audio()
    assert floor.due and floor.playing
    floor.drained()
    assert floor.state is S.THINKING
    floor = Floor()
    floor.local_audio()
    assert not floor.due
    floor.drained()
    assert floor.state is S.LISTENING


def test_soundless_audio_is_dropped_and_an_answer_still_due():
    floor = speaking()
    assert floor.unheard() == 1
    assert floor.state is S.THINKING
    assert not floor.audio("r1", 2.0)
    floor.response_started("r2")
    assert floor.audio("r2", 2.0)


def test_a_full_queue_ends_the_answer_and_plays_what_is_here():
    floor = speaking()
    floor.enough()
    assert floor.state is S.DRAINING
    assert not floor.audio("r1", 2.0)
    assert floor.generation == 0


def test_a_broken_line_ends_everything():
    floor = speaking()
    assert floor.broken_off() == 1
    assert floor.state is S.LISTENING
    assert not floor.audio("r1", 2.0)


def test_latency_is_told_once_for_each_turn():
    floor = speaking()
    latency = floor.first_frame_sent(1.6, network_ms=100.0, playout_ms=60)
    assert latency.turn == 1
    assert latency.total_ms == pytest.approx(600)
    assert latency.model_ms == pytest.approx(400)
    assert latency.buffer_ms == pytest.approx(100)
    assert floor.first_frame_sent(1.7, network_ms=None, playout_ms=60) is None
    assert floor.turns_answered == 1


def test_audio_nobody_waits_for_has_no_latency():
    floor = Floor()
    floor.response_started("r1")
    floor.audio("r1", 1.0)
    assert floor.first_frame_sent(1.1, network_ms=None, playout_ms=0) is None


def test_audio_where_nothing_is_due_is_a_bug_of_ours():
    with pytest.raises(LocalProtocolError, match="AUDIO"):
        FLOOR_TABLE.next(S.LISTENING, FloorEvent.AUDIO)
