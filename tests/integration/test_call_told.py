"""What a call's end is called: to the dialplan, in its row, in the audit of its transfer."""

from __future__ import annotations

import re

import gevent
import pytest

from esl_controller.esl.connection import Connection
from esl_controller.record.conversation import ConversationRecord
from esl_controller.simulator.caller_script import After, AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.switch import api
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from tests.integration.service import BRIEF, FALLBACK, SPEAK, hang_up_after, wait_for
from tests.integration.test_call_ending import ASK, TRANSFER, says_and_calls

BYE = hang_up_after(AgentSilent(0.5))
TO_SALES = says_and_calls("One moment.", "transfer_call", '{"destination": "sales"}')


def greeted(service, call) -> None:
    """Until the greeting has been heard and the line is quiet."""
    wait_for(lambda: call.caller.hearing.first_sound_at() is not None)
    wait_for(lambda: not service.session(call).agent_speaking)


def told(service, call) -> tuple[str, str, str | None, str | None, str | None]:
    """To the dialplan; outcome, end_cause, error_code and reason of the row."""
    ((outcome, cause, code, reason),) = service.database.execute(
        """select outcome, end_cause, error_code, reason from v_voice_conversations_realtime
           where call_uuid = %s and domain_uuid = %s""",
        call.leg.uuid,
        call.tenant.domain_uuid,
    )
    return call.outcome, outcome, cause, code, reason


def transfers(service) -> list[tuple[str, ...]]:
    return service.database.execute(
        "select destination, status from v_voice_transfers_realtime order by started_at"
    )


def held_places(service) -> list[tuple[str, ...]]:
    return service.database.execute("select call_uuid from v_voice_call_leases_realtime")


# --- transfers ------------------------------------------------------------------------------------


def test_a_transfer_and_the_exit_go_out_in_one_write(serve, monkeypatch):
    """The end of our socket would end the park of the next one; see ADR 11."""
    writes = []
    send = Connection._send

    def note(connection, data, deadline):
        writes.append(data)
        send(connection, data, deadline)

    monkeypatch.setattr(Connection, "_send", note)
    service = serve(emulator=TO_SALES, secretary=TRANSFER)
    call = service.call([ASK])
    wait_for(lambda: call.leg.channel.destination == "1000", 10)
    wait_for(lambda: not service.app.esl.active_calls)
    call.caller.hang_up()
    call.wait()
    service.stored()
    (write,) = [data for data in writes if b"uuid_transfer" in data]
    assert re.search(rb"api uuid_transfer \S+ 1000 XML \S+\n\nexit\n\n\Z", write)
    assert told(service, call)[:4] == ("", "transferred", "finished", None)
    assert call.leg.channel.get("transfer_ringback")
    assert transfers(service) == [("1000", "passed_on")]
    assert held_places(service) == []


@pytest.mark.parametrize("answer", [api.NO_CHANNEL, "-USAGE: <uuid> [-bleg|-both] <dest>\n"])
def test_a_transfer_that_freeswitch_refuses_is_the_transfers_failure(serve, monkeypatch, answer):
    monkeypatch.setitem(api.APIS, "uuid_transfer", lambda switch, argument: answer)
    service = serve(emulator=TO_SALES, secretary=TRANSFER)
    call = service.call([ASK], actions_after=FALLBACK).wait()
    service.stored()
    outcome, row, _, code, reason = told(service, call)
    assert (outcome, row, code) == ("transfer_failed", "fallback", "REALTIME_009")
    assert answer.split()[0] in reason
    assert call.leg.dialplan_continued
    assert transfers(service) == [("1000", "failed")]


def test_another_secretary_gets_the_caller_though_there_is_one_place(serve):
    """The same channel comes back, while the first conversation is being written down."""
    service = serve(
        emulator=TO_SALES,
        secretary={
            "enable_functions": True,
            "transfer_rules": [{"department": "sales", "destination": "8001"}],
            "max_concurrent_calls": 1,
        },
    )
    call = service.call([ASK, Step(AgentSilent(1.5), SPEAK)])
    wait_for(lambda: len(call.tenant.records) == 2, 15)
    wait_for(lambda: call.tenant.records[1].spoken[:1] == ["Hello."], 10)
    call.caller.hang_up()
    call.wait()
    service.stored()
    rows = service.database.execute(
        "select outcome from v_voice_conversations_realtime order by started_at"
    )
    assert rows == [("transferred",), ("completed",)]


# --- what goes wrong on our side ------------------------------------------------------------------


@pytest.fixture
def bug(monkeypatch):
    def boom(self, *_):
        raise TypeError("a bug of ours")

    return lambda name: monkeypatch.setattr(ConversationRecord, name, boom)


def test_a_bug_in_a_job_hands_the_caller_on(serve, bug):
    bug("transfer_tried")
    service = serve(emulator=TO_SALES, secretary=TRANSFER)
    call = service.call([ASK], actions_after=FALLBACK).wait()
    service.stored()
    assert told(service, call) == ("failed", "failed", "internal", "INTERNAL", "TypeError")
    assert call.leg.dialplan_continued
    assert not any(stream.open for stream in call.leg.media.streams)
    assert 'errors_total{code="INTERNAL"} 1.0' in service.app.metrics.exposition().decode()


def test_a_place_is_given_back_though_the_record_fails(serve, bug):
    bug("end")
    service = serve(secretary={"max_concurrent_calls": 1})
    service.call([BYE]).wait()
    wait_for(lambda: held_places(service) == [])
    service.wait_idle()


def test_a_worker_stopped_by_force_says_so(serve):
    service = serve()
    call = service.call(actions_after=FALLBACK)
    greeted(service, call)
    service.app.stop()
    call.wait()
    outcome, row, cause, _, reason = told(service, call)
    assert (outcome, row, cause) == ("failed", "failed", "stopped")
    assert reason == "the worker was stopped"
    assert call.leg.dialplan_continued


