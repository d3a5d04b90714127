"""Applications started by `sendmsg`, and their completion."""

from __future__ import annotations

import pytest

from esl_controller.esl.applications import Application
from esl_controller.esl.errors import CommandFailed, CommandTimeout
from tests.integration.esl_peer import reply

from .kit import complete


def test_executes_are_matched_by_their_own_uuid(call):
    session, peer = call
    session.connect(1)
    first = session.execute(Application.PLAYBACK, "a.wav", timeout_s=1)
    second = session.execute(Application.PLAYBACK, "b.wav", event_uuid="mine", timeout_s=1)
    assert second.id == "mine"
    sent = [command for command in peer.commands if command.startswith("sendmsg")]
    assert "event-lock: true" in sent[0]
    peer.send(complete(sent[1], "FILE NOT FOUND"), complete(sent[0]))
    assert second.wait(1).application_response == "FILE NOT FOUND"
    assert first.wait(1).application_response == "FILE PLAYED"
    assert first.done and len(session._executes) == 0


def test_execute_refused_raises_and_leaves_nothing(call):
    session, peer = call
    peer.answers["sendmsg"] = reply("-ERR memory error")
    with pytest.raises(CommandFailed):
        session.execute(Application.PARK, timeout_s=1)
    assert len(session._executes) == 0


def test_wait_for_an_execute_can_time_out_and_be_repeated(call):
    session, peer = call
    pending = session.execute(Application.PLAYBACK, "a.wav", timeout_s=1)
    with pytest.raises(CommandTimeout):
        pending.wait(0)
    peer.send(complete(peer.commands[-1]))
    assert pending.wait(1).application == "playback"


def test_oldest_execute_is_forgotten_beyond_the_limit(call, monkeypatch):
    session, _ = call
    session._executes._limit = 2
    pending = [session.execute(Application.PLAYBACK, str(i), timeout_s=1) for i in range(3)]
    with pytest.raises(CommandTimeout, match="forgotten"):
        pending[0].wait(1)
    assert [execute.done for execute in pending] == [True, False, False]
    assert session._executes.forgotten == 1


def test_answer_waits_for_the_completion(call):
    session, peer = call
    peer.answers["sendmsg"] = lambda command: reply() + complete(command, "_none_")
    session.answer(1)
    assert "execute-app-name: answer" in peer.commands[-1]
