from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event as Signal

from esl_controller.esl import commands, connection, dispatcher
from esl_controller.esl import session as session_module
from esl_controller.esl.applications import Application
from esl_controller.esl.causes import HangupCause
from esl_controller.esl.errors import (
    CallGone,
    CommandFailed,
    CommandTimeout,
    EslError,
    LocalProtocolError,
)
from esl_controller.esl.session import ControllerSession

from .esl_peer import (
    FINAL_NOTICE,
    LINGER_NOTICE,
    RUN_UNSET,
    UUID,
    Peer,
    api_response,
    channel_data,
    event,
    greenlets,
    header,
    job_reply,
    nothing_left,
    pair,
    reply,
    started,
    until,
)

Call = tuple[ControllerSession, Peer]


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with nothing_left():
        yield


@pytest.fixture
def call() -> Iterator[Call]:
    with pair() as (ours, theirs):
        session, peer = ControllerSession(ours), Peer(theirs)
        try:
            yield session, peer
        finally:
            session.close()
            peer.close()


def complete(command: str, response: str = "FILE PLAYED") -> bytes:
    return event(
        "CHANNEL_EXECUTE_COMPLETE",
        ("Application", header(command, "execute-app-name")),
        ("Application-Response", response),
        ("Application-UUID", header(command, "Event-UUID")),
    )


# --- commands and replies ---


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


# --- executing ---


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


# --- handlers ---


def test_handlers_get_events_in_order_and_one_that_raises_ends_nothing(call, caplog):
    session, peer = call
    seen: list[str] = []

    def bad(_event):
        raise KeyError("mine")

    session.on("DTMF", bad)
    session.on("DTMF", lambda e: seen.append(e.dtmf_digit))
    remove = session.on("mod_audio_stream::json", lambda e: seen.append(e.text))
    session.on("*", lambda e: seen.append(e.key))
    custom = event("CUSTOM", ("Event-Subclass", "mod_audio_stream::json"), body=b"{}")
    peer.send(event("DTMF", ("DTMF-Digit", "1")), custom, event("DTMF", ("DTMF-Digit", "#")))
    until(lambda: len(seen) == 6)
    assert seen == ["1", "DTMF", "{}", "mod_audio_stream::json", "#", "DTMF"]
    assert session.handler_errors == 2
    assert {record.name for record in caplog.records} == {"esl"}
    remove()
    remove()
    peer.send(custom)
    until(lambda: len(seen) == 7)
    assert seen[-1] == "mod_audio_stream::json"


def test_handler_that_raises_gevents_timeout_ends_nothing(call, caplog):
    session, peer = call
    seen: list[str] = []

    def slow(_event):
        raise gevent.Timeout(1)

    session.on("DTMF", slow)
    session.on("TALK", lambda e: seen.append(e.key))
    peer.send(event("DTMF"), event("TALK"))
    until(lambda: seen)


def test_blocked_handler_stops_neither_replies_nor_completions(call):
    session, peer = call
    session.connect(1)
    blocked, release = Signal(), Signal()

    def block(_event):
        blocked.set()
        release.wait(5)

    session.on("CHANNEL_EXECUTE_COMPLETE", block)
    peer.answers["sendmsg"] = lambda command: reply() + complete(command)
    session.execute(Application.SLEEP, "1", timeout_s=1).wait(1)
    assert blocked.wait(5)
    assert session.execute(Application.PLAYBACK, "a", timeout_s=1).wait(1)
    assert session.api("status", "", 1)
    peer.send(event("CHANNEL_HANGUP", ("Hangup-Cause", "NORMAL_CLEARING")))
    until(lambda: session.hungup)
    release.set()


def test_handler_may_wait_for_the_session_itself(call):
    session, peer = call
    peer.answers["sendmsg"] = lambda command: reply() + complete(command)
    results = []

    def handler(_event):
        results.append(session.execute(Application.PLAYBACK, "a", timeout_s=1).wait(1))
        results.append(session.api("status", "", 1))

    session.on("DTMF", handler)
    peer.send(event("DTMF"))
    until(lambda: len(results) == 2)


@pytest.mark.parametrize("way", ["close", "stop", "exit"])
def test_handler_may_end_the_session(call, way):
    session, peer = call
    done = Signal()

    def handler(_event):
        getattr(session, way)()
        done.set()

    session.on("DTMF", handler)
    peer.send(event("DTMF"), event("DTMF"))
    assert done.wait(5)
    assert session.gone.is_set()


def test_events_queued_before_the_end_are_still_delivered(call):
    session, peer = call
    seen = []

    def handler(e):
        gevent.sleep(0.01)
        seen.append(e.key)

    session.on("*", handler)
    peer.send(event("CHANNEL_HANGUP"), event("CHANNEL_HANGUP_COMPLETE"), FINAL_NOTICE)
    peer.sock.shutdown(socket.SHUT_WR)
    assert session.gone.wait(5)
    until(lambda: len(seen) == 2)


def test_close_ends_a_blocked_handler(call):
    session, peer = call
    ended = Signal()

    def handler(_event):
        try:
            gevent.sleep(60)
        finally:
            ended.set()

    session.on("DTMF", handler)
    peer.send(event("DTMF"))
    until(lambda: session._dispatcher._worker and session._dispatcher._worker.started)
    gevent.sleep(0)
    session.close()
    assert ended.is_set()


