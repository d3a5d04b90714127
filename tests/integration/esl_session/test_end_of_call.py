"""Hang-up, linger, leaving a call and closing."""

from __future__ import annotations

import gevent
import pytest

from esl_controller.esl import session as session_module
from esl_controller.esl.applications import Application
from esl_controller.esl.causes import HangupCause
from esl_controller.esl.errors import CallGone, CommandTimeout
from esl_controller.esl.session import ControllerSession
from tests.integration.esl_peer import (
    CHANNEL_NAME,
    FINAL_NOTICE,
    LINGER_NOTICE,
    RUN_UNSET,
    UUID,
    api_response,
    channel_data,
    event,
    greenlets,
    header,
    pair,
    reply,
    started,
    until,
)


@pytest.mark.parametrize(
    "end",
    [
        lambda peer: peer.send(LINGER_NOTICE),
        lambda peer: peer.send(event("CHANNEL_HANGUP", ("Hangup-Cause", "USER_BUSY"))),
        lambda peer: peer.send(event("CHANNEL_HANGUP_COMPLETE")),
        lambda peer: peer.send(FINAL_NOTICE),
        lambda peer: peer.close(),
        lambda peer: peer.reset(),
        lambda peer: (
            peer.send(b"Content-Length: 100\nContent-Type: api/response\n\nabc") or peer.close()
        ),
    ],
    ids=["linger", "hangup", "complete", "final", "FIN", "RST", "FIN inside a body"],
)
def test_every_wait_fails_at_once_with_one_exception(call, end):
    session, peer = call
    session.connect(1)
    playing = session.execute(Application.PLAYBACK, "a", timeout_s=1)
    peer.answers["bgapi "] = reply("+OK Job-UUID: x")
    job = gevent.spawn(session.bgapi, "running", "", 60)
    peer.wait_command("bgapi running")
    until(lambda: session._hears_jobs)
    peer.answers["api "] = peer.answers["bgapi "] = b""
    waits = [
        job,
        gevent.spawn(playing.wait, 60),
        gevent.spawn(session.api, "slow", "", 60),
        gevent.spawn(session.bgapi, "slow", "", 60),
    ]
    peer.wait_command("api slow")
    peer.wait_command("bgapi slow")
    end(peer)
    for wait in waits:
        with pytest.raises(CallGone):
            wait.get(timeout=5)
    with pytest.raises(CallGone):
        session.execute(Application.PLAYBACK, "b", timeout_s=1)


def test_hang_up_while_lingering(call):
    session, peer = call
    session.connect(1)
    peer.send(LINGER_NOTICE)
    until(lambda: session.hungup)
    assert session.lingering
    assert session.hangup_cause == ""
    assert session.connected
    with pytest.raises(CallGone):
        session.execute(Application.PLAYBACK, "a", timeout_s=1)
    assert session.api("uuid_exists", UUID, 1)
    peer.send(event("CHANNEL_HANGUP", ("Hangup-Cause", "NORMAL_CLEARING")))
    peer.send(event("CHANNEL_HANGUP_COMPLETE", ("Hangup-Cause", "NORMAL_CLEARING")))
    assert session.wait_hangup_complete(1).name == "CHANNEL_HANGUP_COMPLETE"
    assert session.hangup_cause == "NORMAL_CLEARING"
    session.exit(1)
    assert "exit" in peer.commands
    assert session.gone.is_set()


def test_a_notice_of_an_unknown_name_is_the_hang_up_and_the_end(call):
    session, peer = call
    session.connect(1)
    peer.send(LINGER_NOTICE.replace(CHANNEL_NAME.encode(), b"sofia/x\n\nContent-Type: x\n\n"))
    peer.send(event("DTMF", ("DTMF-Digit", "5")))
    until(lambda: session.gone.is_set())
    assert session.hungup
    assert session.stats.received_messages == 2  # the answer to `connect` and the notice


def test_further_messages_of_the_same_hang_up_change_nothing(call):
    session, peer = call
    session.connect(1)
    peer.send(event("CHANNEL_HANGUP", ("Hangup-Cause", "USER_BUSY")))
    until(lambda: session.hungup)
    peer.answers["api "] = b""
    asking = gevent.spawn(session.api, "status", "", 5)
    peer.wait_command("api ")
    peer.send(LINGER_NOTICE, event("CHANNEL_HANGUP_COMPLETE"))
    session.wait_hangup_complete(1)
    assert session.hangup_cause == "USER_BUSY"
    peer.send(api_response("answered after the hang-up"))
    assert asking.get(timeout=5) == "answered after the hang-up"


