"""Trouble on FreeSWITCH's side, with the database and with our own capacity."""

from __future__ import annotations

import dataclasses
import socket

import gevent
import pytest

from bridge.session.states import SessionState
from esl_controller.calls import unicast_ports
from esl_controller.calls.reconnecting import MAX_RESTARTS
from esl_controller.simulator.caller_script import After, AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.switch.quirks import CALM, Edition
from esl_controller.telemetry import catalogue as m
from tests.integration.hub_watch import HubWatch
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    LONG_TEXT,
    SPEAK,
    hang_up_after,
    service,
    wait_for,
)

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))


def media_of(running, call):
    return next(c.talk.media for c in running.app.calls if c.leg.uuid == call.leg.uuid)


def tear(call) -> None:
    """TCP of the caller's stream breaks, for both sides, once both know of it."""
    wait_for(lambda: call.leg.media.streams[-1]._socket is not None)
    call.leg.media.streams[-1]._socket._socket.shutdown(socket.SHUT_RDWR)


def greeted(running, call) -> None:
    """Until the greeting has been heard and the line is quiet."""
    wait_for(lambda: call.caller.hearing.first_sound_at() is not None)
    wait_for(lambda: not running.session(call).agent_speaking)


def test_a_lost_stream_is_started_once_more(serve):
    """Closed by our side, and torn off; the conversation goes on. Again and again: it is over."""
    running = serve()
    tenants = [running.tenant, running.add_tenant(), running.add_tenant()]
    closed, torn, again = (
        running.call(script, tenant=tenant, actions_after=FALLBACK)
        for tenant, script in zip(tenants, (*[[Step(After(2.0), SPEAK), BYE]] * 2, []), strict=True)
    )
    for call in (closed, torn, again):
        greeted(running, call)
    media_of(running, closed)._stream.link.close(1001, "going away")
    tear(torn)
    for number in range(MAX_RESTARTS):
        tear(again)
        wait_for(lambda number=number: media_of(running, again).restarts == number + 1)
        wait_for(lambda: running.session(again).state is SessionState.TALKING)
    tear(again)
    for call in (closed, torn, again):
        call.wait()
    running.stored()
    for call in (closed, torn):
        assert call.tenant.record.spoken == ["Hello.", "Certainly."]
        assert (call.row()["outcome"], call.row()["error_code"]) == ("completed", None)
    assert (again.outcome, again.leg.dialplan_continued) == ("failed", True)
    assert (again.row()["outcome"], again.row()["error_code"]) == ("fallback", "REALTIME_010")


def test_what_is_being_said_is_not_lost_with_the_stream(serve, hub_watch):
    """`unicast` plays on its own: losing the caller's way in does not silence the agent."""
    words = "Certainly I will explain this."
    running = serve(secretary={"first_message": words})
    call = running.call([Step(AgentSilent(0.4), SPEAK), BYE])
    wait_for(lambda: call.caller.hearing.first_sound_at() is not None)
    gevent.sleep(0.3)
    tear(call)
    call.wait()
    assert call.caller.report().sound_ms > 1500
    assert call.caller.report().longest_gap_ms < 400 + 2 * hub_watch.worst_ms


def test_a_stream_that_cannot_connect_hands_the_call_back_at_once(serve, hub_watch):
    running = serve(media={"public_host": "127.0.0.9"})
    call = running.call(actions_after=FALLBACK).wait(4)
    running.stored()
    assert (call.outcome, call.leg.dialplan_continued) == ("failed", True)
    row = call.row()
    assert (row["outcome"], row["error_code"]) == ("fallback", "REALTIME_002")
    assert call.caller.report().first_sound_ms < 1500 + 2 * hub_watch.worst_ms


