"""Commands, replies and background jobs."""

from __future__ import annotations

import contextlib

import gevent
import pytest

from esl_controller.esl import commands, connection
from esl_controller.esl.errors import (
    CallGone,
    CommandFailed,
    CommandTimeout,
    EslError,
    LocalProtocolError,
)
from tests.integration.esl_peer import UUID, api_response, event, header, job_reply, reply, until


def test_connect_gives_channel_data_and_asks_once(call):
    session, peer = call
    assert session.uuid == ""
    channel = session.connect(1)
    assert channel.uuid == session.uuid == session.session_data.uuid == UUID
    assert session.connect(1) is channel
    assert peer.commands == ["connect"]


def test_connect_refused_raises(call):
    session, peer = call
    peer.answers["connect"] = reply("-ERR not here")
    with pytest.raises(CommandFailed, match="not here"):
        session.connect(1)
    assert session.channel is None


def test_pipeline_is_one_write_and_replies_come_in_order(call):
    session, peer = call
    peer.answers["linger"] = event("CHANNEL_STATE") + reply("+OK will linger")
    peer.answers["myevents"] = reply("+OK Events Enabled") + event("CHANNEL_STATE")
    replies = session.pipeline([commands.linger(), commands.myevents(), commands.api("status")], 1)
    assert [answer.text for answer in replies] == ["+OK will linger", "+OK Events Enabled", "+OK\n"]


def test_api_raises_what_freeswitch_refuses(call):
    session, peer = call
    peer.answers["api "] = api_response("-ERR No such channel!\n")
    with pytest.raises(CommandFailed) as caught:
        session.api("uuid_kill", "x", 1)
    assert caught.value.text == "-ERR No such channel!"
    assert session.api("uuid_kill", "x", 1, check=False) == "-ERR No such channel!\n"


def test_api_refused_before_it_runs_is_no_protocol_error(call):
    session, peer = call
    peer.answers["api "] = reply("-ERR command not found")
    with pytest.raises(CommandFailed, match="command not found"):
        session.api("status", "", 1)
    assert session.connected


def test_background_jobs_are_matched_by_their_uuid_in_any_order(call):
    session, peer = call
    jobs: list[str] = []

    def hold(command: str) -> bytes:
        jobs.append(command)
        return job_reply(command, "").partition(b"Content-Length")[0]

    peer.answers["bgapi "] = hold
    first = gevent.spawn(session.bgapi, "originate", "user/1 &park()", 5)
    second = gevent.spawn(session.bgapi, "status", "", 5)
    until(lambda: len(jobs) == 2)
    for command in reversed(jobs):
        output = f"+OK {command.split()[1]}\n"
        job = header(command, "Job-UUID")
        peer.send(event("BACKGROUND_JOB", ("Job-UUID", job), body=output.encode()))
    assert first.get(timeout=5) == "+OK originate\n"
    assert second.get(timeout=5) == "+OK status\n"
    assert len(session._jobs) == 0


def test_background_jobs_are_subscribed_to_once(call):
    session, peer = call
    session.bgapi("status", "", 1)
    session.bgapi("status", "", 1)
    assert [command.partition(" ")[0] for command in peer.commands] == ["event", "bgapi", "bgapi"]


def test_background_job_nobody_waits_for_is_forgotten(call):
    session, peer = call
    peer.answers["bgapi "] = reply("+OK Job-UUID: x")
    with pytest.raises(CommandTimeout):
        session.bgapi("slow", "", 0.01)
    assert len(session._jobs) == 0


def test_background_job_that_fails_raises(call):
    session, peer = call
    peer.answers["bgapi "] = lambda command: job_reply(command, "-ERR USER_BUSY\n")
    with pytest.raises(CommandFailed, match="USER_BUSY"):
        session.bgapi("originate", "x", 1)
    assert session.bgapi("originate", "x", 1, check=False) == "-ERR USER_BUSY\n"


def test_silence_is_a_timeout_and_the_late_reply_is_not_mistaken_for_the_next(call):
    session, peer = call
    peer.answers["api slow"] = b""
    with pytest.raises(CommandTimeout):
        session.api("slow", "", 0.01)
    peer.wait_command("api slow")
    peer.answers["api "] = api_response("late") + api_response("mine")
    assert session.api("quick", "", 1) == "mine"
    assert session.stats.late_replies == 1


def test_no_error_of_this_layer_passes_except_exception():
    for error in (CallGone, CommandTimeout, CommandFailed, LocalProtocolError):
        assert issubclass(error, EslError) and issubclass(error, Exception)


def test_unanswered_commands_are_limited(call, monkeypatch):
    session, peer = call
    monkeypatch.setattr(connection, "MAX_UNANSWERED_COMMANDS", 2)
    peer.answers = {"": b""}
    for _ in range(2):
        with pytest.raises(CommandTimeout):
            session.send(commands.linger(), 0)
    with pytest.raises(LocalProtocolError):
        session.send(commands.linger(), 0)


def test_peer_that_does_not_read_costs_the_connection_not_the_caller(call):
    session, peer = call
    peer._reader.kill()
    big = commands.Command(("api x",), b"y" * 1_000_000)
    with pytest.raises(CallGone, match="does not read"):
        for _ in range(100):
            with contextlib.suppress(CommandTimeout):
                session.send(big, 0.01)
    assert session.gone.is_set()


def test_sender_killed_in_the_middle_of_a_command_closes_the_connection(call):
    session, peer = call
    peer._reader.kill()
    big = commands.Command(("api x",), b"y" * 1_000_000)
    senders = [gevent.spawn(session.send, big, 5) for _ in range(60)]
    gevent.sleep(0.05)
    stuck = next(g for g in senders if not g.dead)
    for sender in senders:
        sender.kill(block=False)
    gevent.joinall(senders, timeout=5)
    assert stuck.dead
    assert session.gone.is_set()


@pytest.mark.parametrize(
    "data",
    [
        reply("+OK nobody asked"),
        b"Content-Length: abc\nContent-Type: text/event-plain\n\n",
        b"Content-Length: 5\n\nhello",
        b"\xff\xfe\n\n",
    ],
    ids=["unsolicited", "bad length", "no type", "garbage"],
)
def test_protocol_error_ends_the_session_at_once(call, data):
    session, peer = call
    session.connect(1)
    pending = gevent.spawn(session.wait_hangup_complete, 5)
    peer.send(data)
    assert session.gone.wait(5)
    assert session.gone_reason.startswith("protocol error")
    with pytest.raises(CallGone, match="protocol error"):
        pending.get(timeout=5)
    peer.wait_eof()


def test_reply_of_the_wrong_kind_ends_the_session(call):
    session, peer = call
    peer.answers["linger"] = api_response("+OK")
    with pytest.raises(CallGone, match="protocol error"):
        session.send(commands.linger(), 1)
