"""A conversation that loses its provider: tried again in rounds, with memory, before giving up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from bridge.audio.formats import PCMU_8K
from bridge.providers.base import ProviderFailure, SessionReady
from bridge.providers.conversation import Brief, Opening, Said, Speaker
from bridge.providers.registry import make_provider
from bridge.session import candidates
from bridge.session.candidates import Candidate
from bridge.session.connection import SeatListener, Start
from bridge.session.provider import ProviderSeat
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from tests.integration.service import free_port

LAST_WORDS = "What are your opening hours?"


class Conversation:
    """A seat with one provider, and all it tells. Each connection is heard at once."""

    def __init__(self, *ports: int) -> None:
        self.ready = 0
        self.lost: list[ProviderFailure] = []
        self.exhausted: list[ProviderFailure] = []
        self.seat = ProviderSeat(
            [Candidate(f"at {port}", "openai", self._factory(port)) for port in ports],
            Brief(greeting="Hello."),
            SeatListener(
                on_audio=lambda event: None,
                on_event=lambda event: None,
                on_ready=self._on_ready,
                on_crossed=self._on_ready,
                on_lost=self.lost.append,
                on_exhausted=self.exhausted.append,
                start=self._start,
                history=list,
            ),
            formats=lambda capabilities: (PCMU_8K, PCMU_8K),
            connect_timeout_s=5,
            network=None,
            clock=time.monotonic,
        )
        self.seat.start()

    def _start(self) -> Start:
        said = [Said(Speaker.CALLER, LAST_WORDS)] if self.ready else []
        return Start(Opening.LISTEN if said else Opening.GREET, said, "greeting")

    def _factory(self, port: int) -> Callable[[], Any]:
        row = {"api_key": "none", "base_url": f"ws://127.0.0.1:{port}/v1"}
        return lambda: make_provider("openai_realtime", row)

    def _on_ready(self, ready: SessionReady) -> None:
        self.ready += 1
        self.seat.heard()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "RECOVERY_PAUSES_S", (0.0, 0.3, 0.3, 0.3))


@pytest.fixture
def talk() -> Iterator[Callable[..., Conversation]]:
    made: list[Conversation] = []

    def make(*ports: int) -> Conversation:
        made.append(Conversation(*ports))
        return made[-1]

    yield make
    for conversation in made:
        conversation.seat.stop()


def emulator(port: int) -> OpenAIEmulator:
    server = OpenAIEmulator(EmulatorConfig(port=port, think_s=0.05))
    server.start()
    return server


def wait_for(fact: Callable[[], bool]) -> None:
    with gevent.Timeout(10, AssertionError("never came true")):
        while not fact():
            gevent.sleep(0.01)


def drop(server: OpenAIEmulator) -> None:
    server.stop()


def test_a_provider_that_restarts_is_found_again_with_memory(talk) -> None:
    port = free_port()
    server = emulator(port)
    conversation = talk(port)
    for losses in (1, 2, 3):  # each loss gets its own rounds
        wait_for(lambda losses=losses: conversation.ready == losses)
        seen = len(conversation.lost)
        drop(server)
        wait_for(lambda seen=seen: len(conversation.lost) == seen + 2)
        conversation.seat.send_text("said meanwhile")
        server = emulator(port)
    wait_for(lambda: conversation.ready == 4)
    wait_for(lambda: "said meanwhile" in server.sessions[-1].texts)
    assert server.sessions[-1].texts == [LAST_WORDS, "said meanwhile"]
    assert server.sessions[-1].spoken == []
    assert conversation.exhausted == []
    drop(server)


def test_it_gives_up_after_the_last_round(talk) -> None:
    port = free_port()
    server = emulator(port)
    conversation = talk(port)
    wait_for(lambda: conversation.ready == 1)
    drop(server)
    wait_for(lambda: bool(conversation.exhausted))
    assert len(conversation.lost) == len(candidates.RECOVERY_PAUSES_S)
    assert len(conversation.exhausted) == 1


def test_the_others_are_tried_in_each_round(talk) -> None:
    first, second = free_port(), free_port()
    server, spare = emulator(first), emulator(second)
    conversation = talk(first, second)
    wait_for(lambda: conversation.ready == 1)
    drop(server)
    wait_for(lambda: conversation.ready == 2)
    assert conversation.seat.name == f"at {second}"
    assert spare.sessions[0].open
    drop(spare)


def test_nobody_is_tried_once_it_is_closed(talk) -> None:
    port = free_port()
    server = emulator(port)
    conversation = talk(port)
    wait_for(lambda: conversation.ready == 1)
    drop(server)
    wait_for(lambda: len(conversation.lost) == 2)
    conversation.seat.stop()
    server = emulator(port)
    gevent.sleep(0.4)
    assert server.sessions == []
    drop(server)


def test_while_it_rings_there_is_no_second_round(talk) -> None:
    conversation = talk(free_port())
    wait_for(lambda: bool(conversation.exhausted))
    assert len(conversation.lost) == candidates.TRIES_PER_PROVIDER - 1