def test_hang_up_of_another_call_is_not_ours(call):
    session, peer = call
    session.connect(1)
    seen = []
    session.on("CHANNEL_HANGUP_COMPLETE", lambda e: seen.append(e.unique_id))
    peer.send(event("CHANNEL_HANGUP", uuid="other"), event("CHANNEL_HANGUP_COMPLETE", uuid="other"))
    until(lambda: seen)
    assert not session.hungup
    with pytest.raises(CommandTimeout):
        session.wait_hangup_complete(0)


def test_hangup_sends_the_cause_and_is_harmless_afterwards(call):
    session, peer = call
    session.connect(1)
    session.hangup(HangupCause.USER_BUSY, 1)
    assert header(peer.commands[-1], "hangup-cause") == "USER_BUSY"
    count = len(peer.commands)
    peer.send(event("CHANNEL_HANGUP", ("Hangup-Cause", "USER_BUSY")))
    until(lambda: session.hungup)
    session.hangup(timeout_s=1)
    assert len(peer.commands) == count


def test_hangup_reply_lost_with_the_call_is_no_error(call):
    session, peer = call
    peer.answers["sendmsg"] = event("CHANNEL_HANGUP")
    session.hangup(timeout_s=1)
    assert session.hungup


def test_exit_waits_until_the_call_is_parked(call):
    session, peer = call
    peer.answers[RUN_UNSET] = reply()
    session.connect(1)
    leaving = gevent.spawn(session.exit, 5)
    proof = peer.wait_command(RUN_UNSET)
    gevent.sleep(0.02)
    assert "exit" not in peer.commands
    peer.send(event("CHANNEL_EXECUTE", ("Application", "socket")))
    gevent.sleep(0.02)
    assert "exit" not in peer.commands
    peer.send(started(proof))
    leaving.get(timeout=5)
    assert peer.commands[-1] == "exit"


@pytest.mark.parametrize(
    "fact",
    [event("CHANNEL_PARK"), event("CHANNEL_EXECUTE_COMPLETE", ("Application", "set"))],
    ids=["park", "complete"],
)
def test_call_known_to_be_parked_is_left_at_once(call, fact):
    session, peer = call
    session.connect(1)
    peer.send(fact)
    until(session._parked.is_set)
    session.exit(1)
    assert peer.commands == ["connect", "exit"]


def test_call_of_a_socket_that_is_not_async_is_never_parked(call):
    session, peer = call
    peer.answers["connect"] = channel_data().replace(b"Socket-Mode: async", b"Socket-Mode: static")
    session.connect(1)
    session.exit(1)
    assert peer.commands == ["connect", "exit"]


def test_hang_up_ends_the_wait_for_the_park(call):
    session, peer = call
    peer.answers[RUN_UNSET] = reply() + LINGER_NOTICE
    session.connect(1)
    session.exit(5)
    assert peer.commands[-1] == "exit"


def test_park_that_is_never_seen_does_not_keep_us(call, monkeypatch):
    session, peer = call
    monkeypatch.setattr(session_module, "SETTLE_TIMEOUT_S", 0.02)
    peer.answers[RUN_UNSET] = reply()
    session.connect(1)
    with pytest.raises(CommandTimeout):
        session.settle(0.01)
    session.exit(1)
    assert peer.commands[-1] == "exit"


@pytest.mark.parametrize("answer", [b"", reply("+OK bye")], ids=["silent", "does not close"])
def test_exit_ends_within_its_time_whatever_freeswitch_does(call, answer):
    session, peer = call
    peer.answers["exit"] = answer
    session.exit(0.05)
    assert session.gone.is_set()
    peer.wait_eof()


def test_exit_after_the_end_is_harmless(call):
    session, peer = call
    peer.close()
    assert session.gone.wait(5)
    session.exit(1)
    session.close()
    session.close()


def test_close_fails_who_waits(call):
    session, peer = call
    peer.answers["api "] = b""
    waiting = gevent.spawn(session.api, "slow", "", 60)
    peer.wait_command("api slow")
    session.close()
    with pytest.raises(CallGone, match="closed by us"):
        waiting.get(timeout=5)


def test_idle_session_wakes_nobody(call, hub_watch):
    hub_watch.stop()
    session, _ = call
    session.connect(1)
    loop = gevent.get_hub().loop
    gevent.sleep(0.01)
    before = loop.iteration
    gevent.sleep(1.1)
    assert loop.iteration - before <= 4


def test_an_idle_session_is_no_greenlet(call):
    before = greenlets()
    with pair() as (ours, _theirs):
        session = ControllerSession(ours)
        gevent.sleep(0)
        assert greenlets() == before
        session.close()
