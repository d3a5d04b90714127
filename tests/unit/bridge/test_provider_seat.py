"""Who serves a conversation when providers fail, and how a session limit is crossed."""

from __future__ import annotations

import pytest

from bridge.ports import EndCause
from bridge.providers import base as p
from bridge.session import provider
from bridge.session.states import SessionState
from tests.unit.bridge.session_kit import Stage


@pytest.fixture
def stage(monkeypatch):
    return lambda providers=1, **config: Stage(monkeypatch, providers, **config)


def said(stage: Stage, text: str) -> None:
    stage.events(p.TranscriptFinal(p.Speaker.CALLER, text, text))


def test_while_it_rings_each_provider_is_tried_twice(stage):
    s = stage(providers=2)
    s.session.prepare()
    for _ in range(3):
        s.fail()
        s.reconnect()
    s.fail()
    assert s.told.end.cause is EndCause.PROVIDER_FAILED
    assert len(s.links) == 4


def test_what_cannot_get_better_is_not_tried_again(stage):
    s = stage(providers=2)
    s.session.prepare()
    s.fail(kind=p.ErrorKind.AUTHENTICATION, retryable=False)
    s.reconnect()
    s.fail(kind=p.ErrorKind.AUTHENTICATION, retryable=False)
    assert s.told.end.error_kind is p.ErrorKind.AUTHENTICATION
    assert len(s.links) == 2


def test_in_a_conversation_the_same_provider_gets_several_chances(stage):
    s = stage().talking()
    said(s, "a question")
    s.fail()
    pauses = []
    while s.told.end is None:
        pauses.append(s.later[0][0])
        s.reconnect()
        s.fail()
    assert pauses == list(provider.RECOVERY_PAUSES_S)
    assert s.told.end.cause is EndCause.PROVIDER_FAILED


def test_one_that_comes_up_and_breaks_for_ever_is_given_up(stage):
    s = stage().talking()
    for _ in range(provider.MAX_REPLACEMENTS):
        s.fail()
        s.reconnect().ready()
    s.fail()
    assert s.told.end.cause is EndCause.PROVIDER_FAILED


def test_the_new_one_knows_what_was_said_and_does_not_greet_again(stage):
    s = stage(greeting="Hello.").talking()
    s.events(p.TranscriptFinal(p.Speaker.AGENT, "i0", "Hello."))
    said(s, "a question")
    s.fail()
    assert s.session.state is SessionState.WAITING
    s.reconnect().ready()
    assert s.session.state is SessionState.TALKING
    assert s.link.options.greeting == ""
    assert s.link.options.history == (
        (p.Speaker.AGENT, "Hello."),
        (p.Speaker.CALLER, "a question"),
    )
    assert s.commands[-1] == ("request_response",)


def test_a_greeting_that_was_never_said_is_said_by_the_next(stage):
    s = stage(greeting="Hello.").talking()
    s.fail()
    assert s.reconnect().options.greeting == "Hello."


def test_events_of_a_connection_that_was_left_are_nothing(stage):
    s = stage().talking()
    old = s.link
    s.fail()
    s.reconnect().ready()
    old.on_events([p.SpeechStarted(), p.Audio("r1", "i1", bytes(160))])
    old.on_closed(p.ProviderFailure(p.ErrorKind.CONNECTION, "late", "", True, True))
    assert s.session.state is SessionState.TALKING
    assert len(s.links) == 2
    assert s.session.late_audio_dropped == 0


# --- session limits ---------------------------------------------


def test_a_session_limit_is_crossed_in_a_pause(stage):
    s = stage().talking()
    old = s.link
    s.answer(ms=600)
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    assert len(s.links) == 1  # not while the agent speaks
    s.after(0.6)
    assert len(s.links) == 2
    s.link.ready()
    assert not old.closed
    s.after(0.3)
    assert old.closed
    assert s.session.state is SessionState.TALKING
    assert s.told.of("provider_trouble") == []
    s.answer("r9", ms=200)
    s.after(0.4)
    assert not s.session.agent_speaking


def test_who_speaks_meanwhile_is_heard_to_the_end_by_the_old_one(stage):
    s = stage().talking()
    old = s.link
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    waiting = s.link
    assert waiting is not old
    old.on_events([p.SpeechStarted()])
    waiting.ready()
    s.after(0.5)
    assert not old.closed
    old.on_events([p.SpeechStopped(), p.TranscriptFinal(p.Speaker.CALLER, "i1", "a question")])
    old.on_events([p.ResponseStarted("r1"), p.ResponseDone("r1", "completed")])
    s.after(0.3)
    # it does not know what was said since: one that does is made
    assert waiting.closed
    assert s.link.options.history == ((p.Speaker.CALLER, "a question"),)
    s.link.ready()
    s.after(0.3)
    assert old.closed


@pytest.mark.parametrize("how", ["closed", "failed"])
def test_a_successor_that_fails_is_tried_again_in_the_next_pause(stage, how):
    s = stage().talking()
    old = s.link
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    failure = p.ProviderFailure(p.ErrorKind.SERVER, "no", "", True, True)
    if how == "closed":
        s.link.on_closed(failure)
    else:
        s.link.on_events([failure])
    s.after(0.3)
    assert len(s.links) == 3
    assert not old.closed
    assert s.session.state is SessionState.TALKING


def test_the_end_closes_the_successor_too(stage):
    s = stage().talking()
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    s.session.end(EndCause.HANGUP)
    assert [link.closed for link in s.links] == [True, True]