@pytest.mark.parametrize("seen", [True, False], ids=["on this host", "on another"])
def test_where_unicast_has_no_port_files_are_played(serve, monkeypatch, seen):
    """Somebody else has it. What cannot be seen is tried: FreeSWITCH says `+OK`, plays nothing."""
    if not seen:
        monkeypatch.setattr(unicast_ports, "_in_use", lambda host, port: False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        running = serve(media={"unicast_port_first": port, "unicast_port_last": port})
        call = running.call([ASK, BYE]).wait()
        running.stored()
        assert call.tenant.record.spoken == ["Hello.", "Certainly."]
        assert call.caller.report().sound_ms > 700
        assert call.row()["outcome"] == "completed"
        assert len(running.app._desk.site.media.ports) == 1


def test_a_port_that_a_worker_of_another_host_has_is_given_up_for_another(serve, monkeypatch):
    monkeypatch.setattr(unicast_ports, "_in_use", lambda host, port: False)
    monkeypatch.setattr(unicast_ports.random, "shuffle", lambda ports: None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        first = taken.getsockname()[1]
        media = {"unicast_port_first": first, "unicast_port_last": first + 199}
        running = serve(media=media)
        call = running.call([ASK, BYE]).wait()
        running.stored()
    assert call.tenant.record.spoken == ["Hello.", "Certainly."]
    lost = f"{m.UNICAST_LOST.name} 0.0"
    assert lost in running.app.metrics.exposition().decode()


@pytest.mark.parametrize("edition", [Edition.OPEN, Edition.NONE])
def test_when_freeswitch_is_killed_everything_is_let_go(database, tmp_path, edition):
    quirks = dataclasses.replace(CALM, edition=edition)
    with service(database, tmp_path, quirks=quirks) as running:
        calls = [running.call() for _ in range(5)]
        for call in calls:
            greeted(running, call)
        running.switch.crash("killed by the test")
        running.stored()
        for call in calls:
            row = call.row()
            assert (row["outcome"], row["end_cause"]) == ("failed", "event_socket_lost")
            assert row["ended_at"] is not None


def test_a_full_worker_hands_the_next_call_back_and_the_running_one_is_perfect(serve):
    running = serve(esl={"capacity": 1}, secretary={"first_message": LONG_TEXT})
    with HubWatch() as hub:
        busy = running.call([hang_up_after(After(2.5))])
        wait_for(lambda: running.app.esl.active_calls == 1)
        late = [running.call(actions_after=FALLBACK) for _ in range(20)]
        for call in late:
            call.wait(3)
        assert not busy.leg.ended.is_set()
        busy.wait()
    for call in late:
        assert (call.outcome, call.leg.dialplan_continued) == ("overflow", True)
    session_gaps = [gap for gap in busy.caller.report().gaps if gap.length_ms > 75]
    assert session_gaps == [] or hub.worst_ms > 20
    running.stored()
    assert busy.row()["outcome"] == "completed"


def test_calls_that_are_not_ours_go_on_in_the_dialplan(serve):
    running = serve()
    running.database.execute(
        """insert into v_voice_secretaries
             (voice_secretary_uuid, domain_uuid, secretary_name, extension, processing_mode,
              enabled)
           values (gen_random_uuid(), %s, 'old', '8100', 'turn_based', true)""",
        running.tenant.domain_uuid,
    )
    calls = {
        "not_ours": running.call(destination_number="8999", actions_after=FALLBACK),
        "turn_based": running.call(destination_number="8100", actions_after=FALLBACK),
        "invalid": running.call(domain_uuid="not-a-uuid", actions_after=FALLBACK),
    }
    stranger = running.call(
        domain_uuid="99999999-9999-4999-8999-999999999999", actions_after=FALLBACK
    )
    for outcome, call in [*calls.items(), ("not_ours", stranger)]:
        call.wait(5)
        assert (call.outcome, call.leg.dialplan_continued) == (outcome, True)
        assert call.leg.actions_run[-1].application == "hangup"
    assert running.tenant.records == []


def test_the_database_may_be_away(outage, tmp_path, hub_watch):
    """Known secretaries answer as before; what happened is stored when the database is back."""
    emulator = EmulatorConfig(script=BRIEF, think_s=0.05)
    with service(outage.database, tmp_path, emulator=emulator) as running:
        running.call([BYE]).wait()
        running.stored()
        during = running.call([ASK, BYE])
        greeted(running, during)
        outage.database.disconnect()
        outage.begin()
        during.wait()
        known = running.call([ASK, BYE]).wait()
        dialled = running.switch.now()
        unknown = running.call(destination_number="8777", actions_after=FALLBACK).wait()
        assert unknown.outcome == "unavailable"
        assert unknown.caller.hearing.first_sound_at() - dialled < 2 + hub_watch.worst_ms / 500
        assert known.caller.report().first_sound_ms < 500 + 2 * hub_watch.worst_ms
        running.wait_idle()
        outage.end()
        assert running.app.journal.wait_stored(20)
        for call in (during, known):
            assert call.row()["outcome"] == "completed"
            assert len(call.turns()) == 3


def test_a_hang_up_is_no_loss_of_a_stream(serve):
    """The stream's end can be here before FreeSWITCH tells that the caller hung up."""
    running = serve()
    calls = [running.call() for _ in range(5)]
    for call in calls:
        greeted(running, call)
        tear(call)
    for call in calls:
        wait_for(lambda call=call: media_of(running, call).restarts == 1)
        wait_for(lambda call=call: running.session(call).state is SessionState.TALKING)
    for number, call in enumerate(calls):
        gevent.sleep(0.003 * number)  # events leave FreeSWITCH each 20 ms: some wait, some do not
        call.caller.hang_up()
    for call in calls:
        call.wait()
    running.stored()
    assert {call.row()["outcome"] for call in calls} == {"completed"}
    assert {call.row()["error_code"] for call in calls} == {None}


def test_a_stream_that_falls_silent_and_answers_no_ping_is_started_again(serve):
    """A connection that died without a word: TCP would notice in a quarter of an hour."""
    running = serve()
    call = running.call([Step(After(4.2), SPEAK), BYE])
    greeted(running, call)
    stream = call.leg.media.streams[-1]
    stream.pause(True)
    stream._socket.pause_reading()
    silent_from = running.switch.now()
    wait_for(lambda: media_of(running, call).restarts == 1)
    assert running.switch.now() - silent_from < 3.0
    call.wait()
    running.stored()
    assert call.tenant.record.spoken == ["Hello.", "Certainly."]
    assert (call.row()["outcome"], call.row()["error_code"]) == ("completed", None)


def test_a_silent_stream_that_answers_pings_is_left_alone(serve):
    """A telephone may send nothing while its user is mute."""
    running = serve()
    call = running.call([Step(After(4.2), SPEAK), BYE])
    greeted(running, call)
    stream = call.leg.media.streams[-1]
    stream.pause(True)
    gevent.sleep(2.6)
    assert (media_of(running, call).restarts, stream.open) == (0, True)
    stream.pause(False)
    call.wait()
    assert call.tenant.record.spoken == ["Hello.", "Certainly."]
