"""A provider that is connected and dead: the caller speaks, and nothing at all comes back."""

from __future__ import annotations

from bridge.audio.pcm import audioop
from bridge.providers import base as p
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import HIDES, LOUD, QUIET


def test_a_provider_that_does_not_notice_the_caller_is_replaced_within_two_seconds(stage):
    s = stage(TELLS, TELLS).talking()
    first = s.host
    s.hear(QUIET, 1.0)
    s.hear(LOUD, 0.8)
    began = len(s.told.events)
    s.hear(QUIET, 1.2)
    assert ("probe",) in first.protocol.commands
    assert not first.closed
    s.hear(QUIET, 0.8)
    assert first.closed
    assert "answer_late" in s.told.names()[began:]
    assert [code for _, code, _ in s.told.of("provider_trouble")] == ["no_sign_of_life"]
    s.reconnect().ready()
    heard = bytes(s.host.protocol.audio)
    assert heard.count(audioop.lin2ulaw(LOUD, 2)) == 40  # the whole sentence


def test_what_was_awaited_of_a_provider_is_not_awaited_of_the_next(stage):
    s = stage(TELLS, TELLS).talking()
    s.hear(LOUD, 0.4)
    s.hear(QUIET, 0.9)
    assert ("probe",) in s.commands
    s.fail()
    s.reconnect().ready()
    s.hear(QUIET, 1.5)
    assert ("probe",) not in s.commands
    assert not s.host.closed


def test_one_that_answers_keeps_its_seat(stage):
    s = stage(TELLS, TELLS).talking()
    for _ in range(3):
        s.hear(LOUD, 0.6)
        s.hear(QUIET, 0.8)
        s.host.messages_in += 1
        s.hear(QUIET, 2.5)
    assert len(s.hosts) == 1
    assert s.commands.count(("probe",)) in (1, 2, 3)
    assert s.told.of("provider_trouble") == []


def test_a_voice_the_provider_heard_first_is_no_question(stage):
    s = stage(TELLS, TELLS).talking()
    s.hear(LOUD, 0.08)
    s.events(p.CallerStarted())
    s.hear(LOUD, 3.0)
    assert ("probe",) not in s.commands
    s.hear(QUIET, 2.0)
    assert ("probe",) in s.commands  # it should have told the end


def test_a_provider_that_may_be_well_and_silent_keeps_its_seat(stage):
    s = stage(HIDES, TELLS).talking()
    s.hear(LOUD, 4.0)
    s.hear(QUIET, 4.0)
    assert len(s.hosts) == 1
    assert not s.later
