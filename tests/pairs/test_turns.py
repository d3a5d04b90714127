"""Who is interrupted by what: the session, real protocol objects and emulated services."""

from __future__ import annotations

import dataclasses

import pytest

from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.providers.conversation import Speaker
from esl_controller.simulator.caller_script import (
    AgentSilent,
    AgentSpeaking,
    At,
    Background,
    Murmur,
    Say,
    Step,
)
from tests.pairs.turn_world import (
    INTERRUPTION,
    LONG,
    MURMUR,
    RESUMES,
    SHORT,
    WORDS,
    knock,
    make,
)

GONE = ProviderFailure(ErrorKind.CONNECTION, "lost", "gone", True, True)
KINDS = ["openai", "pipeline", "gemini", "elevenlabs"]
OURS = {
    "openai": {"turn_detection": "none", "interrupt_response": False},
    "gemini": {"turn_detection": "none"},
}
ASKS = Step(AgentSilent(0.6), Say(INTERRUPTION))


def during(action, after_s=1.0):
    """Something happens while the long answer to a question is spoken."""
    return [ASKS, Step(AgentSpeaking(after_s), action)]


def texts(w, speaker=Speaker.AGENT):
    return [u.text for u in w.session.transcript.utterances if u.speaker is speaker]


def errors(w):
    return [error for one in w.services for s in one.sessions for error in s.core.record.errors]


