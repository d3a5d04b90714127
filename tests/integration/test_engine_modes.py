"""Number 8001 in every mode on a real FreeSWITCH: our dialplan file, our Lua scripts on FusionPBX's
own functions, the service, and a stand-in for version 1 on port 8100.

Besides `FREESWITCH_ESL`: `FREESWITCH_DIALPLAN=context:port` names a context that holds
`dialplan_xml/900_voice_ai_realtime.xml`, the sockets' port changed to that one, with
extensions 1000 and 2000 that answer with a tone, and the ways in of `WAYS_IN` below;
`FREESWITCH_SCRIPTS` is its scripts directory (`script-directory` of lua.conf has `?.lua` in it),
with FusionPBX's `resources/functions`. mod_lua and mod_pgsql must be loaded, curl installed.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from gevent.pywsgi import WSGIServer

from esl_controller.calls.states import CallState
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.esl import dialstring
from esl_controller.esl.errors import CommandFailed
from esl_controller.esl.inbound import InboundClient
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.engine_line import PROFILE
from tests.integration.fusionpbx_tables import FUSIONPBX_TABLES
from tests.integration.service import Service, wait_for
from tests.integration.simulator_replay import Application
from tests.integration.sip_phone import Phone

NEEDS = ("FREESWITCH_DIALPLAN", "FREESWITCH_SCRIPTS")
pytestmark = [
    *ENGINE_MARKS,
    pytest.mark.skipif(
        any(name not in os.environ for name in NEEDS), reason="no dialplan, scripts"
    ),
]
CONTEXT, _, PORT = os.environ.get("FREESWITCH_DIALPLAN", "x:0").partition(":")
SCRIPTS = Path(os.environ.get("FREESWITCH_SCRIPTS", "/nowhere"))
ROOT = Path(__file__).parents[2]
AI, VERSION_1, PERSON = "the AI", "version 1", "a person"
WAYS_IN = {
    "in8001": "a gateway sends it into the domain's context, without domain_uuid",
    "ivr8001": "an IVR has answered it",
    "early8001": "it has early media",
    "ring8001": "a member of a ring group, or a forwarded extension",
}


@pytest.fixture
def client() -> Iterator[InboundClient]:
    with engine_client() as client:
        yield client


class Version1:
    """Its service: notes what it is asked, and says what to do."""

    def __init__(self) -> None:
        self.action = "continue"
        self.asked: list[dict[str, Any]] = []
        self._server = WSGIServer(("127.0.0.1", 8100), self._serve, log=None)
        self._server.start()

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        if environ["PATH_INFO"] == "/health":
            return [b'{"status": "healthy"}']
        self.asked.append(json.load(environ["wsgi.input"]))
        return [json.dumps({"text": "", "action": self.action}).encode()]

    def close(self) -> None:
        self._server.stop(timeout=1)


@pytest.fixture
def version_1() -> Iterator[Version1]:
    service = Version1()
    yield service
    service.close()


@pytest.fixture
def site(database: Any) -> Any:
    """FusionPBX's tables, our scripts in their place, and FusionPBX's own told where they are."""
    database.execute(FUSIONPBX_TABLES)
    shutil.copytree(ROOT / "lua", SCRIPTS, dirs_exist_ok=True)
    shutil.copy(Path(__file__).parent / "version_1" / "secretary_ai.lua", SCRIPTS)
    config = SCRIPTS / "resources" / "functions" / "config.lua"
    config.write_text(f'database = {{ system = "pgsql://{database.dsn}" }}\ndebug = {{}}\n')
    yield database
    database.disconnect()


def set_mode(site: Any, domain_uuid: str, mode: str) -> None:
    site.execute(
        """insert into v_voice_secretaries
             (voice_secretary_uuid, domain_uuid, extension, secretary_name, processing_mode)
           values (gen_random_uuid(), %s, '8001', 'V1', %s)""",
        domain_uuid,
        mode,
    )


class Caller:
    """A loopback call; `leg` is the half that runs the dialplan."""

    def __init__(self, client: InboundClient, service: Service, number: str = "8001") -> None:
        self._client, self._service, self._number = client, service, number
        self._near = str(uuid.uuid4())
        self.leg = ""

    def __enter__(self) -> Caller:
        dial = (
            f"{{origination_uuid={self._near},ignore_early_media=true}}"
            f"loopback/{self._number}/{CONTEXT} &park()"
        )
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

    @property
    def where(self) -> str:
        """Who has the caller; empty while nobody does."""
        calls = [call for call in self._service.app.calls if call.leg.uuid == self.leg]
        if any(call.state is CallState.TALKING for call in calls):
            return AI
        application, data = self.says("current_application"), self.says("current_application_data")
        if application == "playback" and "777" in data:
            return VERSION_1
        return PERSON if self.says("destination_number") == "1000" else ""

    def arrives_at(self, who: str) -> None:
        wait_for(lambda: self.where == who, CALL_S, f"{who} never got him")
        if who != AI:
            assert self.says("playback_terminators") == ""


@pytest.fixture
def controller(serve: Any, site: Any) -> Iterator[Callable[[str], Any]]:
    """The service at the dialplan's port, or what is left of one."""
    with ExitStack() as stack:

        def start(how: str) -> Any:
            capacity = 1 if how == "full" else 100
            where = PORT if how in ("up", "full") else "0"
            service = serve(
                esl={"port": int(where), "capacity": capacity} if where != "0" else {},
                secretary={"domain_name": CONTEXT, "first_message": "Good morning."},
            )
            if how == "hung":
                stack.enter_context(socket.create_server(("127.0.0.1", int(PORT))))
            return service

        yield start


