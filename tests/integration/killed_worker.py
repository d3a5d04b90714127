"""A worker is killed while one caller talks with a human, and another's human is being briefed."""

from __future__ import annotations

import dataclasses
import time

from esl_controller.simulator.caller_script import After, AgentSpeaking, HangUp, Press, Step
from esl_controller.simulator.switch.action import Action
from tests.integration.service import FALLBACK, TestCall, wait_for
from tests.integration.test_call_transfer import ASK, HUMAN_SAYS, RULE, Human, model
from tests.integration.two_workers import PATIENCE_S, Pair
from tests.integration.who_heard import HUMAN, who_is_heard

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
