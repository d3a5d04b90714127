"""Whole conversations from tests/wire/openai: the README there explains the marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.providers.base import Heard
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import CHANNEL, OpenAIRealtime
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.openai_kit import conversation_from_json, events, opened, sent

FOLDER = Path(__file__).parents[2] / "wire" / "openai"
FILES = sorted(FOLDER.glob("*.txt"))
OPEN_END = " ..."


class Player:
    def __init__(self) -> None:
        self.config = OpenAIRealtimeConfig(api_key="sk-test")
        self.provider = OpenAIRealtime(self.config)
        self.now = 0.0
        self.events: list[str] = []
        self.sent: list[dict[str, Any]] = []

    def play(self, mark: str, rest: str) -> None:
        if mark == "=":
            assert self.events.pop(0) == rest
        elif mark == ">":
            self.check_sent(rest)
        else:
            assert not self.events, "events the file does not list"
            assert not self.sent, "messages the file does not list"
            self.act(mark, rest)
            self.events = [repr(event) for event in events(self.provider)]
            self.sent = sent(self.provider)

    def check_sent(self, rest: str) -> None:
        message = self.sent.pop(0)
        expected = json.loads(rest.removesuffix(OPEN_END))
        if rest.endswith(OPEN_END):
            message = {key: message[key] for key in expected}
        elif "event_id" not in expected:
            message.pop("event_id", None)
        assert message == expected

    def act(self, mark: str, rest: str) -> None:
        if mark == "<":
            self.provider.receive_message(CHANNEL, rest.encode(), self.now)
        elif mark == "@":
            self.now = float(rest)
            self.provider.handle_timeout(self.now)
        elif mark == "x":
            code, _, reason = rest.partition(" ")
            end = ChannelEnd(Ender.PEER, code=int(code), reason=reason)
            self.provider.receive_end(CHANNEL, end, self.now)
        else:
            name, _, arguments = rest.partition(" ")
            self.command(name, json.loads(arguments))

    def command(self, name: str, arguments: dict[str, Any]) -> None:
        if name == "config":
            self.config = OpenAIRealtimeConfig(api_key="sk-test", **arguments)
            self.provider = OpenAIRealtime(self.config)
        elif name == "start":
            opened(self.provider, conversation_from_json(arguments), self.now)
        elif name == "send_audio":
            self.provider.send_audio(bytes.fromhex(arguments["hex"]))
        elif name == "cut":
            self.provider.cut([Heard(*heard) for heard in arguments["heard"]], self.now)
        else:
            getattr(self.provider, name)(**arguments, now=self.now)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_conversation(path: Path) -> None:
    player = Player()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            player.play(line[0], line[2:])
    assert not player.events
    assert not player.sent


def test_there_are_conversations() -> None:
    assert len(FILES) >= 10
