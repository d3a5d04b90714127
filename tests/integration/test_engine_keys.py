"""`send_dtmf` on a real FreeSWITCH: the keys the agent presses arrive at the telephone."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Any

import pytest

from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.integration import rtp
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.engine_line import GREETING, dial, media
from tests.integration.service import wait_for
from tests.integration.sip_phone import Phone

pytestmark = ENGINE_MARKS

KEYS = "0123456789*#"
EVENT_BYTES = 4
"""RFC 4733 section 2.3."""


class ListeningPhone(Phone):
    """Hears keys."""

    def __init__(self) -> None:
        super().__init__("PCMU")
        self.keys: dict[int, str] = {}
        """By the time stamp of the event: each is sent many times."""

    def _receive_rtp(self, data: bytes, far: tuple[str, int], at: float) -> None:
        packet = rtp.parse(data, at)
        if packet.payload_type != self._now.number and len(packet.payload) == EVENT_BYTES:
            self.keys.setdefault(packet.timestamp, KEYS[packet.payload[0]])
        super()._receive_rtp(data, far, at)


@pytest.mark.parametrize("digits", ["42#", "*10"])
def test_keys_arrive_at_the_telephone(serve: Any, digits: str) -> None:
    press = ScriptedCall("send_dtmf", f'{{"digits": "{digits}"}}')
    script = Script(
        answers=(Answer("", calls=(press,)),),
        after_function=Answer("Done."),
        caller_lines=("press them",),
    )
    service = serve(
        emulator=EmulatorConfig(script=script, think_s=0.05),
        secretary={
            "enable_functions": True,
            "functions_config": ["send_dtmf"],
            "first_message": GREETING,
        },
        media=media("unicast without module"),
    )
    with ExitStack() as stack:
        phone = stack.enter_context(closing(ListeningPhone()))
        client = stack.enter_context(engine_client())
        dial(client, service, phone, "unicast without module")
        wait_for(lambda: service.tenant.records and service.tenant.record.spoken, CALL_S)
        wait_for(lambda: phone.hearing.last_sound_at is not None, CALL_S)
        phone.press("1#")
        wait_for(lambda: "".join(phone.keys.values()) == digits, CALL_S, str(phone.keys))
        outputs = service.tenant.record.function_outputs
        wait_for(lambda: outputs, CALL_S)
        assert outputs[0][1] == '{"done":true,"status":"sent"}'
        phone.hang_up()
