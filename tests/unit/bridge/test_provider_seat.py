"""Who serves a conversation when providers fail, and how a session limit is crossed."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_16K, L16_24K
from bridge.ports import EndCause
from bridge.providers import base as p
from bridge.providers.conversation import Opening, Said, Speaker
from bridge.session import candidates
from bridge.session.states import SessionState
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import LOUD, QUIET

WIDE = p.Capabilities((L16_16K,), (L16_24K,), notices_within_s=0.8)
"""Knows no G.711, as Gemini."""


def said(s, text):
    s.words(Speaker.CALLER, text, text)


def audible(s, response="r0"):
    s.answer(response, ms=100)
    s.after(0.5)


# --- while it rings ---------------------------------------------


def test_while_it_rings_each_provider_is_tried_twice(stage):
    s = stage(TELLS, TELLS)
    s.session.prepare()
    for _ in range(3):
        s.fail()
        s.reconnect()
    s.fail()
    assert s.told.end.cause is EndCause.PROVIDER_FAILED
    assert len(s.hosts) == 4


def test_a_slow_host_is_not_tried_twice_while_there_is_another(stage):
    s = stage(TELLS, TELLS)
    s.session.prepare()
    s.after(5.0)
    s.fail()
    s.reconnect()
    assert s.session._seat.name == "p1"


def test_a_slow_host_is_tried_once_where_there_is_no_other(stage):
    """Twice the wait would be no better: the caller is handed on."""
    s = stage()
    s.session.prepare()
    s.after(5.0)
    s.fail()
    assert s.told.end.cause is EndCause.PROVIDER_FAILED
    assert len(s.hosts) == 1


def test_what_cannot_get_better_is_not_tried_again(stage):
    s = stage(TELLS, TELLS)
    s.session.prepare()
    s.fail(kind=p.ErrorKind.AUTHENTICATION, retryable=False)
    s.reconnect()
    s.fail(kind=p.ErrorKind.AUTHENTICATION, retryable=False)
    assert s.told.end.error_kind is p.ErrorKind.AUTHENTICATION
    assert len(s.hosts) == 2


def test_half_a_greeting_of_a_provider_that_broke_is_not_heard(stage):
    s = stage(TELLS, TELLS, greeting="Hello.")
    s.session.prepare()
    s.host.ready()
    s.answer(ms=100, done=False)
    s.fail()
    s.reconnect().ready()
    assert s.host.conversation.opening is Opening.GREET
    s.answer("r2", ms=200)
    s.join()
    s.after(0.5)
    assert s.heard() == 200


# --- in a conversation ---------------------------------------------


def test_in_a_conversation_the_same_provider_gets_several_chances(stage):
    s = stage().talking()
    audible(s)
    s.fail()
    pauses = []
    while s.told.end is None:
        pauses.append(s.later[0].delay_s)
        s.reconnect()
        s.fail()
    assert pauses == list(candidates.RECOVERY_PAUSES_S)
    assert s.told.end.cause is EndCause.PROVIDER_FAILED


def test_who_asks_for_a_pause_gets_it(stage):
    s = stage().talking()
    audible(s)
    s.fail(kind=p.ErrorKind.RATE_LIMIT, retry_in_s=2.5)
    assert s.later[0].delay_s == 2.5


def test_one_that_comes_up_and_breaks_for_ever_is_given_up(stage):
    s = stage().talking()
    for number in range(candidates.MAX_REPLACEMENTS):
        audible(s, f"r{number}")
        s.fail()
        s.reconnect().ready()
    audible(s)
    s.fail()
    assert s.told.end.cause is EndCause.PROVIDER_FAILED


def test_a_provider_that_comes_up_and_is_never_heard_is_left_for_the_next(stage):
    """It had greeted; since then every answer fails, on every connection."""
    s = stage(TELLS, TELLS).talking()
    audible(s)
    failed = p.ResponseDone("r1", "failed", "server_error", p.ErrorKind.SERVER, spoke=False)
    s.turn()
    for _ in range(2):
        s.events(p.ResponseStarted("r1"), failed)
    s.reconnect().ready()
    assert s.session._seat.name == "p1"
    served = []
    s.fail()
    while s.told.end is None:
        s.reconnect().ready()
        served.append(s.session._seat.name)
        s.fail()
    assert set(served) == {"p0", "p1"}
    assert len(served) <= 2 * len(candidates.RECOVERY_PAUSES_S)


def test_a_connection_lost_after_it_served_well_is_made_again(stage):
    s = stage(TELLS, TELLS).talking()
    audible(s)
    s.fail()
    s.reconnect()
    assert s.session._seat.name == "p0"


def test_the_new_one_knows_what_was_said_and_does_not_greet_again(stage):
    s = stage(greeting="Hello.").talking()
    s.answer("r0", ms=100)
    s.words(Speaker.AGENT, "item-r0", "Hello.")
    s.after(0.5)
    s.events(p.CallerStarted("u"), p.CallerStopped("u"))
    s.words(Speaker.CALLER, "u", "a question")
    s.fail()
    assert s.session.state is SessionState.WAITING
    conversation = s.reconnect().conversation
    s.host.ready()
    assert s.session.state is SessionState.TALKING
    assert conversation.opening is Opening.ANSWER
    assert conversation.history == [
        Said(Speaker.AGENT, "Hello."),
        Said(Speaker.CALLER, "a question"),
    ]


def test_a_greeting_that_was_never_said_is_said_by_the_next(stage):
    s = stage(greeting="Hello.").talking()
    s.fail()
    assert s.reconnect().conversation.opening is Opening.GREET


def test_the_next_provider_is_given_formats_it_speaks(stage):
    """And hears the sentence under way in its own format."""
    s = stage(TELLS, WIDE).talking()
    s.events(p.CallerStarted())
    s.hear(LOUD, 1.0)
    s.fail(kind=p.ErrorKind.QUOTA, retryable=False)
    host = s.reconnect()
    assert (host.conversation.audio_in, host.conversation.audio_out) == (L16_16K, L16_24K)
    host.ready()
    assert abs(len(host.protocol.audio) - L16_16K.bytes_for_ms(1000)) < L16_16K.bytes_for_ms(40)
    before = len(s.datagrams)
    s.events(p.ResponseStarted("r1"), p.Audio("r1", "i1", b"\x00\x20" * 24000))
    s.events(p.ResponseDone("r1", "completed"))
    s.after(1.3)
    assert abs(s.heard(before) - 1000) <= 40


def test_formats_are_what_the_provider_tells_when_it_is_ready(stage):
    s = stage()
    s.session.prepare()
    s.join()
    s.events(p.SessionReady("s", L16_16K, L16_24K))
    s.session.receive_audio(LOUD * 10)
    assert len(s.host.protocol.audio) > 6 * 640


def test_events_of_a_connection_that_was_left_are_nothing_but_its_bill(stage):
    s = stage().talking()
    old = s.host
    old.protocol.last_usage = p.Usage("openai", audio_seconds=3.0)
    s.session._seat.give_up(p.ProviderFailure(p.ErrorKind.SERVER, "no", "", True, True))
    assert [u.vendor for (u,) in s.told.of("used")] == ["openai"]
    s.reconnect().ready()
    old._on_events([p.CallerStarted(), p.Audio("r1", "i1", bytes(160)), p.Ended()])
    assert s.session.state is SessionState.TALKING
    assert len(s.hosts) == 2
    assert s.session.line.downlink.counters.chunks == 0


def test_what_is_read_together_with_a_fatal_failure_is_told_up_to_it(stage):
    s = stage().talking()
    s.events(
        p.Usage("openai", output_audio_tokens=5),
        p.Transcript(Speaker.CALLER, "u1", "My number is 42."),
        p.FunctionCall("c1", "note", "{}"),
        p.ProviderFailure(p.ErrorKind.SESSION_EXPIRED, "session_expired", "", True, True),
        p.Transcript(Speaker.CALLER, "u2", "nothing"),
    )
    assert len(s.told.of("used")) == 1
    assert [u.text for u in s.told.said] == ["My number is 42."]
    assert len(s.told.of("function_called")) == 1


# --- session limits ---------------------------------------------


def test_a_session_limit_is_crossed_in_a_pause(stage):
    s = stage().talking()
    old = s.host
    s.answer(ms=600)
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    assert len(s.hosts) == 1  # not while the agent speaks
    s.after(0.6)
    assert len(s.hosts) == 2
    s.host.ready()
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
    old = s.host
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    waiting = s.host
    assert waiting is not old
    old.events(p.CallerStarted("u1"))
    waiting.ready()
    s.after(0.5)
    assert not old.closed
    old.events(p.CallerStopped("u1"), p.Transcript(Speaker.CALLER, "u1", "a question"))
    old.events(p.ResponseStarted("r1"), p.Audio("r1", "i1", b"\x55" * 160))
    old.events(p.Transcript(Speaker.AGENT, "i1", "An answer."), p.ResponseDone("r1", "completed"))
    s.after(0.5)
    assert old.closed
    assert s.hosts == [old, waiting], "no third connection"
    ((_, told, respond),) = [c for c in s.commands if c[0] == "inform"]
    assert "a question" in told and "An answer." in told and not respond


def test_a_successor_that_cannot_be_had_is_not_asked_for_at_once_again(stage):
    s = stage().talking()
    s.answer(ms=200)
    s.events(p.GoingAway(300.0))
    first = s.host
    for _ in range(40):  # ten seconds of pause
        s.after(0.25)
        if s.host is not first and not s.host.closed:
            s.fail(kind=p.ErrorKind.RATE_LIMIT)
    assert 2 <= len(s.hosts) - 1 <= 4
    assert not first.closed
    assert s.session.state is SessionState.TALKING


def test_a_session_is_not_crossed_while_the_caller_begins_to_speak(stage):
    """Our ear hears it, the provider has not told it yet."""
    s = stage().talking()
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    old, new = s.hosts
    s.hear(LOUD, 0.2)
    new.ready()
    s.hear(LOUD, 0.6)
    assert not old.closed
    assert not new.protocol.audio


def talk(s, seconds: int) -> None:
    """A voice has pauses; what has none is noise."""
    for _ in range(seconds):
        s.hear(LOUD, 0.9)
        s.hear(QUIET, 0.1)


def test_a_limit_is_crossed_in_time_even_without_a_pause(stage):
    s = stage().talking()
    old = s.host
    s.events(p.GoingAway(20.0), p.CallerStarted("u1"))
    talk(s, 6)
    assert len(s.hosts) == 2
    s.host.ready()
    talk(s, 10)
    assert not old.closed
    talk(s, 2)
    assert old.closed
    assert s.told.of("provider_trouble") == []


def test_close_to_the_limit_the_end_of_an_answer_is_good_enough(stage):
    s = stage().talking()
    old = s.host
    s.answer(ms=8000)
    s.events(p.GoingAway(12.0))
    s.after(0.3)
    s.host.ready()
    s.after(0.3)
    assert old.closed
    assert s.session.agent_speaking, "what is queued is heard on"


@pytest.mark.parametrize("end", ["end", "finish"])
def test_the_end_closes_the_successor_too(stage, end):
    s = stage().talking()
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    getattr(s.session, end)(EndCause.HANGUP)
    assert [host.closed for host in s.hosts] == [True, True]


def test_a_provider_lost_before_it_was_left_takes_its_successor_along(stage):
    s = stage(TELLS, TELLS).talking()
    old = s.host
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    standby = s.host
    old.events(p.ProviderFailure(p.ErrorKind.SERVER, "gone", "", True, True))
    assert standby.closed
    s.reconnect().ready()
    standby._on_events([p.CallerStarted()])
    s.after(0.5)
    assert s.session.state is SessionState.TALKING


def test_a_successor_is_as_well_as_who_it_followed(stage):
    """Nothing was heard of it yet; still its loss is no reason to leave the provider."""
    s = stage(TELLS, TELLS).talking()
    audible(s)
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    s.host.ready()
    s.after(0.3)
    s.fail()
    s.reconnect()
    assert s.session._seat.name == "p0"


def test_what_waits_for_a_provider_has_a_limit(stage):
    s = stage(TELLS, TELLS).talking()
    s.fail()
    for _ in range(40):
        s.session.tell("[Be kind.]", respond=False)
    s.reconnect()
    assert len(s.commands) == 32