def test_slow_handler_costs_the_least_needed_events_and_no_memory(call, monkeypatch):
    session, peer = call
    monkeypatch.setattr(dispatcher, "MAX_QUEUED_EVENTS", 4)
    seen, release = [], Signal()

    def handler(e):
        release.wait(5)
        seen.append(e.key)

    session.on("*", handler)
    peer.send(event("TALK"), *[event("CHANNEL_STATE")] * 3, event("CHANNEL_HANGUP"))
    peer.send(*[event("CHANNEL_STATE")] * 50, event("CHANNEL_HANGUP_COMPLETE"), event("DTMF"))
    peer.send(reply())
    assert session.gone.wait(5)  # the unsolicited reply marks the end of what was sent
    release.set()
    until(lambda: session._dispatcher._worker is None)
    assert session.dropped_events > 0
    assert {"CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "DTMF"} <= set(seen)
    assert len(seen) <= 6


def test_queued_bytes_are_limited_too(call, monkeypatch):
    session, peer = call
    monkeypatch.setattr(dispatcher, "MAX_QUEUED_EVENT_BYTES", 10_000)
    release = Signal()
    session.on("*", lambda e: release.wait(5))
    peer.send(*[event("DTMF", body=b"x" * 4000)] * 10)
    until(lambda: session.stats.received_messages == 10)
    assert session._dispatcher._queued_bytes <= 10_000
    assert session.dropped_events >= 7
    release.set()
    until(lambda: session._dispatcher._worker is None)
    assert session._dispatcher._queued_bytes == 0


def test_malformed_event_is_counted_and_left_out(call):
    session, peer = call
    seen = []
    session.on("DTMF", lambda e: seen.append(e.key))
    peer.send(b"Content-Length: 5\nContent-Type: text/event-plain\n\nhello", event("DTMF"))
    peer.send(b"Content-Type: log/data\nContent-Length: 2\n\nhi")
    until(lambda: seen and session.stats.unknown_messages)
    assert session.stats.malformed_events == 1
    assert session.connected


def test_reader_pauses_though_there_is_always_more_to_read(monkeypatch):
    """A `recv` that finds data does not yield by itself."""
    monkeypatch.setattr(connection, "READ_BYTES", 500)
    monkeypatch.setattr(connection, "READ_BUDGET_BYTES", 1000)
    turns = []

    def count():
        while True:
            turns.append(session.stats.received_bytes)
            gevent.sleep(0)

    with pair() as (ours, theirs):
        theirs.sendall(event("CHANNEL_STATE") * 200)
        counter = gevent.spawn(count)  # first, so that it has its turn before the reader
        session = ControllerSession(ours)
        until(lambda: session.stats.received_messages == 200)
        counter.kill()
        session.close()
    assert max(b - a for a, b in itertools.pairwise(turns)) <= 1500


def test_flood_does_not_keep_the_hub_to_itself(call):
    session, peer = call
    turns = 0

    def count():
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    counter = gevent.spawn(count)
    flood = event("CHANNEL_STATE", ("variable_x", "y" * 2000)) * 100
    sender = gevent.spawn(lambda: [peer.send(flood) for _ in range(40)])
    sender.join(timeout=10)
    until(lambda: session.stats.received_messages == 4000)
    counter.kill()
    assert turns >= 4000 * 2000 / connection.READ_BUDGET_BYTES


# --- the end of the call ---


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


def test_idle_session_wakes_nobody(call):
    session, _ = call
    session.connect(1)
    loop = gevent.get_hub().loop
    gevent.sleep(0.01)
    before = loop.iteration
    gevent.sleep(1.1)
    assert loop.iteration - before <= 4


def test_idle_session_is_one_greenlet(call):
    before = greenlets()
    with pair() as (ours, _theirs):
        session = ControllerSession(ours)
        gevent.sleep(0)
        assert greenlets() - before == 1
        session.close()


# --- greenswitch's own names ---


def test_greenswitch_names(call):
    session, peer = call
    peer.answers["sendmsg"] = lambda command: (
        reply()
        + event(
            "CHANNEL_EXECUTE_COMPLETE",
            ("Application-UUID", header(command, "Event-UUID")),
            ("variable_digits", "42"),
        )
    )
    session.connect()
    session.myevents()
    session.linger()
    assert session.call_uuid == session.session_data.get("variable_call_uuid")
    assert session.caller_id_number == "5551000"
    assert session.playback("a.wav").name == "CHANNEL_EXECUTE_COMPLETE"
    assert session.playback("a.wav", block=False).wait(1)
    assert session.bridge("user/1", response_timeout=1)
    assert session.say(lang="de", text="5", response_timeout=1)
    assert header(peer.commands[-1], "execute-app-arg") == "en:de NUMBER pronounced FEMININE 5"
    digits = session.play_and_get_digits(1, 2, 3, timeout=4000, terminators="#", variable="digits")
    assert digits == "42"
    assert header(peer.commands[-1], "execute-app-arg") == (
        "1 2 3 4000 # None None digits None None None"
    )
    assert session.play_and_get_digits(variable="digits", block=False) is None
    with pytest.raises(LocalProtocolError):
        session.play_and_get_digits(typo=1)
    with pytest.raises(LocalProtocolError):
        session.call_command("no_such_application")
    session.park()
    session.uuid_break()
    assert peer.commands[-1] == f"api uuid_break {UUID}"
    with session.while_connected():
        pass
    session.stop()
    with pytest.raises(CallGone):
        session.raise_if_disconnected()


def test_greenswitch_handlers(call):
    session, peer = call
    seen = []

    def handler(e):
        seen.append(e.key)

    session.register_handle("DTMF", handler)
    session.register_handle("DTMF", handler)
    peer.send(event("DTMF"))
    until(lambda: seen)
    session.unregister_handle("DTMF", handler)
    with pytest.raises(ValueError, match="DTMF"):
        session.unregister_handle("DTMF", handler)
    peer.send(event("DTMF"), channel_data())
    assert session.gone.wait(5)
    assert seen == ["DTMF"]
