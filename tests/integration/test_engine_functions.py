"""Functions that FreeSWITCH carries out, on a real one: done, refused, and failed.

Besides FREESWITCH_ESL it needs the context that `test_engine_supervision` names, in which
`+55<port>` bridges to `sofia/<profile>/phone@127.0.0.1:<port>` too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import msgspec
import pytest

from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.speech import beep, joined, silence, synthetic
from tests.integration.api_kit import OPEN, client_of
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client, event_socket
from tests.integration.engine_line import dial, media
from tests.integration.service import Service, wait_for
from tests.integration.sip_phone import Phone
from tests.integration.test_engine_keys import ListeningPhone

CONTEXT = os.environ.get("FREESWITCH_OUTBOUND", "")
pytestmark = [
    *ENGINE_MARKS,
    pytest.mark.skipif(not CONTEXT, reason="no FREESWITCH_OUTBOUND"),
]
WAY = "unicast without module"
RULES = [
    {"department": "tone", "destination": "1000", "mode": "blind"},
    {"department": "nowhere", "destination": "1999", "mode": "blind"},
]


def call(name: str, **arguments: object) -> ScriptedCall:
    return ScriptedCall(name, msgspec.json.encode(arguments).decode())


class Line:
    """A service on a FreeSWITCH, and the caller's telephone."""

    def __init__(self, service: Service, client: Any, stack: ExitStack) -> None:
        self.service, self.client, self._stack = service, client, stack

    def phone(self) -> ListeningPhone:
        return self._stack.enter_context(closing(ListeningPhone()))

    def asks(self, phone: Phone) -> None:
        """Dials, hears the greeting, and says something."""
        number = f"+55{phone.address.rpartition(':')[2]}"
        dial(self.client, self.service, phone, WAY, number=number)
        wait_for(lambda: self.service.tenant.records and self.service.tenant.record.spoken, CALL_S)
        wait_for(lambda: phone.hearing.last_sound_at is not None, CALL_S)
        self.says(phone)

    def says(self, phone: Phone) -> None:
        phone.say(joined(silence(0.6), synthetic(0.8)).frames(8000))

    def told(self, how_many: int) -> list[Any]:
        """What the model was told of so many functions."""
        record = self.service.tenant.record
        wait_for(lambda: len(record.function_outputs) >= how_many, CALL_S, str(record.spoken))
        return [msgspec.json.decode(output) for _, output in record.function_outputs]

    def rows(self) -> list[tuple[str, str]]:
        return self.service.database.execute(
            "select function_name, status from v_voice_function_calls_realtime order by 1, 2"
        )


@pytest.fixture
def line(serve: Any) -> Iterator[Callable[..., Line]]:
    with ExitStack() as stack:

        def start(*answers: Answer, outside: str = r"\+55\d+", lines: Any = ()) -> Line:
            script = Script(answers=answers, after_function=Answer("So."), caller_lines=lines)
            service = serve(
                **OPEN,
                emulator=EmulatorConfig(script=script, think_s=0.05),
                secretary={
                    "domain_name": CONTEXT,
                    "enable_functions": True,
                    "functions_config": ["send_dtmf"],
                    "transfer_rules": RULES,
                },
                media=media(WAY),
                transfer={"outside": outside},
                freeswitch=dict(zip(("host", "port"), event_socket(), strict=True)),
            )
            service.database.execute(
                "insert into v_voice_realtime_settings (domain_uuid, outbound_max_concurrent)"
                " values (%s, 2)",
                service.tenant.domain_uuid,
            )
            return Line(service, stack.enter_context(engine_client()), stack)

        yield start


