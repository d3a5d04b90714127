"""Whole conversations from tests/wire/gemini: the README there explains the marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.providers.actions import Open, Send
from bridge.providers.base import Heard
from bridge.providers.gemini.live import CHANNEL, GeminiLive
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.gemini_kit import config, conversation_from_json, events, opened

FOLDER = Path(__file__).parents[2] / "wire" / "gemini"
FILES = sorted(FOLDER.glob("*.txt"))


class Player:
    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.handle = ""
        self.now = 0.0
        self.provider = GeminiLive(config())
        self.events: list[str] = []
        self.out: list[Any] = []

    def play(self, mark: str, rest: str) -> None:
        if mark == "=":
            assert self.events.pop(0) == rest
        elif mark == ">":
            action = self.out.pop(0)
            assert isinstance(action, Send)
            assert json.loads(action.data) == json.loads(rest)
        elif mark == "+":
            assert isinstance(self.out.pop(0), Open)
            self.provider.receive_open(CHANNEL, self.now)
            self.out += self.provider.actions()
        else:
            self.ended()
            self.act(mark, rest)
            self.events = [repr(event) for event in events(self.provider)]
            self.out = self.provider.actions()

    def ended(self) -> None:
        assert not self.events, "events the file does not list"
        assert not self.out, "messages the file does not list"

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
            self.fields = arguments
        elif name == "handle":
            self.handle = arguments["handle"]
        elif name == "start":
            self.provider = GeminiLive(config(**self.fields), self.handle)
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
    player.ended()


def test_there_are_conversations() -> None:
    assert len(FILES) >= 8
