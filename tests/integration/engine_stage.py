"""Telephones and the service between them on a real FreeSWITCH, for tests of transfers."""

from __future__ import annotations

import dataclasses
import time
from contextlib import ExitStack, closing
from typing import Any

import gevent

from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator.hearing import Hearing
from esl_controller.simulator.speech import beep
from tests.integration.engine_kit import CALL_S
from tests.integration.service import Service, wait_for
from tests.integration.sip_phone import TAKES, Phone
from tests.integration.who_heard import AGENT, CALLER, CALLER_HZ, HUMAN, HUMAN_HZ, who_is_heard


def phone(stack: ExitStack, does: str = TAKES, codec: str = "PCMU") -> Phone:
    """One that remembers what it has heard."""
    one = stack.enter_context(closing(Phone(codec, does=does)))
    one.hearing = Hearing(one.format.rate_hz, keep_audio=True)
    return one


@dataclasses.dataclass
class Stage:
    """Two telephones and the service between them."""

    client: InboundClient
    service: Service
    caller: Phone
    human: Phone
    speaking: list[Any] = dataclasses.field(default_factory=list)

    def ask(self) -> None:
        """The caller asks, and is put on hold."""
        wait_for(lambda: AGENT in who_is_heard(self.caller), CALL_S, "no greeting")
        wait_for(lambda: (self.caller.hearing.silent_for(time.monotonic()) or 0) > 0.5, CALL_S)
        self.caller.say(beep(0.5, CALLER_HZ).frames(self.caller.format.rate_hz))

    def briefed(self) -> float:
        """Until the human has heard something; returns when he answered."""
        wait_for(self.human.answered.is_set, CALL_S, "the human was not called")
        answered = time.monotonic()
        wait_for(lambda: AGENT in who_is_heard(self.human), CALL_S, "no briefing")
        return answered

    def talk(self) -> float:
        """Both speak all the time from now on; returns when they hear each other."""
        turns = ((0.0, self.caller, CALLER_HZ), (0.5, self.human, HUMAN_HZ))
        for later_s, one, hertz in turns:  # in turn, so that who hears both tells them apart
            self.speaking.append(gevent.spawn_later(later_s, _speak, one, hertz))
        wait_for(lambda: HUMAN in who_is_heard(self.caller), CALL_S, "not joined")
        wait_for(lambda: CALLER in who_is_heard(self.human), CALL_S, "not joined")
        return time.monotonic()

    def hush(self) -> None:
        """Nobody speaks any more."""
        gevent.killall(self.speaking)

    def told(self) -> str:
        """What the caller's own agent was told last."""
        wait_for(lambda: any(record.told for record in self.service.tenant.records), CALL_S)
        return [record.told for record in self.service.tenant.records if record.told][-1][-1]

    def end(self) -> list[str]:
        """The caller hangs up; statuses of the transfers."""
        self.hush()
        if not self.caller.over.is_set():
            self.caller.hang_up()
        self.service.stored()
        rows = self.service.database.execute(
            "select status from v_voice_transfers_realtime where domain_uuid = %s",
            self.service.tenant.domain_uuid,
        )
        return [status for (status,) in rows]


def _speak(one: Phone, hertz: float) -> None:
    while not one.over.is_set():
        one.say(beep(0.4, hertz).frames(one.format.rate_hz))
        gevent.sleep(0.6)
