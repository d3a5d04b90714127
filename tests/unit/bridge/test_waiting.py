"""When a wait for an answer is covered, and when it is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.session.waiting import AGAIN_S, LOOK_S, AnswerLate, Wait

COVER_S = 2


def test_a_silent_wait_is_covered_again_and_again_and_ended_once():
    wait = Wait(replace_s=6)
    looks = range(7)
    told = [(t, wait.look(t, silent=True, provider_owes=True, cover_s=COVER_S)) for t in looks]
    assert [pair for pair in told if pair[1]] == [
        (2, AnswerLate.COVER),
        (4, AnswerLate.COVER),
        (6, AnswerLate.REPLACE),
    ]


def test_a_wait_may_have_a_limit_of_its_own():
    wait = Wait(replace_s=6)
    told = [wait.look(t / 2, silent=True, provider_owes=False, cover_s=1) for t in range(3)]
    assert told == [None, None, AnswerLate.COVER]


def test_an_answer_begins_a_new_wait():
    wait = Wait(replace_s=6)
    assert wait.look(0, silent=True, provider_owes=True, cover_s=COVER_S) is None
    assert wait.look(2, silent=True, provider_owes=True, cover_s=COVER_S) is AnswerLate.COVER
    assert wait.look(3, silent=False, provider_owes=False, cover_s=COVER_S) is None
    assert wait.look(4, silent=True, provider_owes=True, cover_s=COVER_S) is None
    assert wait.look(6, silent=True, provider_owes=True, cover_s=COVER_S) is AnswerLate.COVER


def test_words_of_ours_do_not_end_the_wait():
    wait = Wait(replace_s=6)
    wait.look(0, silent=True, provider_owes=True, cover_s=COVER_S)
    assert wait.look(2, silent=True, provider_owes=True, cover_s=COVER_S) is AnswerLate.COVER
    assert wait.look(3, silent=False, provider_owes=True, cover_s=COVER_S) is None
    assert wait.look(5, silent=True, provider_owes=True, cover_s=COVER_S) is None
    assert wait.look(6, silent=True, provider_owes=True, cover_s=COVER_S) is AnswerLate.REPLACE


def test_a_provider_that_does_something_is_waited_for_anew():
    wait = Wait(replace_s=6)
    for now in range(6):
        wait.look(now, silent=True, provider_owes=True, cover_s=100)
    wait.progress()
    late = [wait.look(now, silent=True, provider_owes=True, cover_s=100) for now in range(6, 13)]
    assert late == [None] * 6 + [AnswerLate.REPLACE]


def test_once_a_fault_is_known_the_first_words_come_soon():
    wait = Wait(replace_s=60)
    wait.fault()
    looks = [n / 4 for n in range(1, 16)]
    told = [t for t in looks if wait.look(t, silent=True, provider_owes=False, cover_s=1.5)]
    assert told == [0.5, 1.75, 3.0]


def test_a_fault_that_was_made_good_is_forgotten():
    wait = Wait(replace_s=60)
    wait.fault()
    wait.answered()
    assert wait.look(0.25, silent=True, provider_owes=False, cover_s=1.5) is None
    assert wait.look(0.75, silent=True, provider_owes=False, cover_s=1.5) is None


def test_an_answer_that_is_still_heard_is_not_waited_for():
    wait = Wait(replace_s=6)
    late = [wait.look(now, silent=False, provider_owes=True, cover_s=1) for now in range(20)]
    assert late == [None] * 20


@given(st.lists(st.tuples(st.floats(0.01, 3), st.booleans(), st.booleans()), max_size=60))
def test_nothing_is_told_of_a_wait_shorter_than_its_limit(looks):
    wait = Wait(replace_s=6)
    now = silent_s = owed_s = 0.0
    silent_before = owes_before = covered = False
    for step_s, silent, owes in looks:
        now += step_s
        silent_s = silent_s + step_s if silent and silent_before else 0.0
        owed_s = owed_s + step_s if owes and owes_before else 0.0
        late = wait.look(now, silent=silent, provider_owes=owes, cover_s=COVER_S)
        if late is AnswerLate.COVER:
            assert silent_s >= (AGAIN_S if covered else COVER_S) - LOOK_S - 1e-6
            covered = True
        if late is AnswerLate.REPLACE:
            assert owed_s >= 6 - 1e-6
        silent_before, owes_before = silent, owes


def test_the_longest_silence_is_kept() -> None:
    """Words of ours begin the next silence; the longest is what the caller remembers."""
    wait = Wait(replace_s=6)
    for now, silent in ((1.0, True), (2.0, True), (2.25, False), (3.0, True), (3.25, True)):
        wait.look(now, silent=silent, provider_owes=True, cover_s=9)
    assert wait.longest_s == 1.25
