"""A worker is killed while people talk whom it has connected, briefs or has called."""

from __future__ import annotations

import dataclasses
import time

from esl_controller.simulator import callees
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import After, AgentSpeaking, HangUp, Press, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.legs import FarEnd
from tests.integration.service import FALLBACK, TestCall, wait_for
from tests.integration.test_call_transfer import ASK, HUMAN_SAYS, RULE, Human, model
from tests.integration.two_workers import PATIENCE_S, Pair, restart
from tests.integration.who_heard import AGENT, HUMAN, who_is_heard

TALKING = [Step(After(0.5), HUMAN_SAYS)] * 5


def kill_while_people_talk(pair: Pair) -> None:
    """No caller goes with the worker; who was being briefed does."""
    here, there = pair.workers
    talks = Human([Step(AgentSpeaking(0.5), Press("1")), *TALKING, Step(After(2.0), HangUp())])
    listens = Human()
    way_back = tuple(
        Action("socket", f"{address} async full")
        for address in ("${voice_ai_return_to}", f"127.0.0.1:{there.esl[1]}")
    )
    pair.switch.config = dataclasses.replace(
        pair.switch.config,
        far_ends={"201": talks.far_end(), "202": listens.far_end()},
        extensions={"voice_ai_return": way_back},
    )
    talking, briefed = (connect(pair, number) for number in ("201", "202"))
    wait_for(lambda: HUMAN in who_is_heard(talking.caller), PATIENCE_S, here.log.read_text()[-999:])
    wait_for(lambda: listens.phones, PATIENCE_S)
    here.kill()
    at = time.monotonic()
    wait_for(lambda: listens.phone.ended_at is not None, PATIENCE_S, "the human is left alone")
    briefed.wait()
    assert briefed.leg.dialplan_continued
    wait_for(lambda: talks.phone.ended_at is not None, PATIENCE_S)
    assert HUMAN in who_is_heard(talking.caller, at)
    records = talking.tenant.records
    wait_for(lambda: len(records) == 3 and records[2].told, PATIENCE_S, "nobody took him back")
    assert "with you again" in records[2].told[0]
    assert records[2].said_before == ["Hello.", "I try."]
    assert not talking.leg.hung_up
    talking.caller.hang_up()


def connect(pair: Pair, number: str) -> TestCall:
    rules = [RULE | {"destination": number}]
    tenant = pair.add_tenant(model(number), transfer_rules=rules, transfer_return=True)
    return pair.call([ASK], tenant=tenant, address=pair.workers[0].esl, actions_after=FALLBACK)


def kill_while_we_call(pair: Pair, port: int) -> None:
    """Whom it talks with hears the end; another worker calls again when the lease has run out, and
    the rows tell of both attempts."""
    phones: list[Caller] = []

    def end() -> Caller:
        phones.append(callees.person(stays_s=60))
        return phones[-1]

    far_ends = {"5551": FarEnd(end=end)}
    pair.switch.config = dataclasses.replace(pair.switch.config, far_ends=far_ends)
    pair.switch.listen_inbound(port)
    script = Script(answers=(Answer("This is the clinic."),), caller_lines=("Hello?",))
    tenant = pair.add_tenant(EmulatorConfig(script=script, think_s=0.05))
    pair.timed_change(
        "insert into v_voice_realtime_settings (domain_uuid, outbound_max_concurrent)"
        " values (%s, 1)",
        tenant.domain_uuid,
    )
    body = {"extension": "8001", "number": "5551"}
    page = f"/domains/{tenant.domain_uuid}/outbound"
    key = pair.workers[0].client.post(page, body).json["call"]["outbound_uuid"]
    wait_for(lambda: phones and AGENT in who_is_heard(phones[0]), PATIENCE_S, "nobody called")
    sql = """select o.status, o.attempts, w.http_url from v_voice_outbound_realtime o
             left join v_voice_workers_realtime w using (worker) where outbound_uuid = %s"""
    ((status, attempts, taken_by),) = pair.database.execute(sql, key)
    assert (status, attempts) == ("calling", 1)
    dying = next(one for one in pair.workers if taken_by.endswith(f":{one.media[1]}"))
    dying.kill()
    wait_for(lambda: phones[0].ended_at is not None, PATIENCE_S, "the callee is left alone")
    wait_for(lambda: not pair.switch.sessions, PATIENCE_S, "a channel is left")
    assert pair.database.execute(sql, key)[0][:2] == ("calling", 1), "it is still the dead one's"
    pair.database.execute(
        "update v_voice_outbound_realtime set lease_until = now() where outbound_uuid = %s", key
    )
    wait_for(lambda: len(phones) == 2 and AGENT in who_is_heard(phones[1]), PATIENCE_S)
    phones[1].hang_up()
    wait_for(lambda: pair.database.execute(sql, key)[0][:2] == ("done", 2), PATIENCE_S)
    dialled = pair.database.execute(
        """select count(distinct worker), count(distinct call_uuid) from v_voice_audits_realtime
           where domain_uuid = %s and action = 'dial'""",
        tenant.domain_uuid,
    )
    assert dialled == [(2, 2)]
    ends = """select end_cause from v_voice_conversations_realtime
              where domain_uuid = %s and ended_at is not null order by started_at"""
    restart(pair.workers)
    told = lambda: pair.database.execute(ends, tenant.domain_uuid)  # noqa: E731
    wait_for(lambda: len(told()) == 2, PATIENCE_S, "an attempt has no end")
    assert told()[0] == ("worker_lost",)
    pair.switch.close_inbound()
