"""Calls that do not come straight from a telephone, and what the dialplan did to them before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import AgentSilent
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from tests.integration.service import Service, hang_up_after

BYE = hang_up_after(AgentSilent(0.5))
WAYS: dict[str, tuple[Sequence[Action], dict[str, Any]]] = {
    "an IVR, a time condition or a call flow has answered it": ([Action("answer")], {}),
    "it has early media": ([Action("pre_answer"), Action("sleep", "100")], {}),
    "FreeSWITCH dialled this leg: ring group, follow-me, click-to-call": (
        [],
        {"direction": "outbound", "domain_uuid": ""},
    ),
    "another secretary left her variables": (
        [
            Action("set", "voice_ai_outcome=failed"),
            Action("set", "voice_ai_conversation=11111111-2222-4333-8444-555555555555"),
            Action("answer"),
        ],
        {},
    ),
}


def dial(service: Service, before: Sequence[Action], options: dict[str, Any]) -> Any:
    tenant, caller = service.tenant, Caller([BYE], rate_hz=8000)
    channel = {
        "domain_uuid": tenant.domain_uuid,
        "domain_name": tenant.domain_name,
        "destination_number": tenant.extension,
    }
    return service.switch.originate_to_controller(
        *service.address,
        caller=caller,
        channel=ChannelOptions(**(channel | options)),
        actions_before=before,
    )


def test_each_is_greeted_and_ends_as_any_other(serve: Any) -> None:
    service = serve(secretary={"first_message": "Hello."})
    legs = {way: dial(service, before, options) for way, (before, options) in WAYS.items()}
    for way, leg in legs.items():
        assert leg.ended.wait(20), way
        assert not leg.channel.get("voice_ai_outcome"), way
        assert not leg.channel.get("voice_ai_conversation"), way
    service.stored()
    rows = service.database.execute(
        """select c.call_uuid, c.outcome, t.content, t.interrupted
           from v_voice_conversations_realtime c join v_voice_turns_realtime t
             using (domain_uuid, conversation_uuid)
           where domain_uuid = %s""",
        service.tenant.domain_uuid,
    )
    told = {uuid: rest for uuid, *rest in rows}
    for way, leg in legs.items():
        assert told[leg.uuid] == ["completed", "Hello.", False], way
