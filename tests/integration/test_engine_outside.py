"""On an engine: what others do to a call by its commands, and what `socket` must be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from esl_controller.esl.errors import CommandFailed
from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator.openai.config import EmulatorConfig
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import ANSWER, GREETING, SCRIPT, WAYS, Line, dial, media
from tests.integration.hub_watch import HubWatch
from tests.integration.service import Service
from tests.integration.sip_phone import Phone

pytestmark = ENGINE_MARKS


@pytest.fixture
def client() -> Iterator[InboundClient]:
    with engine_client() as client:
        yield client


@pytest.fixture
def call(serve: Any, client: InboundClient) -> Iterator[Callable[[str], Line]]:
    """Makes a call whose greeting has been heard."""
    with ExitStack() as stack:

        def call(way: str) -> Line:
            emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
            secretary = {"first_message": GREETING}
            service = serve(emulator=emulator, secretary=secretary, media=media(way))
            phone = stack.enter_context(closing(Phone("PCMU")))
            line = Line(service, phone, way, stack.enter_context(HubWatch()))
            dial(client, service, phone, way)
            line.listen(GREETING)
            return line

        yield call


def channel(line: Line) -> str:
    (call,) = line.service.app.calls
    return str(call.leg.channel.uuid)


def row(service: Service) -> tuple[Any, ...]:
    """The conversation as stored."""
    service.stored()
    (found,) = service.database.execute(
        """select outcome, end_cause, reason from v_voice_conversations_realtime
           where domain_uuid = %s""",
        service.tenant.domain_uuid,
    )
    return tuple(found)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", ["uuid_transfer", "uuid_park"])
def test_somebody_takes_the_caller_away(
    call: Callable[[str], Line], client: InboundClient, way: str, command: str
) -> None:
    """The AI leaves at once, and the caller stays where he was sent."""
    line = call(way)
    target = " echo inline" if command == "uuid_transfer" else ""
    client.api(command, channel(line) + target)
    assert row(line.service)[:2] == ("transferred", "taken_away")
    assert not line.service.tenant.record.open
    if target:
        spoken_at = time.monotonic()
        line.say()
        line.wait(lambda: (line.phone.hearing.last_sound_at or 0.0) > spoken_at, "no echo")
    assert not line.phone.over.is_set()
    line.phone.hang_up()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "command", ["uuid_broadcast {} tone_stream://%(1000,0,440) aleg", "uuid_break {} all"]
)
def test_an_answer_after_what_others_played(
    call: Callable[[str], Line], client: InboundClient, way: str, command: str
) -> None:
    line = call(way)
    name, _, argument = command.format(channel(line)).partition(" ")
    client.api(name, argument)
    if name == "uuid_broadcast":  # it ends `unicast`, which is noticed while nobody speaks
        began = time.monotonic()
        line.wait(lambda: (line.phone.hearing.last_sound_at or 0.0) > began, "no tone")
        line.wait(
            lambda: (line.phone.hearing.silent_for(time.monotonic()) or 0.0) > 1.5, "no silence"
        )
    began = time.monotonic()
    line.say()
    line.wait(lambda: len(line.moments("first_delta")) > 1, "not answered")
    line.listen(ANSWER)
    line.phone.hang_up()
    line.report(line.judge(ANSWER, after=began))


@pytest.mark.parametrize("mode", ["async", "full", ""])
def test_a_socket_that_is_not_async_full(serve: Any, client: InboundClient, mode: str) -> None:
    """Given back before it is answered, and told why."""
    service = serve(emulator=EmulatorConfig(script=SCRIPT), secretary={"first_message": GREETING})
    host, port = service.app.esl.address
    variables = {
        "domain_uuid": service.tenant.domain_uuid,
        "domain_name": service.tenant.domain_name,
        "voice_ai_extension": service.tenant.extension,
        "ignore_early_media": "true",
    }
    listed = ",".join(f"{name}={value}" for name, value in variables.items())
    dial_string = f"{{{listed}}}loopback/app=socket:{host}:{port} {mode}".rstrip()
    with pytest.raises(CommandFailed):  # nobody answers behind it
        client.bgapi("originate", f"'{dial_string}' &park()", 10)
    outcome, _, reason = row(service)
    assert (outcome, "async full" in reason) == ("refused", True)
    assert service.tenant.records == []
