"""The whole service in one process for tests: worker, simulated switch, emulated providers.

Nothing may be left of a call but its rows: `service` compares what the process holds after its
calls with what it held before them.
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import msgspec

from bridge.audio.formats import PCMU_8K, AudioFormat
from bridge.session.session import Session as BridgeSession
from esl_controller.app import App
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.esl.server import listening_socket
from esl_controller.settings.host import Storage
from esl_controller.settings.table import Esl, Media, Provider, Settings, Timeouts, Worker
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import HangUp, Say, Step
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.speech import beep
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.dialplan import DEFAULT_EXTENSIONS, DEFAULT_FAR_ENDS
from esl_controller.simulator.switch.legs import FarEnd
from esl_controller.simulator.switch.quirks import CALM, Quirks
from esl_controller.simulator.switch.session import Session
from tests.integration.held import Held, held, wait_until_back_to

QUICK: dict[str, Any] = {"first_message": "Hello.", "silence_duration_ms": 200}
"""A secretary whose calls are short."""
BRIEF = Script(answers=(Answer("Certainly."),), caller_lines=("a question",))
LONG_TEXT = "Certainly I will explain this at length " * 4
SPEAK = Say(beep(0.4))
"""Enough for the emulated model to hear a turn."""
FALLBACK = [Action("playback", "tone_stream://%(200,0,950)"), Action("hangup")]
"""What the dialplan does with a call that was handed back."""


PORTS = itertools.cycle(random.sample(range(10_000, 20_000), 10_000))
"""Below those that connections are given by the kernel: none takes one before its listener does.
Each process of tests goes through them in an order of its own."""


def free_port() -> int:
    """A port nobody listens on now, and that nobody was given lately."""
    for port in PORTS:
        with contextlib.suppress(OSError):
            listening_socket(("127.0.0.1", port)).close()
            return port
    raise AssertionError("no port is free")


def settings_for(tmp_path: Path, **groups: dict[str, Any]) -> Settings:
    """Settings for one worker on free loopback ports; `groups` overrides fields."""
    base: dict[str, Any] = {
        "esl": Esl(port=free_port()),
        "media": Media(port=free_port()),
        "provider": Provider(allowed_hosts=("*", "127.0.0.1")),
        "timeouts": Timeouts(),
        "worker": Worker(drain_deadline_s=1.0),
        "storage": Storage(
            state_dir=str(tmp_path),
            spool_dir=str(tmp_path / "spool"),
            secret_key_file=str(tmp_path / "secret.key"),
        ),
    }
    for group, fields in groups.items():
        base[group] = msgspec.structs.replace(
            base.get(group) or getattr(Settings(), group), **fields
        )
    return Settings(**base)


@dataclass
class Tenant:
    """A domain with one secretary and a provider of its own."""

    domain_uuid: str
    domain_name: str
    extension: str
    emulator: Any
    """`OpenAIEmulator` or `ElevenLabsEmulator`."""
    base_url: str

    @property
    def records(self) -> list[Any]:
        """What its provider saw, a record for each connection."""
        return self.emulator.sessions

    @property
    def record(self) -> Any:
        """Of its only connection."""
        assert len(self.records) == 1, [record.close_reason for record in self.records]
        return self.records[0]


@dataclass
class TestCall:
    """One call: the switch's side, the caller, and what the database has of it."""

    __test__ = False

    leg: Session
    caller: Caller
    tenant: Tenant
    database: Any

    def wait(self, timeout_s: float = 20.0) -> TestCall:
        """Until it is over."""
        assert self.leg.ended.wait(timeout_s), self.story()
        return self

    def story(self) -> list[tuple[float, str]]:
        """What the caller did and when, for messages of failed tests."""
        began = self.caller.answered_at or 0.0
        return [(round(note.at - began, 2), note.what) for note in self.caller.notes]

    @property
    def outcome(self) -> str:
        """What the dialplan was told; empty when the call was not handed back."""
        return self.leg.channel.get("voice_ai_outcome") or ""

    def row(self) -> dict[str, Any]:
        """Its conversation as stored."""
        columns = (
            "conversation_uuid, domain_uuid::text, outcome, end_cause, error_code, total_turns, "
            "interruptions, transcript, caller_id, caller_name, answered_at, ended_at, "
            "avg_latency_ms, transfer_destination, input_tokens, output_tokens"
        )
        names = [name.split("::")[0].strip() for name in columns.split(",")]
        rows = self.database.execute(
            f"""select {columns} from v_voice_conversations_realtime
                where call_uuid = %s and domain_uuid = %s""",
            self.leg.uuid,
            self.tenant.domain_uuid,
        )
        assert len(rows) == 1, rows
        return dict(zip(names, rows[0], strict=True))

    def turns(self) -> list[tuple[Any, ...]]:
        """Role, text, interrupted and heard_ms of each turn."""
        return self.database.execute(
            """select role, content, interrupted, heard_ms from v_voice_turns_realtime
               where conversation_uuid = %s order by turn_number""",
            self.row()["conversation_uuid"],
        )


def emulator_of(config: EmulatorConfig | AgentConfig) -> tuple[Any, str]:
    """The service that is set up so, and what kind of provider it is."""
    if isinstance(config, AgentConfig):
        return ElevenLabsEmulator(config), "elevenlabs"
    return OpenAIEmulator(config), "openai"


