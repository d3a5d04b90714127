"""Every event of whole calls, each believed by the check docs/errands.md gives to receivers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any

import pytest

from esl_controller.simulator.caller_script import AgentSilent
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.receivers import HttpReceiver, Posted
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.tenants.columns.after_call import EVENTS
from tests.arch.tree import ROOT
from tests.integration.api_kit import OPEN, client_of
from tests.integration.service import Service, Tenant, hang_up_after, wait_for
from tests.integration.test_call_transfer import (
    ACCEPTS,
    HUMAN,
    RULE,
    TALKS,
    Human,
    model,
    who_is_heard,
)

SECRET = "a-secret-of-the-tenant"


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    one = HttpReceiver()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def believe() -> Callable[[bytes, Any, bytes], bool]:
    """The function of the page, word for word."""
    page = (ROOT / "docs/errands.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(import hashlib.*?)```", page, re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)
    return told["believe"]


def headers_of(posted: Posted) -> Message:
    """As http.server and others have them: without regard to case."""
    found = Message()
    for name, value in posted.headers.items():
        found[name] = value
    return found


def leaves_a_message() -> EmulatorConfig:
    """As in the tests of transfers, but notes something, too."""
    config = model("241")
    first, *others = config.script.answers
    note = ScriptedCall("take_message", '{"message": "Call me back"}')
    noting = Answer(first.text, calls=(note, *first.calls))
    script = Script(answers=(noting, *others), keywords=config.script.keywords)
    return EmulatorConfig(script=script, think_s=0.05)


def wants_events(service: Service, tenant: Tenant, url: str, **more: Any) -> None:
    page = f"/domains/{tenant.domain_uuid}/settings"
    told = {"webhook_url": url, "webhook_secret": SECRET} | more
    assert client_of(service).ask("PATCH", page, told).status == 200


def connected_and_back(service: Service, receiver: HttpReceiver) -> Tenant:
    """A caller leaves a message, is connected, and is with the agent again afterwards."""
    secretary = {"voice_settings": {"speed": 1.5}, "resume_after_noise": False}
    secretary |= {"enable_functions": True, "functions_config": ["take_message"]}
    tenant = service.add_tenant(
        leaves_a_message(),
        transfer_rules=[RULE | {"destination": "241"}],
        transfer_return=True,
        **secretary,
    )
    wants_events(service, tenant, receiver.url)
    call = service.call(TALKS[:1], tenant=tenant)
    wait_for(lambda: HUMAN in who_is_heard(call.caller), 25, str(call.story()))
    wait_for(lambda: len(tenant.records) == 3 and tenant.records[2].told, 15, "not back")
    call.caller.hang_up()
    call.wait()
    return tenant


def spends_its_budget(service: Service, receiver: HttpReceiver) -> Tenant:
    """A domain near the end of its day's money, and not far from that of its month's."""
    tenant = service.add_tenant()
    service.database.execute(
        """insert into v_voice_usage_realtime
             (usage_uuid, domain_uuid, provider, occurred_at, cost_usd)
           values (gen_random_uuid(), %s, 'openai', now(), 0.849999)""",
        tenant.domain_uuid,
    )
    money = {"daily_budget_usd": "0.85", "monthly_budget_usd": "1"}
    wants_events(service, tenant, receiver.url, **money)
    service.call([hang_up_after(AgentSilent(0.3))], tenant=tenant).wait()
    return tenant


@pytest.mark.slow
def test_every_event_of_whole_calls_is_believed(
    serve: Callable[..., Service], receiver: HttpReceiver, believe: Any
) -> None:
    far_ends = {"241": Human(ACCEPTS).far_end()}
    service = serve(far_ends=far_ends, services={"allowed_hosts": ("127.0.0.1",)}, **OPEN)
    connected, spent = connected_and_back(service, receiver), spends_its_budget(service, receiver)
    service.stored()
    wait_for(lambda: len(receiver.posted) >= 13, 15, str(names(receiver, connected, spent)))
    told = names(receiver, connected, spent)
    assert told[connected.domain_uuid] == {
        **dict.fromkeys(("call.started", "call.ended"), 2),
        **dict.fromkeys(("message.taken", "transfer.started"), 1),
        **dict.fromkeys(("transfer.ended", "transfer.returned"), 1),
    }
    assert told[spent.domain_uuid] == {
        **dict.fromkeys(("call.started", "call.ended", "budget.exhausted"), 1),
        "budget.warning": 2,
    }
    assert {name for one in told.values() for name in one} == set(EVENTS)
    for posted in receiver.posted:
        headers = headers_of(posted)
        assert believe(SECRET.encode(), headers, posted.body)
        assert not believe(b"another", headers, posted.body)
        assert not believe(SECRET.encode(), headers, posted.body + b" ")
        assert headers["X-Webhook-Id"] == posted.json["id"]
        assert headers["X-Webhook-Event"] == posted.json["event"]
    late = headers_of(receiver.posted[0])
    late.replace_header("X-Webhook-Timestamp", "1000000000")
    assert not believe(SECRET.encode(), late, receiver.posted[0].body)
    assert len({posted.json["id"] for posted in receiver.posted}) == len(receiver.posted)


def names(receiver: HttpReceiver, *tenants: Tenant) -> dict[str, Counter[str]]:
    return {
        one.domain_uuid: Counter(
            posted.json["event"]
            for posted in receiver.posted
            if posted.json["domain_uuid"] == one.domain_uuid
        )
        for one in tenants
    }
