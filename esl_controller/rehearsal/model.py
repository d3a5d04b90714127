"""An emulated model for rehearsals: it does what the scenario says it would, if it was told to.

It understands nothing. After a line of the caller's it gives the answer that stands beside that
line, and only where the words of `told` are in the instructions it was given, or in the description
of its functions: so a prompt that forgets something is found without a real model. How well a real
one follows the prompt, only a real one shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from esl_controller.rehearsal.scenario import Emulated, Line
from esl_controller.simulator.chat.server import ChatConfig, ChatEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall

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
        words = said[-1] if said else ""
        self._last = done_by(line_of(self._lines, words, len(said) - 1), self._told)
        return answer_of(self._last)


@dataclass(frozen=True, slots=True)
class ToldScript(Script):
    """The same for a model that hears sound itself."""

    lines: Sequence[Line] = ()
    told: Callable[[], str] = str
    """Every text the model was given so far."""
    done: list[Emulated | None] = field(default_factory=list)
    """What it did; None: it did not know."""

    def answer(self, turn: int) -> Answer:
        """To the caller's turn number `turn`, from 0."""
        spoken = [one for one in self.lines if not one.presses]
        return self._does(spoken[turn] if turn < len(spoken) else None)

    def answer_text(self, text: str, turn: int) -> Answer:
        """To keys that were pressed."""
        return self._does(line_of(self.lines, text, turn))

    def answer_function(self, output: str) -> Answer:
        """Once its functions have returned."""
        last = self.done[-1] if self.done else None
        return Answer(last.then if last is not None else "")

    def _does(self, line: Line | None) -> Answer:
        self.done.append(done_by(line, self.told().casefold()))
        return answer_of(self.done[-1])


def told_script(lines: Sequence[Line], told: Callable[[], str]) -> ToldScript:
    """Hears each line as it is said."""
    heard = tuple(one.says or one.wav for one in lines if not one.presses)
    return ToldScript(caller_lines=heard or ("",), lines=lines, told=told)


def done_by(line: Line | None, told: str) -> Emulated | None:
    """What a model does after a line, if it was told of it; `told` has no capitals."""
    if line is None or line.emulated.told.casefold() not in told:
        return None
    return line.emulated


def answer_of(done: Emulated | None) -> Answer:
    """The words and the functions."""
    if done is None:
        return Answer(NOT_TOLD)
    calls = [
        ScriptedCall(one.name, msgspec.json.encode(one.arguments).decode()) for one in done.calls
    ]
    return Answer(done.says, tuple(calls))


def line_of(lines: Sequence[Line], words: str, place: int) -> Line | None:
    """The one that was said or pressed last."""
    for line in lines:
        if words == line.says or (line.presses and line.presses.rstrip("#") in words):
            return line
    return lines[place] if 0 <= place < len(lines) else None