def test_a_worker_that_is_drained_while_it_rings_blames_no_provider(serve):
    service = serve(emulator=EmulatorConfig(script=BRIEF, faults=Faults(connect_delay_s=1.5)))
    call = service.call(actions_after=FALLBACK)
    wait_for(lambda: len(service.app.manager) == 1)
    drain = gevent.spawn(service.app.drain)
    call.wait()
    drain.join(20)
    assert told(service, call)[:4] == ("overflow", "fallback", "drained", None)
    assert "code=" not in [
        line
        for line in service.app.metrics.exposition().decode().splitlines()
        if line.startswith("voice_ai_realtime_errors_total")
    ]


# --- who was not served ---------------------------------------------------------------------------


def test_every_refused_call_has_a_row_that_says_why(serve):
    service = serve(secretary={"max_concurrent_calls": 0})
    closed = service.add_tenant(business_hours={}, closed_extension="1000")
    wrong = service.add_tenant(base_url="gopher://127.0.0.1:9/")
    calls = {
        "overflow": service.call(actions_after=FALLBACK),
        "closed": service.call(tenant=closed, actions_after=FALLBACK),
        "unavailable": service.call(tenant=wrong, actions_after=FALLBACK),
        "not_ours": service.call(destination_number="8999", actions_after=FALLBACK),
    }
    own = service.add_tenant()
    service.call([BYE], tenant=own).wait()
    calls["own"] = service.call(tenant=own, caller_id_number="8001", actions_after=FALLBACK)
    stranger = service.call(
        domain_uuid="99999999-9999-4999-8999-999999999999", actions_after=FALLBACK
    )
    stranger.wait()
    for call in calls.values():
        if not call.leg.ended.wait(5):
            call.caller.hang_up()
            call.wait()
    service.stored()
    rows = {name: told(service, call) for name, call in calls.items()}
    assert {row[1] for row in rows.values()} == {"refused"}
    assert rows["overflow"][4] == "no place left: limit of the secretary reached"
    assert rows["closed"][4].startswith("outside the secretary's hours")
    assert (rows["unavailable"][3], "base_url must be" in rows["unavailable"][4]) == (
        "REALTIME_007",
        True,
    )
    assert rows["not_ours"][4] == "no secretary has 8999"
    assert rows["own"][4] == "the caller 8001 is a secretary of the same domain"
    assert service.app.journal.statistics.rejected == 0
    ((caller, number, ended),) = service.database.execute(
        """select caller_id, destination, ended_at is not null
           from v_voice_conversations_realtime where call_uuid = %s""",
        calls["not_ours"].leg.uuid,
    )
    assert (caller, number, ended) == ("5551000", "8999", True)


def test_a_socket_without_full_is_handed_back_before_it_is_answered(serve):
    service = serve()
    tenant = service.tenant
    leg = service.switch.originate_to_controller(
        *service.address,
        full=False,
        channel=ChannelOptions(domain_uuid=tenant.domain_uuid),
        actions_after=[Action("hangup")],
    )
    assert leg.ended.wait(10)
    assert (leg.channel.get("voice_ai_outcome"), leg.dialplan_continued) == ("unavailable", True)
    assert not leg.answered.is_set()
    service.stored()
    rows = service.database.execute("select outcome, reason from v_voice_conversations_realtime")
    assert rows == [
        ("refused", "the dialplan's socket must say `async full`: `full` is missing"),
    ]


def test_a_providers_own_words_are_in_the_row(serve):
    """Yesterday's failure can be explained; a key that the provider repeats is not kept."""
    service = serve(emulator=EmulatorConfig(script=BRIEF, api_keys=frozenset({"another"})))
    call = service.call(actions_after=FALLBACK).wait()
    service.stored()
    outcome, row, _, code, reason = told(service, call)
    assert (outcome, row, code) == ("unavailable", "fallback", "REALTIME_001")
    assert "Incorrect API key provided" in reason


# --- moved by somebody else -----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["uuid_transfer {0} 1000 XML default", "uuid_park {0}"])
def test_a_call_moved_from_outside_is_let_go_of(serve, command):
    service = serve()
    call = service.call()
    greeted(service, call)
    name, _, argument = command.format(call.leg.uuid).partition(" ")
    assert api.run(service.switch, name, argument) == api.OK
    wait_for(lambda: not service.app.esl.active_calls)
    assert not call.leg.hung_up
    assert len(service.app.manager) == 0
    assert not call.tenant.record.open
    assert not any(stream.open for stream in call.leg.media.streams)
    call.caller.hang_up()
    call.wait()
    service.stored()
    outcome, row, cause, code, reason = told(service, call)
    assert (outcome, row, cause, code) == ("", "transferred", "taken_away", None)
    assert reason.startswith("moved by FreeSWITCH")


def test_what_an_earlier_pass_left_on_the_channel_is_cleared(serve):
    service = serve()
    stale = {"voice_ai_outcome": "failed", "voice_ai_extension": "8001"}
    call = service.call([BYE], variables=stale).wait()
    assert call.outcome == ""
    assert not call.leg.channel.get("voice_ai_extension")


def test_keys_that_are_no_digits_are_ignored(serve):
    service = serve(secretary={"dtmf_pause_ms": 300})
    call = service.call([hang_up_after(After(4.0))])
    greeted(service, call)
    for key in "1Ff2W":
        call.leg.receive_dtmf(key)
    wait_for(lambda: call.tenant.record.texts)
    assert call.tenant.record.texts[0].endswith("1 2]")
    (session,) = [running.leg.esl for running in service.app.calls]
    assert session.handler_errors == 0
    call.wait()