EXPECTED = [
    (mode, how, who)
    for mode, whos in {
        "realtime": (AI, PERSON, PERSON, PERSON),
        "auto": (AI, VERSION_1, VERSION_1, VERSION_1),
        "turn_based": (VERSION_1, VERSION_1, VERSION_1, VERSION_1),
    }.items()
    for how, who in zip(("up", "full", "dead", "hung"), whos, strict=True)
]


@pytest.mark.parametrize(("mode", "how", "who"), EXPECTED)
def test_somebody_answers_8001(
    client: InboundClient,
    site: Any,
    version_1: Version1,
    controller: Callable[[str], Any],
    mode: str,
    how: str,
    who: str,
) -> None:
    service = controller(how)
    set_mode(site, service.tenant.domain_uuid, mode)
    with ExitStack() as calls:
        if how == "full" and mode != "turn_based":
            calls.enter_context(Caller(client, service)).arrives_at(AI)
        caller = calls.enter_context(Caller(client, service))
        caller.arrives_at(who)
        assert caller.says("domain_uuid") == service.tenant.domain_uuid
        assert bool(version_1.asked) == (who == VERSION_1)


def test_nobody_is_left_with_a_version_1_that_is_away(
    client: InboundClient, site: Any, controller: Callable[[str], Any]
) -> None:
    service = controller("dead")
    set_mode(site, service.tenant.domain_uuid, "auto")
    with Caller(client, service) as caller:
        caller.arrives_at(PERSON)


def test_the_secretary_says_which_person(
    client: InboundClient, site: Any, controller: Callable[[str], Any]
) -> None:
    service = controller("dead")
    site.execute("update v_voice_secretaries_realtime set fallback_extension = '2000'")
    with Caller(client, service) as caller:
        wait_for(lambda: caller.says("destination_number") == "2000", CALL_S)


@pytest.mark.parametrize("number", ["8002", "201"])
def test_numbers_of_others_are_left_alone(
    client: InboundClient, site: Any, controller: Callable[[str], Any], number: str
) -> None:
    """8002 is nobody's, 8001 has become a telephone's."""
    domain_uuid = controller("up").tenant.domain_uuid
    if number == "201":
        site.execute(
            """insert into v_extensions
                 (extension_uuid, domain_uuid, extension, number_alias, enabled)
               values (gen_random_uuid(), %s, '201', '8001', true)""",
            domain_uuid,
        )
    dial = f"loopback/{'8001' if number == '201' else number}/{CONTEXT}"
    with pytest.raises(CommandFailed):
        client.bgapi("originate", f"{{ignore_early_media=true}}{dial} &park()", CALL_S)


