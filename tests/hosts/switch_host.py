"""A machine of callers: a FreeSWITCH, real or simulated, and telephones that talk with the AI.

A process of its own, begun by START: it is told what to do by lines of JSON, and answers each with
one. Times are monotonic seconds, the same clock in every process.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import gevent
import numpy as np
from gevent.fileobject import FileObject

from esl_controller.esl import dialstring
from esl_controller.esl.errors import EslError
from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator import speech
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.hearing import AUDIBLE, Hearing
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM
from esl_controller.simulator.switch.sound import level
from tests.hosts import freeswitch
from tests.integration.sip_phone import Phone

START = "import tests.gevent_patch; from tests.hosts import switch_host; switch_host.main()"
"""For `python -c`: patched before anything is imported. Its first argument is JSON."""
RATE_HZ = 8000
LISTENS_S = 0.8
"""A caller who has heard nothing for so long says something."""
GUARD = [Action("set", f"voice_ai_guard=${{sched_api({freeswitch.GUARD} ${{context}})}}")]
SENT_ON = [Action("answer"), Action("playback", freeswitch.TONE), Action("hangup")]
_CLIP = speech.joined(speech.beep(0.1), speech.synthetic(0.9, seed=1)).frames(RATE_HZ)


class Ear(Hearing):
    """Also knows when the dialplan's tone began, and the agent's voice."""

    def __init__(self) -> None:
        super().__init__(RATE_HZ, keep_audio=False)
        self.agent_at: float | None = None
        self.agent_last_at: float | None = None
        self.tone_at: float | None = None
        self._tones = 0

    def add(self, frame: bytes, now: float) -> None:
        super().add(frame, now)
        if self.tone_at is not None or level(frame) < AUDIBLE:
            return
        self._tones = self._tones + 1 if _is_tone(frame) else 0
        if self._tones == 3:
            self.tone_at = now - 0.04
        elif not self._tones:
            self.agent_at = self.agent_at or now
            self.agent_last_at = now


def _is_tone(frame: bytes) -> bool:
    sound = np.frombuffer(frame, dtype="<i2").astype(float)
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    near = np.abs(hertz - freeswitch.TONE_HZ) <= 120
    return bool(power[near].sum() > 0.9 * power.sum())


class Call(Protocol):
    """One caller's."""

    uuid: str
    ear: Ear
    began_at: float
    ended_at: float | None

    def say(self) -> None: ...
    def hang_up(self) -> None: ...


class SimulatedCall:
    """By the simulator's switch."""

    def __init__(self, switch: Switch, socket: str, order: dict[str, Any]) -> None:
        self._caller = Caller(rate_hz=RATE_HZ, keep_audio=False)
        self.ear = self._caller.hearing = Ear()  # type: ignore[assignment]
        self.began_at = time.monotonic()
        channel = ChannelOptions(
            uuid="",
            domain_uuid=order["domain_uuid"],
            domain_name=order["domain_name"],
            destination_number=order["number"],
        )
        handed = Action("socket", f"{socket} async full")
        program = [*GUARD, handed, Action("sched_cancel", "voice_ai_${uuid}"), *SENT_ON]
        self._leg = switch.start_call(program, caller=self._caller, channel=channel)
        self.uuid = self._leg.uuid

    @property
    def ended_at(self) -> float | None:
        return self._caller.ended_at

    def say(self) -> None:
        self._caller.say(speech.joined(speech.beep(0.1), speech.synthetic(0.9, seed=1)))

    def hang_up(self) -> None:
        self._caller.hang_up()