@dataclass
class Desk:
    """Where calls are made from: a switch, and tenants with providers of their own."""

    switch: Switch
    database: Any
    address: tuple[str, int]
    """Of the worker that is dialled."""
    tenants: list[Tenant] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant:
        """The first one."""
        return self.tenants[0]

    def add_tenant(
        self,
        emulator: EmulatorConfig | AgentConfig | None = None,
        *,
        extension: str = "8001",
        provider_settings: dict[str, Any] | None = None,
        base_url: str = "",
        domain_name: str = "",
        **secretary: Any,
    ) -> Tenant:
        """A new domain, answered on `extension` through a provider of its own."""
        provider, kind = emulator_of(emulator or EmulatorConfig(script=BRIEF, think_s=0.05))
        base_url = base_url or provider.start()
        if kind == "elevenlabs":
            provider_settings = {"agent_id": "agent-1"} | (provider_settings or {})
        row = self.database.seed(
            extension=extension,
            name=domain_name,
            provider=DemoProvider(
                realtime_provider=kind,
                base_url=base_url,
                provider_settings=provider_settings or {},
            ),
            **(QUICK | secretary),
        )
        tenant = Tenant(row.domain_uuid, row.domain_name, extension, provider, base_url)
        self.tenants.append(tenant)
        return tenant

    def call(
        self,
        steps: Sequence[Step] = (),
        *,
        tenant: Tenant | None = None,
        address: tuple[str, int] | None = None,
        codec: AudioFormat = PCMU_8K,
        keep_audio: bool = True,
        actions_after: Sequence[Action] = (),
        **options: Any,
    ) -> TestCall:
        """Dial the service, or another worker of it."""
        tenant = tenant or self.tenant
        caller = Caller(steps, rate_hz=codec.rate_hz, keep_audio=keep_audio)
        channel = {
            "domain_uuid": tenant.domain_uuid,
            "domain_name": tenant.domain_name,
            "destination_number": tenant.extension,
            "codec": codec,
        }
        leg = self.switch.originate_to_controller(
            *(address or self.address),
            caller=caller,
            channel=ChannelOptions(**(channel | options)),
            actions_after=actions_after,
        )
        return TestCall(leg, caller, tenant, self.database)


@dataclass
class Service(Desk):
    """What a test holds in its hands; the worker runs in the same process."""

    app: App = field(kw_only=True)

    def session(self, call: TestCall) -> BridgeSession:
        """The bridge's session of a running call."""
        for session in self.app.manager.sessions():
            if session.call_uuid == call.leg.uuid:
                return session
        raise AssertionError(f"no session: {call.story()}")

    def stored(self) -> None:
        """Wait until all calls are over and everything recorded is in the database."""
        self.wait_idle()
        assert self.app.journal.wait_stored(5)

    def wait_idle(self, timeout_s: float = 5.0) -> None:
        """Until no session, call or provider connection is left."""
        with gevent.Timeout(timeout_s, AssertionError(f"left: {self.leftovers()}")):
            while any(self.leftovers().values()):
                gevent.sleep(0.02)

    def leftovers(self) -> dict[str, int]:
        """What must be zero when no call is going on."""
        opened = [record for tenant in self.tenants for record in tenant.records if record.open]
        return {
            "sessions": len(self.app.manager),
            "calls": self.app.esl.active_calls,
            "provider": len(opened),
            "channels": len(self.switch.sessions),
            "pacer": len(self.app.pacer),
        }

    def held(self) -> Held:
        """What the process holds for calls. Database connections and listeners are none of it."""
        now = held()
        now["descriptor AF_INET"] -= len(self.tenants)
        now["descriptor AF_UNIX"] = 0
        now["greenlet MediaClock._run"] = 0  # the switch's own, with its first call
        return now


@contextlib.contextmanager
def service(
    database: Any,
    tmp_path: Path,
    *,
    emulator: EmulatorConfig | AgentConfig | None = None,
    quirks: Quirks = CALM,
    far_ends: Mapping[str, FarEnd] = DEFAULT_FAR_ENDS,
    secretary: dict[str, Any] | None = None,
    **groups: dict[str, Any],
) -> Iterator[Service]:
    """Run a worker against a fresh database, with one tenant at extension 8001.

    The switch's own dialplan leads 8001 there too, for calls that `originate` makes.
    At the end all calls must be over, and the process must hold what it held before them.
    """
    app = App(settings_for(tmp_path, **groups), database.workers_dsn)
    running: Service | None = None
    app.start()
    try:
        host, port = app.esl.address
        config = SwitchConfig(
            quirks=quirks,
            seed=1,
            temp_dir=tmp_path,
            extensions={
                **DEFAULT_EXTENSIONS,
                "8001": (Action("socket", f"{host}:{port} async full"),),
                "voice_ai_return": (
                    Action("socket", "${voice_ai_return_to} async full"),
                    Action("socket", f"{host}:{port} async full"),
                ),
            },
            far_ends=far_ends,
        )
        with Switch(config) as switch:
            running = Service(switch, database, app.esl.address, app=app)
            running.add_tenant(emulator, **(secretary or {}))
            gevent.sleep(0.05)
            before = running.held()
            yield running
            if not app.stopped.is_set():
                running.wait_idle()
                wait_until_back_to(before, running.held)
    finally:
        app.stop()
        for tenant in running.tenants if running is not None else ():
            tenant.emulator.stop()


def hang_up_after(condition: Any) -> Step:
    """The caller's last step."""
    return Step(condition, HangUp())


def wait_for(fact: Any, timeout_s: float = 10.0, what: str = "") -> None:
    """Until `fact()` holds."""
    with gevent.Timeout(timeout_s, AssertionError(what or f"never came: {fact}")):
        while not fact():
            gevent.sleep(0.01)