def test_a_caller_goes_to_version_1_in_mid_call_and_back(
    client: InboundClient, site: Any, version_1: Version1, controller: Callable[[str], Any]
) -> None:
    service: Service = controller("up")
    tenant = service.tenant
    set_mode(site, tenant.domain_uuid, "auto")
    version_1.action = "realtime"
    with Caller(client, service) as caller:
        caller.arrives_at(AI)
        heard = "select 1 from v_voice_turns_realtime where content <> ''"
        wait_for(lambda: site.execute(heard), CALL_S, "no greeting")
        (call,) = service.app.calls
        call.hand_back("turn_based", reason="the caller asked for it")
        wait_for(lambda: version_1.asked, CALL_S, "version 1 was not asked")
        (asked,) = version_1.asked
        assert asked["domain_uuid"] == tenant.domain_uuid
        said = [(turn["role"], turn["content"]) for turn in asked["conversation_history"]]
        assert said == [("assistant", "Good morning.")]
        wait_for(lambda: len(tenant.records) == 2, CALL_S, "never came back")
        caller.arrives_at(AI)


@pytest.mark.parametrize("number", WAYS_IN)
def test_a_call_that_comes_in_an_odd_way(
    client: InboundClient, controller: Callable[[str], Any], number: str
) -> None:
    service: Service = controller("up")
    with Caller(client, service, number):
        wait_for(lambda: service.tenant.records, CALL_S, "not served")
        wait_for(lambda: service.tenant.record.spoken == ["Good morning."], CALL_S, "no greeting")
        (call,) = service.app.calls
        assert call.key is not None and call.key[0] == service.tenant.domain_uuid
        wait_for(lambda: call.leg.is_alive() and call.serving, CALL_S)


def test_click_to_call(client: InboundClient, controller: Callable[[str], Any]) -> None:
    """A telephone is rung first, and once answered sent to the AI: it hears the greeting."""
    service: Service = controller("up")
    with closing(Phone("PCMU")) as phone:
        leg = dialstring.Leg(f"sofia/{PROFILE}/phone@{phone.address}")
        client.originate(dialstring.DialString([leg], {}), f"8001 XML {CONTEXT}")
        wait_for(lambda: service.tenant.records, CALL_S, "not served")
        wait_for(lambda: service.tenant.record.spoken == ["Good morning."], CALL_S, "no greeting")
        wait_for(lambda: phone.hearing.last_sound_at is not None, CALL_S, "nothing is heard")
        phone.hang_up()


def test_from_one_secretary_to_another(
    client: InboundClient, controller: Callable[[str], Any], site: Any
) -> None:
    service: Service = controller("up")
    site.execute(
        """insert into v_voice_secretaries_realtime
             (secretary_realtime_uuid, domain_uuid, secretary_name, extension, realtime_provider,
              first_message)
           select gen_random_uuid(), domain_uuid, 'Second', '8002', realtime_provider, 'Second.'
           from v_voice_secretaries_realtime"""
    )
    with Caller(client, service) as caller:
        caller.arrives_at(AI)
        wait_for(lambda: service.tenant.records, CALL_S)
        (call,) = service.app.calls
        call.transfer(TransferPlan((Destination(Kind.IVR, "Second", "8002", False),)))
        wait_for(lambda: len(service.tenant.records) == 2, CALL_S, "the second never got him")
        wait_for(lambda: service.tenant.records[1].spoken == ["Second."], CALL_S, "no greeting")


def test_a_worker_that_wakes_up_leaves_the_caller_where_he_is(
    client: InboundClient, site: Any, controller: Callable[[str], Any]
) -> None:
    service = controller("dead")
    where = ("127.0.0.1", int(PORT))
    with socket.create_server(where) as hung, Caller(client, service) as caller:
        caller.arrives_at(PERSON)
        late = Application.accept(hung)
        late.ask("connect\n\n")
        late.send("exit\n\n")
        caller.arrives_at(PERSON)
        late.close()