def test_what_is_refused_is_said_and_what_is_right_is_done(line: Callable[..., Line]) -> None:
    here = line(
        Answer("", calls=(
            call("send_dtmf", digits="call 1"),
            call("transfer_call", destination="the king"),
            call("send_dtmf", digits="42#"),
            call("request_callback", reason="an invoice"),
        )),
        Answer("Good-bye.", calls=(call("end_call"),)),
    )  # fmt: skip
    phone = here.phone()
    here.asks(phone)
    told = here.told(4)
    assert [one["done"] for one in told].count(True) == 2, told
    assert sorted(one.get("status", "") for one in told) == ["", "", "noted", "sent"]
    wait_for(lambda: "".join(phone.keys.values()) == "42#", CALL_S, str(phone.keys))
    wait_for(lambda: here.service.tenant.record.spoken[-1] == "So.", CALL_S)
    here.says(phone)
    wait_for(phone.over.is_set, CALL_S, "not hung up")
    assert phone.hung_up_by_far_end
    here.service.stored()
    assert here.rows() == [
        ("end_call", "completed"),
        ("request_callback", "completed"),
        ("send_dtmf", "completed"),
        ("send_dtmf", "refused"),
        ("transfer_call", "failed"),
    ]


def test_who_asked_for_it_is_called_back(line: Callable[..., Line]) -> None:
    here = line(Answer("", calls=(call("request_callback", reason="an invoice"),)), Answer("Well."))
    phone = here.phone()
    here.asks(phone)
    here.told(1)
    phone.hang_up()
    here.service.stored()
    # The same telephone: a new call comes to where the last one came from.
    again = here._stack.enter_context(closing(Phone("PCMU")))
    here.service.database.execute(
        "update v_voice_outbound_realtime set number = %s",
        f"+55{again.address.rpartition(':')[2]}",
    )
    here.service.app.outbound.run_once()
    wait_for(again.answered.is_set, CALL_S, "not called back")
    again.say(joined(silence(0.5), synthetic(0.6)).frames(8000))
    wait_for(lambda: len(here.service.tenant.records) == 2, CALL_S)
    wait_for(lambda: "Answer" and here.service.tenant.records[1].updates, CALL_S)
    assert "an invoice" in here.service.tenant.records[1].updates[0]["instructions"]
    again.hang_up()


def test_nobody_is_called_back_where_nothing_outside_may_be_dialled(
    line: Callable[..., Line],
) -> None:
    asked = Answer("", calls=(call("request_callback", reason="an invoice"),))
    here = line(asked, Answer("Well."), outside="")
    phone = here.phone()
    here.asks(phone)
    (told,) = here.told(1)
    assert told["done"] is False and "outside the company" in told["error"]
    phone.hang_up()


@pytest.mark.parametrize("to, hears", [("tone", True), ("nowhere", False)])
def test_a_caller_who_is_passed_on(line: Callable[..., Line], to: str, hears: bool) -> None:
    """To a number that is there, and to one that leads nowhere."""
    here = line(Answer("One moment.", calls=(call("transfer_call", destination=to),)))
    phone = here.phone()
    here.asks(phone)
    wait_for(lambda: not len(here.service.app.calls), CALL_S, "the call is still ours")
    if hears:
        wait_for(lambda: phone.hearing.heard_for(phone.hearing.times[-1]) > 1.5, CALL_S)
        phone.hang_up()
    else:
        wait_for(phone.over.is_set, CALL_S, "the caller is left in silence")
    here.service.stored()
    ((status, outcome),) = here.service.database.execute(
        "select t.status, c.outcome from v_voice_transfers_realtime t"
        " join v_voice_conversations_realtime c using (conversation_uuid)"
    )
    assert (status, outcome) == ("passed_on", "transferred")


def test_a_message_of_the_models_is_left_on_a_machine(line: Callable[..., Line]) -> None:
    message = "This is the clinic. Please call us back."
    here = line(
        Answer("", calls=(call("leave_message", message=message),)),
        lines=("You have reached us. Leave a message.",),
    )
    machine = here.phone()
    domain, number = here.service.tenant.domain_uuid, f"+55{machine.address.rpartition(':')[2]}"
    asked = client_of(here.service).post(
        f"/domains/{domain}/outbound", {"extension": "8001", "number": number}
    )
    assert asked.status == 201, asked.body
    here.service.app.outbound.run_once()
    wait_for(machine.answered.is_set, CALL_S, "not called")
    tape = joined(synthetic(4.0), silence(0.4), beep(0.4, 1000.0))
    machine.say(tape.frames(8000))
    wait_for(machine.over.is_set, 30, "nobody hung up")
    assert here.service.tenant.record.spoken[-1] == message
    assert machine.hung_up_by_far_end
