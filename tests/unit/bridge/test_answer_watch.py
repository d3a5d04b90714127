"""When a wait for an answer is covered, and when it is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.answer_watch import AnswerLate, AnswerWatch


def test_a_wait_is_covered_once_and_ended_once():
    watch = AnswerWatch(cover_s=2, replace_s=6)
    told = [(t, watch.look(t, waiting=True, owed=True)) for t in range(8)]
    assert [pair for pair in told if pair[1]] == [(2, AnswerLate.COVER), (6, AnswerLate.REPLACE)]


def test_an_answer_begins_a_new_wait():
    watch = AnswerWatch(cover_s=2, replace_s=6)
    assert watch.look(0, waiting=True, owed=True) is None
    assert watch.look(2, waiting=True, owed=True) is AnswerLate.COVER
    assert watch.look(3, waiting=False, owed=False) is None
    assert watch.look(4, waiting=True, owed=True) is None
    assert watch.look(6, waiting=True, owed=True) is AnswerLate.COVER


def test_words_of_ours_do_not_end_the_wait():
    watch = AnswerWatch(cover_s=2, replace_s=6)
    watch.look(0, waiting=True, owed=True)
    assert watch.look(2, waiting=True, owed=True) is AnswerLate.COVER
    assert watch.look(3, waiting=False, owed=True) is None
    assert watch.look(5, waiting=True, owed=True) is None
    assert watch.look(6, waiting=True, owed=True) is AnswerLate.REPLACE


@given(st.lists(st.tuples(st.floats(0.01, 3), st.booleans(), st.booleans()), max_size=60))
def test_nothing_is_told_of_a_wait_shorter_than_its_limit(looks):
    watch = AnswerWatch(cover_s=2, replace_s=6)
    now, waiting_s, owed_s = 0.0, 0.0, 0.0
    waiting_before = owed_before = False
    for step_s, waiting, owed in looks:
        now += step_s
        waiting_s = waiting_s + step_s if waiting and waiting_before else 0.0
        owed_s = owed_s + step_s if owed and owed_before else 0.0
        late = watch.look(now, waiting=waiting, owed=owed)
        if late is AnswerLate.COVER:
            assert waiting_s >= 2 - 1e-6
        if late is AnswerLate.REPLACE:
            assert owed_s >= 6 - 1e-6
        waiting_before, owed_before = waiting, owed
