"""The whole service in one process for tests: worker, simulated switch, emulated provider."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import msgspec

from bridge.audio.formats import PCMU_8K, AudioFormat
from esl_controller.app import App
from esl_controller.esl.server import listening_socket
from esl_controller.repository.demo import DemoProvider
from esl_controller.settings import Esl, Media, Settings, Storage, Timeouts, Worker
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.script import DEMO
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM, Quirks
from esl_controller.simulator.switch.session import Action


def free_port() -> int:
    """A port nobody listens on now."""
    sock = listening_socket(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    sock.close()
    return int(port)


def settings_for(tmp_path: Path, **groups: dict[str, Any]) -> Settings:
    """Settings for one worker on free loopback ports; `groups` overrides fields."""
    base: dict[str, Any] = {
        "esl": Esl(port=free_port()),
        "media": Media(port=free_port()),
        "timeouts": Timeouts(),
        "worker": Worker(drain_deadline_s=1.0),
        "storage": Storage(
            state_dir=str(tmp_path),
            spool_dir=str(tmp_path / "spool"),
            secret_key_file=str(tmp_path / "secret.key"),
        ),
    }
    for group, fields in groups.items():
        base[group] = msgspec.structs.replace(base.get(group) or getattr(Settings(), group), **fields)
    return Settings(**base)


@dataclass
class Service:
    """What a test holds in its hands."""

    app: App
    switch: Switch
    emulator: OpenAIEmulator
    domain_uuid: str
    extension: str

    def call(
        self,
        steps: list[Step],
        *,
        codec: AudioFormat = PCMU_8K,
        extension: str | None = None,
        domain_uuid: str | None = None,
        keep_audio: bool = True,
        actions_after: list[Action] | None = None,
        **options: Any,
    ) -> tuple[Any, Caller]:
        """Dial the service; returns the call and its caller."""
        caller = Caller(steps, rate_hz=codec.rate_hz, keep_audio=keep_audio)
        call = self.switch.originate_to_controller(
            *self.app.esl.address,
            caller=caller,
            channel=ChannelOptions(
                uuid="",
                domain_uuid=domain_uuid or self.domain_uuid,
                destination_number=extension or self.extension,
                codec=codec,
                **options,
            ),
            actions_after=actions_after or [],
        )
        return call, caller

    def wait_idle(self, timeout_s: float = 5.0) -> None:
        """Until no session, call or provider connection is left."""
        with gevent.Timeout(timeout_s, AssertionError(f"left: {self.leftovers()}")):
            while any(self.leftovers().values()):
                gevent.sleep(0.02)

    def leftovers(self) -> dict[str, int]:
        """What must be zero when no call is going on."""
        return {
            "sessions": len(self.app.manager),
            "calls": self.app.esl.active_calls,
            "provider": sum(1 for s in self.emulator.sessions if s.open),
            "channels": len(self.switch.sessions),
        }


@contextlib.contextmanager
def service(
    database: Any,
    tmp_path: Path,
    *,
    emulator: EmulatorConfig | None = None,
    quirks: Quirks = CALM,
    secretary: dict[str, Any] | None = None,
    **groups: dict[str, Any],
) -> Iterator[Service]:
    """Run a worker against a fresh database, with one tenant at extension 8001."""
    provider = OpenAIEmulator(emulator or EmulatorConfig(script=DEMO, think_s=0.05))
    base_url = provider.start()
    tenant = database.seed(
        extension="8001", provider=DemoProvider(base_url=base_url), **(secretary or {})
    )
    app = App(settings_for(tmp_path, **groups), database.dsn)
    app.start()
    try:
        with Switch(SwitchConfig(quirks=quirks, seed=1, temp_dir=tmp_path)) as switch:
            yield Service(app, switch, provider, tenant.domain_uuid, "8001")
    finally:
        app.stop()
        provider.stop()
