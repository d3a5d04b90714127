"""The shipped dialplan on a real FreeSWITCH: whatever becomes of the worker, somebody answers.

FreeSWITCH needs a context that holds `dialplan_xml/voice_ai_realtime.xml`, the socket's port
changed, and an extension 1000 that answers and stays: `FREESWITCH_DIALPLAN=context:port`, besides
`FREESWITCH_ESL`. The context's name is taken for the domain's, so `transfer` finds 1000 in it.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator

import pytest

from esl_controller.esl.errors import CommandFailed
from esl_controller.esl.inbound import InboundClient
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.service import wait_for
from tests.integration.simulator_replay import Application

pytestmark = [
    *ENGINE_MARKS,
    pytest.mark.skipif("FREESWITCH_DIALPLAN" not in os.environ, reason="no FREESWITCH_DIALPLAN"),
]
ANSWER = "sendmsg\ncall-command: execute\nexecute-app-name: answer\n\n"


@pytest.fixture
def client() -> Iterator[InboundClient]:
    with engine_client() as client:
        yield client


class Caller:
    """A loopback call to 8000; `leg` is the half that runs the dialplan."""

    def __init__(self, client: InboundClient) -> None:
        self._client = client
        self._context = os.environ["FREESWITCH_DIALPLAN"].split(":")[0]
        self._near = str(uuid.uuid4())
        self.leg = ""

    def __enter__(self) -> Caller:
        variables = {
            "origination_uuid": self._near,
            "ignore_early_media": "true",
            "domain_name": self._context,
            "loopback_export": "domain_name",
        }
        text = ",".join(f"{name}={value}" for name, value in variables.items())
        dial = f"{{{text}}}loopback/8000/{self._context} &park()"
        self._client.api("bgapi", f"originate {dial}", check=False)
        wait_for(self._find_leg, CALL_S)
        return self

    def _find_leg(self) -> bool:
        name = f"{self._near} other_loopback_leg_uuid"
        found = self._client.api("uuid_getvar", name, check=False)
        self.leg = found if len(found) == len(self._near) else ""
        return bool(self.leg)

    def __exit__(self, *exc_info: object) -> None:
        for leg in (self._near, self.leg):
            self._client.api("uuid_kill", leg, check=False)

    def says(self, name: str) -> str:
        """A variable of the leg in the dialplan, empty when unset."""
        try:
            value = self._client.api("uuid_getvar", f"{self.leg} {name}")
        except CommandFailed:
            return ""
        return "" if value == "_undef_" else value

    def arrives_at(self, number: str) -> None:
        wait_for(lambda: self.says("destination_number") == number, CALL_S, "caller is lost")
        wait_for(lambda: self.says("current_application") in ("playback", "park", "echo"), CALL_S)
        assert self.says("playback_terminators") == ""


@pytest.fixture
def worker() -> Iterator[socket.socket]:
    port = int(os.environ["FREESWITCH_DIALPLAN"].split(":")[1])
    with socket.create_server(("127.0.0.1", port)) as listener:
        yield listener


def test_no_worker_answers(client: InboundClient) -> None:
    with Caller(client) as caller:
        caller.arrives_at("1000")
        assert caller.says("voice_ai_outcome") == ""


def test_a_worker_is_killed_in_mid_call(client: InboundClient, worker: socket.socket) -> None:
    with Caller(client) as caller:
        application = Application.accept(worker)
        application.ask("connect\n\nlinger\n\nmyevents\n\n", 3)
        application.send(ANSWER)
        application.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="answer")
        assert caller.says("playback_terminators") == "none"
        application.close()  # what the kernel does for a process that is killed
        caller.arrives_at("1000")


@pytest.mark.parametrize(
    ("outcome", "number"), [("overflow", "1000"), ("turn_based", "voice_ai_turn_based")]
)
def test_a_worker_gives_the_call_back(
    client: InboundClient, worker: socket.socket, outcome: str, number: str
) -> None:
    with Caller(client) as caller:
        application = Application.accept(worker)
        application.ask("connect\n\nmyevents\n\n", 2)
        application.send(ANSWER)
        application.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="answer")
        application.ask(f"api uuid_setvar {caller.leg} voice_ai_outcome {outcome}\n\n")
        application.send("exit\n\n")
        caller.arrives_at(number)
        application.close()
