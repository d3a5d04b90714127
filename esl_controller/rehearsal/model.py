"""An emulated model for rehearsals: it does what the scenario says it would, if it was told to.

It understands nothing. After a line of the caller's it gives the answer that stands beside that
line, and only where the words of `told` are in the instructions it was given, or in the description
of its functions: so a prompt that forgets something is found without a real model. How well a real
one follows the prompt, only a real one shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from esl_controller.rehearsal.scenario import Emulated, Line
from esl_controller.simulator.chat.server import ChatConfig, ChatEmulator
from esl_controller.simulator.service.script import Answer, ScriptedCall

NOT_TOLD = "I am afraid I do not know."
"""What it says about things nobody has told it of."""


class ToldModel(ChatEmulator):
    """One scenario's."""

    def __init__(self, lines: Sequence[Line], config: ChatConfig | None = None) -> None:
        super().__init__(config)
        self._lines = lines
        self._told = ""
        self._last: Emulated | None = None

    def chunks(self, body: dict[str, Any]) -> Any:
        """With what it knows by this request."""
        told = [one["content"] for one in body["messages"] if one["role"] == "system"]
        tools = msgspec.json.encode(body.get("tools") or []).decode()
        self._told = " ".join([*map(str, told), tools]).casefold()
        return super().chunks(body)

    def _answer(self, messages: list[dict[str, Any]]) -> Answer:
        last = messages[-1]
        if last["role"] == "tool":
            return Answer(self._last.then if self._last is not None else "")
        said = [str(one["content"]) for one in messages if one["role"] == "user"]
        line = self._line(said)
        if line is None or line.emulated.told.casefold() not in self._told:
            self._last = None
            return Answer(NOT_TOLD)
        self._last = line.emulated
        calls = [
            ScriptedCall(one.name, msgspec.json.encode(one.arguments).decode())
            for one in self._last.calls
        ]
        return Answer(self._last.says, tuple(calls))

    def _line(self, said: Sequence[str]) -> Line | None:
        """The one that was said or pressed last."""
        words = said[-1] if said else ""
        for line in self._lines:
            if words == line.says or (line.presses and line.presses.rstrip("#") in words):
                return line
        at = len(said) - 1
        return self._lines[at] if 0 <= at < len(self._lines) else None
