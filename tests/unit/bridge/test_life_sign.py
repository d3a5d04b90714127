"""A provider that is connected and says nothing."""

from bridge.session.life_sign import LATE_S, PAUSE_S, REPLY_S, LifeAction, LifeSign

SIGN_S = 0.8


def watched() -> LifeSign:
    life = LifeSign()
    life.notices_within_s = SIGN_S
    return life


def test_nothing_is_asked_of_a_provider_that_speaks():
    life = watched()
    life.voice_changed(0.0, 5)
    assert life.look(0.25, 5) is None
    assert life.look(0.5, 6) is None
    assert life.look(10.0, 6) is None


def test_one_that_answers_is_left_alone_for_a_while():
    life = watched()
    life.voice_changed(0.0, 5)
    assert life.look(SIGN_S, 5) is LifeAction.ASK
    assert life.look(SIGN_S + 0.25, 6) is LifeAction.ALIVE
    life.voice_changed(SIGN_S + 0.5, 6)
    assert life.look(SIGN_S + 5, 6) is None
    life.voice_changed(SIGN_S + 0.25 + PAUSE_S, 6)
    assert life.look(SIGN_S + 0.25 + PAUSE_S + SIGN_S, 6) is LifeAction.ASK


def test_one_that_does_not_answer_is_dead_once():
    life = watched()
    life.voice_changed(0.0, 5)
    life.voice_changed(0.5, 5)  # the end of the same word moves nothing
    assert life.look(SIGN_S, 5) is LifeAction.ASK
    assert life.look(SIGN_S + LATE_S - 0.01, 5) is None
    assert life.look(SIGN_S + LATE_S, 5) is LifeAction.LATE
    assert life.look(SIGN_S + REPLY_S - 0.01, 5) is None
    assert life.look(SIGN_S + REPLY_S, 5) is LifeAction.DEAD
    assert life.look(SIGN_S + REPLY_S + 1, 5) is None


def test_another_connection_owes_nothing():
    life = watched()
    life.voice_changed(0.0, 5)
    life.forget()
    assert life.look(9.0, 5) is None


def test_one_that_may_be_well_and_silent_owes_nothing():
    life = LifeSign()
    life.voice_changed(0.0, 5)
    assert life.look(100.0, 5) is None
