"""One simulated call with a test application in control."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gevent
import pytest

from bridge.audio.formats import PCMU_8K, AudioFormat
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import Step
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM
from esl_controller.simulator.switch.session import Session
from tests.integration.simulator_media import MediaServer, Stream
from tests.integration.simulator_replay import PATIENCE_S, Application, commands, execute

EVENTS = (
    "myevents\n\nevent plain PLAYBACK_START PLAYBACK_STOP BACKGROUND_JOB CUSTOM "
    "mod_audio_stream::connect mod_audio_stream::disconnect mod_audio_stream::error "
    "mod_audio_stream::json mod_audio_stream::play mod_audio_stream::playback\n\n"
)


@dataclass
class Desk:
    """A call, its caller, and the application that controls it."""

    switch: Switch
    call: Session
    caller: Caller
    app: Application
    media: MediaServer

    def answer(self, *variables: str) -> None:
        """Set variables, then answer."""
        for variable in variables:
            self.app.send(execute("set", variable))
        self.app.send(execute("answer"))
        self.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="answer")

    def stream(self, options: str = "mono 8k meta", **manners: bool | float) -> Stream:
        """Start mod_audio_stream and accept its connection."""
        started = self.app.events().count("mod_audio_stream::connect")
        self.app.send(f"bgapi uuid_audio_stream {self.uuid} start {self.media.url()} {options}\n\n")
        stream = self.media.accept(**manners)
        self.app.wait_event("mod_audio_stream::connect", started + 1)
        return stream

    def api(self, command: str) -> str:
        """Output of an api command."""
        return self.app.ask(f"api {command}\n\n").message.body.decode()

    @property
    def uuid(self) -> str:
        return self.call.uuid


@pytest.fixture
def media() -> Iterator[MediaServer]:
    server = MediaServer()
    yield server
    server.close()


@pytest.fixture
def call_desk(tmp_path: Path, media: MediaServer) -> Iterator[Callable[..., Desk]]:
    """Makes a call: `call_desk(script, speed=…, codec=…, actions_after=…, **quirks)`."""
    listener = socket.create_server(("127.0.0.1", 0))
    desks: list[Desk] = []

    def make(
        script: Sequence[Step] = (),
        *,
        speed: float = 4.0,
        codec: AudioFormat = PCMU_8K,
        ptime_ms: int = 20,
        actions_after: Sequence[Action] = (),
        full: bool = True,
        greeting: str = f"connect\n\nlinger\n\n{EVENTS}",
        **quirks: object,
    ) -> Desk:
        config = SwitchConfig(quirks=replace(CALM, **quirks), temp_dir=tmp_path, speed=speed)
        switch = Switch(config)
        caller = Caller(script, rate_hz=codec.rate_hz)
        call = switch.originate_to_controller(
            *listener.getsockname(),
            caller=caller,
            channel=ChannelOptions(codec=codec, ptime_ms=ptime_ms),
            actions_after=actions_after,
            full=full,
        )
        desk = Desk(switch, call, caller, Application.accept(listener), media)
        desks.append(desk)
        if greeting.startswith("connect"):
            desk.app.ask(greeting, len(commands(greeting.encode())))
        else:
            desk.app.send(greeting)
        return desk

    yield make
    for desk in desks:
        desk.app.close()
        desk.switch.close()
    listener.close()
    assert [failure for desk in desks for failure in desk.switch.clock.failures] == []


def wait_until(fact: Callable[[], bool]) -> None:
    """Until the fact is true."""
    with gevent.Timeout(PATIENCE_S):
        while not fact():
            gevent.sleep(0.002)