class RealCall:
    """A telephone that a real FreeSWITCH has called, and sends to the secretary's number."""

    def __init__(self, client: InboundClient, order: dict[str, Any]) -> None:
        self._phone = Phone("PCMU")
        self.ear = self._phone.hearing = Ear()  # type: ignore[assignment]
        self.began_at = time.monotonic()
        self.ended_at: float | None = None
        variables = {"domain_uuid": order["domain_uuid"], "domain_name": order["domain_name"]}
        leg = dialstring.Leg(f"sofia/internal/phone@{self._phone.address}")
        self.uuid = ""
        self._greenlet = gevent.spawn(self._dial, client, leg, variables, order["number"])
        self._phone.over.rawlink(self._over)

    def _dial(
        self, client: InboundClient, leg: dialstring.Leg, variables: dict[str, str], number: str
    ) -> None:
        target = dialstring.extension(number, freeswitch.CONTEXT)
        self.uuid = client.originate(dialstring.DialString([leg], variables), target, 20.0)

    def _over(self, _: object) -> None:
        self.ended_at = time.monotonic()

    def say(self) -> None:
        self._phone.say(_CLIP)

    def hang_up(self) -> None:
        with suppress(AssertionError):  # the far end may be hanging up at the same moment
            self._phone.close()


class SwitchHost:
    """Does what it is told."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._socket: str = orders["socket"]
        self._switch: Switch | None = None
        self._client: InboundClient | None = None
        if orders["real"]:
            self._client = self._logged_in()
        else:
            temp_dir = Path(tempfile.mkdtemp())
            seed = time.monotonic_ns()
            extensions = {freeswitch.SENT_ON: SENT_ON}
            self._switch = Switch(
                SwitchConfig(quirks=CALM, seed=seed, temp_dir=temp_dir, extensions=extensions)
            )
        self._calls: list[Call] = []
        gevent.spawn(self._talk)

    def dial(self, order: dict[str, Any]) -> None:
        """So many calls, one after the other."""
        for _ in range(order["calls"]):
            if self._switch is not None:
                self._calls.append(SimulatedCall(self._switch, self._socket, order))
            else:
                assert self._client is not None
                self._calls.append(RealCall(self._client, order))
            gevent.sleep(order["ramp_s"])

    def report(self) -> list[dict[str, Any]]:
        """How each call since `forget` goes."""
        return [
            {
                "uuid": call.uuid,
                "began_at": call.began_at,
                "greeted_at": call.ear.agent_at,
                "agent_last_at": call.ear.agent_last_at,
                "fallback_at": call.ear.tone_at,
                "ended_at": call.ended_at,
            }
            for call in self._calls
        ]

    def hang_up(self) -> None:
        """All of them, and forget them."""
        calls, self._calls = self._calls, []
        gevent.joinall([gevent.spawn(call.hang_up) for call in calls], timeout=10)

    def _talk(self) -> None:
        """Whoever has listened says something."""
        said: dict[Call, float] = {}
        while True:
            now = time.monotonic()
            for call in self._calls:
                last = call.ear.last_sound_at
                if last is None or call.ended_at or call.ear.tone_at:
                    continue
                if now - last > LISTENS_S and last > said.get(call, 0.0):
                    said[call] = now + len(_CLIP) * 0.02
                    call.say()
            gevent.sleep(0.1)

    def _logged_in(self) -> InboundClient:
        until = time.monotonic() + 60
        while True:
            client = InboundClient(("127.0.0.1", freeswitch.ESL_PORT), freeswitch.PASSWORD)
            try:
                client.connect()
                client.api("sofia", "status profile internal")
            except EslError:
                assert time.monotonic() < until, "FreeSWITCH does not answer"
                client.close()
                gevent.sleep(0.2)
            else:
                return client


def main() -> None:
    """Until the orders end."""
    host = SwitchHost(json.loads(sys.argv[1]))
    does: dict[str, Callable[[dict[str, Any]], Any]] = {
        "dial": lambda order: gevent.spawn(host.dial, order) and None,
        "report": lambda _: host.report(),
        "hang_up": lambda _: host.hang_up(),
    }
    print(json.dumps({"ready": True}), flush=True)
    for line in FileObject(sys.stdin.buffer, "rb"):
        order = json.loads(line)
        answer = {"asked": order["asked"], "answer": does[order["do"]](order)}
        print(json.dumps(answer), flush=True)
