"""Whole conversations from tests/wire/elevenlabs: the README there explains the marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.providers.actions import Open
from bridge.providers.base import Heard
from bridge.providers.elevenlabs.agent import AGENT, SIGNING, ElevenLabsAgent
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.elevenlabs_kit import (
    URL,
    config,
    conversation_from_json,
    events,
    sent,
)

FOLDER = Path(__file__).parents[2] / "wire" / "elevenlabs"
FILES = sorted(FOLDER.glob("*.txt"))


class Player:
    def __init__(self) -> None:
        self.provider = ElevenLabsAgent(config())
        self.now = 0.0
        self.events: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def play(self, mark: str, rest: str) -> None:
        if mark == "=":
            assert self.events.pop(0) == rest
        elif mark == ">":
            assert self.sent.pop(0) == json.loads(rest)
        else:
            assert not self.events, "events the file does not list"
            assert not self.sent, "messages the file does not list"
            self.act(mark, rest)
            self.events = [repr(event) for event in events(self.provider)]
            self.sent = sent(self.provider)

    def act(self, mark: str, rest: str) -> None:
        if mark == "<":
            self.provider.receive_message(AGENT, rest.encode(), self.now)
        elif mark == "@":
            self.now = float(rest)
            self.provider.handle_timeout(self.now)
        elif mark == "x":
            code, _, reason = rest.partition(" ")
            end = ChannelEnd(Ender.PEER, code=int(code), reason=reason)
            self.provider.receive_end(AGENT, end, self.now)
        else:
            name, _, arguments = rest.partition(" ")
            self.command(name, json.loads(arguments))

    def command(self, name: str, arguments: dict[str, Any]) -> None:
        if name == "config":
            self.provider = ElevenLabsAgent(config(**arguments))
        elif name == "start":
            self.start(arguments)
        elif name == "send_audio":
            self.provider.send_audio(bytes.fromhex(arguments["hex"]))
        elif name == "cut":
            self.provider.cut([Heard(*heard) for heard in arguments["heard"]], self.now)
        else:
            getattr(self.provider, name)(**arguments, now=self.now)

    def start(self, arguments: dict[str, Any]) -> None:
        provider, now = self.provider, self.now
        provider.start(conversation_from_json(arguments), now)
        answer = json.dumps({"signed_url": URL})
        provider.receive_message(SIGNING, answer.encode(), now)
        provider.receive_end(SIGNING, ChannelEnd(Ender.PEER, code=200), now)
        opened = provider.actions()
        assert [action.channel for action in opened if isinstance(action, Open)] == [SIGNING, AGENT]
        provider.receive_open(AGENT, now)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_conversation(path: Path) -> None:
    player = Player()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            player.play(line[0], line[2:])
    assert not player.events
    assert not player.sent


def test_there_are_conversations() -> None:
    assert len(FILES) >= 8
