"""Many calls at once, a third of them transferred, and anyone may drop at any moment.

TRANSFER_SOAK_CALLS=200 makes the large one.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import gevent
import pytest

from esl_controller.simulator.caller_script import After, AgentSpeaking, At, HangUp, Press, Step
from esl_controller.simulator.switch.legs import FarEnd
from tests.integration.service import Service, wait_for
from tests.integration.test_call_transfer import ASK, HUMAN_SAYS, RULE, Human, model

CALLS = int(os.environ.get("TRANSFER_SOAK_CALLS", "24"))
LONGEST_S = 6.0 if CALLS < 100 else 40.0
DROPS = 0.15
"""Of the calls whose connections are cut, as when a worker dies."""
HUMANS = {
    "301": Human([Step(AgentSpeaking(0.5), Press("1")), Step(After(1.0), HangUp())]),
    "302": Human([Step(AgentSpeaking(0.5), Press("2"))]),
    "303": Human([Step(AgentSpeaking(0.3), HangUp())]),
    "304": Human([Step(AgentSpeaking(0.5), HUMAN_SAYS), Step(After(1.5), HangUp())]),
    "305": Human(),
}


@pytest.mark.slow
@pytest.mark.timeout(max(120, CALLS * 2))
def test_whoever_drops_nothing_is_left(serve: Any) -> None:
    rng = Random(7)
    ends = {number: human.far_end() for number, human in HUMANS.items()}
    ends |= {"306": FarEnd(rings=True), "307": FarEnd(cause="USER_BUSY")}
    service: Service = serve(far_ends=ends, esl={"capacity": 2 * CALLS, "total_capacity": 10_000})
    tenants = [
        service.add_tenant(
            model(number),
            transfer_rules=[RULE | {"destination": number}],
            transfer_return=rng.random() < 0.5,
        )
        for number in ends
    ]
    calls, droppers = [], []
    for place in range(CALLS):
        tenant = rng.choice(tenants) if place % 3 == 0 else service.tenant
        steps = [ASK, Step(At(rng.uniform(1.0, LONGEST_S)), HangUp())]
        calls.append(service.call(steps, tenant=tenant, keep_audio=False))
        if rng.random() < DROPS:
            droppers.append(gevent.spawn_later(rng.uniform(0.5, 4.0), cut, service, rng))
        gevent.sleep(2.0 / CALLS)
    for call in calls:
        call.leg.ended.wait(LONGEST_S + 30)
    gevent.joinall(droppers)
    wait_for(lambda: not any(service.leftovers().values()), 20, f"left: {service.leftovers()}")
    assert service.app.journal.wait_stored(10)
    assert service.app.door.legs == service.app.door.waiting == 0
    assert not service.app._leases._held
    rows = service.database.execute(
        "select count(distinct call_uuid), count(*) - count(ended_at) "
        "from v_voice_conversations_realtime"
    )
    assert rows == [(CALLS, 0)]
    statuses = dict(
        service.database.execute(
            "select status, count(*) from v_voice_transfers_realtime group by status"
        )
    )
    print(f"\n{CALLS} calls, transfers: {statuses}")
    assert "started" not in statuses
    assert sum(statuses.values()) >= CALLS // 12


def cut(service: Service, rng: Random) -> None:
    """Some call, or some human's leg, loses its connection without a word."""
    legs = [call.leg.esl for call in service.app.calls]
    legs += list(service.app.door._server._calls)
    if legs:
        rng.choice(legs).close()
