"""When a wait for an answer is covered, and when it is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.session.answer_watch import AnswerLate, AnswerWatch

COVER_S = 2


def test_a_silent_wait_is_covered_again_and_again_and_ended_once():
    watch = AnswerWatch(replace_s=6)
    looks = range(7)
    told = [(t, watch.look(t, waiting=True, owed=True, cover_s=COVER_S)) for t in looks]
    assert [pair for pair in told if pair[1]] == [
        (2, AnswerLate.COVER),
        (4, AnswerLate.COVER),
        (6, AnswerLate.REPLACE),
    ]


def test_a_wait_may_have_a_limit_of_its_own():
    watch = AnswerWatch(replace_s=6)
    told = [watch.look(t / 2, waiting=True, owed=False, cover_s=1) for t in range(3)]
    assert told == [None, None, AnswerLate.COVER]


def test_an_answer_begins_a_new_wait():
    watch = AnswerWatch(replace_s=6)
    assert watch.look(0, waiting=True, owed=True, cover_s=COVER_S) is None
    assert watch.look(2, waiting=True, owed=True, cover_s=COVER_S) is AnswerLate.COVER
    assert watch.look(3, waiting=False, owed=False, cover_s=COVER_S) is None
    assert watch.look(4, waiting=True, owed=True, cover_s=COVER_S) is None
    assert watch.look(6, waiting=True, owed=True, cover_s=COVER_S) is AnswerLate.COVER


def test_words_of_ours_do_not_end_the_wait():
    watch = AnswerWatch(replace_s=6)
    watch.look(0, waiting=True, owed=True, cover_s=COVER_S)
    assert watch.look(2, waiting=True, owed=True, cover_s=COVER_S) is AnswerLate.COVER
    assert watch.look(3, waiting=False, owed=True, cover_s=COVER_S) is None
    assert watch.look(5, waiting=True, owed=True, cover_s=COVER_S) is None
    assert watch.look(6, waiting=True, owed=True, cover_s=COVER_S) is AnswerLate.REPLACE


@given(st.lists(st.tuples(st.floats(0.01, 3), st.booleans(), st.booleans()), max_size=60))
def test_nothing_is_told_of_a_wait_shorter_than_its_limit(looks):
    watch = AnswerWatch(replace_s=6)
    now, waiting_s, owed_s = 0.0, 0.0, 0.0
    waiting_before = owed_before = False
    for step_s, waiting, owed in looks:
        now += step_s
        waiting_s = waiting_s + step_s if waiting and waiting_before else 0.0
        owed_s = owed_s + step_s if owed and owed_before else 0.0
        late = watch.look(now, waiting=waiting, owed=owed, cover_s=COVER_S)
        if late is AnswerLate.COVER:
            assert waiting_s >= 2 - 1e-6
        if late is AnswerLate.REPLACE:
            assert owed_s >= 6 - 1e-6
        waiting_before, owed_before = waiting, owed