def answer_ms(kind, monkeypatch):
    """How long the answer sounds to a caller who listens."""
    w = make(kind, monkeypatch, [ASKS]).begin()
    w.run(30.0)
    return w.sound_ms(104.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_noise_silences_the_agent_for_a_moment(kind, monkeypatch):
    """Nothing is lost or doubled of the sentence, and the provider's memory is whole."""
    whole_ms = answer_ms(kind, monkeypatch)
    w = make(kind, monkeypatch, during(Say(knock()))).begin()
    w.run(30.0)
    assert w.call.of("interrupted") == []
    ((why, silent_ms),) = w.call.of("resumed")
    assert why == "noise"
    assert 300 < silent_ms < 1500
    if kind not in ("gemini", "elevenlabs"):  # they have dropped what they had not sent
        assert LONG.strip() in texts(w)
        assert abs(w.sound_ms(104.0) - whole_ms) <= 40  # the fade, and the end of a frame
    if kind == "openai":
        (session,) = w.services[0].sessions
        record = session.core.record
        assert (record.truncations, record.errors) == ([], [])
        assert len(record.deletions) == 1  # of the turn that was none
        assert record.responses.count(("cancelled", "client_cancelled")) <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clip", [INTERRUPTION, SHORT], ids=["sentence", "stop"])
def test_words_interrupt_and_are_answered(kind, clip, monkeypatch):
    w = make(kind, monkeypatch, during(Say(clip))).begin()
    w.run(30.0)
    assert len(w.call.of("interrupted")) == 1
    assert w.call.of("resumed") == []
    assert texts(w)[-1] in ("Of course.", "Still there?")
    assert "Of course." in texts(w)
    (cut,) = [u for u in w.session.transcript.utterances if u.interrupted]
    assert 900 < cut.heard_ms < 1900
    assert w.session.turns == 2
    if kind == "openai":
        (session,) = w.services[0].sessions
        ((_, heard_ms),) = session.core.record.truncations
        assert heard_ms == cut.heard_ms


@pytest.mark.parametrize("kind", KINDS)
def test_a_murmur_does_not(kind, monkeypatch):
    w = make(kind, monkeypatch, during(Murmur(MURMUR))).begin()
    w.run(30.0)
    assert w.call.of("interrupted") == []
    ((why, _),) = w.call.of("resumed")
    assert why == "back_channel"
    assert texts(w, Speaker.CALLER) == [WORDS, "uh-huh"]
    assert "Of course." not in texts(w)


@pytest.mark.parametrize("kind", ["openai", "pipeline"])
def test_a_tenant_may_want_every_word_to_interrupt(kind, monkeypatch):
    turns = dataclasses.replace(RESUMES, back_channels=False)
    w = make(kind, monkeypatch, during(Murmur(MURMUR)), turns=turns).begin()
    w.run(30.0)
    assert len(w.call.of("interrupted")) == 1
    assert "Of course." in texts(w)


@pytest.mark.parametrize("kind", KINDS)
def test_a_yes_at_the_end_of_a_sentence_is_an_answer(kind, monkeypatch):
    """The agent is about to wait for one."""
    w = make(kind, monkeypatch, [ASKS], silence_s=60.0).begin()
    w.run(32.0)
    sound = [at for at, data in w.heard if at > 104 and any(data)]
    end_s = sound[-1] - sound[0] - 0.7
    w = make(kind, monkeypatch, during(Say(MURMUR), end_s)).begin()
    w.run(35.0)
    assert "Of course." in texts(w)


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_echo_is_nobody(kind, monkeypatch):
    """Loud, late, and there from the first word on: at worst it silences the agent once."""
    asks = Step(AgentSilent(1.5), Say(INTERRUPTION))
    steps = [Step(At(0.0), Background(echo_db=-12, echo_ms=160)), asks]
    w = make(kind, monkeypatch, steps).begin()
    w.run(30.0)
    assert w.call.of("interrupted") == []
    assert len(w.call.of("resumed")) <= 2
    found = w.session.line.echo.found
    assert found is not None
    assert 160 <= found.delay_ms <= 220  # and what the line holds
    assert abs(found.level_db + 12) <= 3
    if kind != "gemini":  # which drops by itself what it has not sent
        assert LONG.strip() in texts(w)


@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_is_heard_over_the_echo(kind, monkeypatch):
    steps = [Step(At(0.0), Background(echo_db=-20, echo_ms=160)), *during(Say(INTERRUPTION))]
    w = make(kind, monkeypatch, steps).begin()
    w.run(30.0)
    assert len(w.call.of("interrupted")) == 1
    assert "Of course." in texts(w)


@pytest.mark.parametrize("kind", KINDS)
def test_a_greeting_that_must_be_heard(kind, monkeypatch):
    turns = dataclasses.replace(RESUMES, greeting_barge_in=False)
    w = make(kind, monkeypatch, [Step(AgentSpeaking(0.3), Say(SHORT))], turns=turns).begin()
    w.run(10.0)
    assert not w.session.transcript.utterances[0].interrupted
    assert w.call.of("interrupted") == w.call.of("resumed") == []


def test_a_noise_does_not_even_silence_the_agent_where_turns_are_ours(monkeypatch):
    w = make(
        "gemini", monkeypatch, during(Say(knock())), provider={"turn_detection": "none"}
    ).begin()
    w.run(30.0)
    (session,) = w.services[0].sessions
    assert session.core.record.manual_turns == 1
    assert w.call.of("interrupted") == w.call.of("resumed") == []


@pytest.mark.parametrize("kind", ["openai", "gemini"])
@pytest.mark.parametrize("clip", [INTERRUPTION, SHORT], ids=["sentence", "stop"])
def test_a_turn_of_ours_interrupts_and_is_answered(kind, clip, monkeypatch):
    """Also a short one: the service writes it down before it is known what it was."""
    w = make(kind, monkeypatch, during(Say(clip)), provider=OURS[kind]).begin()
    w.run(30.0)
    assert len(w.call.of("interrupted")) == 1
    assert w.call.of("resumed") == []
    assert texts(w).count("Of course.") == 1
    assert errors(w) == []


@pytest.mark.parametrize("kind", ["openai", "gemini"])
def test_a_murmur_that_our_ear_found_does_not(kind, monkeypatch):
    w = make(kind, monkeypatch, during(Murmur(MURMUR)), provider=OURS[kind]).begin()
    w.run(30.0)
    assert w.call.of("interrupted") == []
    assert [why for why, _ in w.call.of("resumed")] == ["back_channel"]
    assert "Of course." not in texts(w)
    assert texts(w, Speaker.CALLER)[-1] == "uh-huh"


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_dies_in_a_doubtful_moment(kind, monkeypatch):
    """What is here of its answer is still heard."""
    w = make(kind, monkeypatch, during(Say(knock(0.4)))).begin()
    died_at = []

    def die() -> None:
        if w.session.line.paused and not died_at:
            died_at.append(w.now)
            w.hosts[0].over = True
            w.hosts[0]._on_events([GONE])

    w.on_moment = die
    w.run(12.0)
    assert not w.session.line.paused
    assert w.sound_ms(died_at[0]) > 500
