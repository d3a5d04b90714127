"""Two legs are joined, or both are ours as before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from esl_controller.calls.leg import Leg
from esl_controller.esl.errors import CommandFailed
from tests.unit.call.fake_esl import CALL, FakeEsl

BACK = {"transfer_after_bridge": "voice_ai_return:XML:d"}
MEDIA: Any = SimpleNamespace(last_commands=lambda: [], close=lambda: None)


class Events:
    """Nothing may be told while we bridge it ourselves."""

    def on_lost(self) -> None:
        raise AssertionError("told as taken away")

    def on_digit(self, digit: str) -> None: ...

    def on_hold(self, held: bool) -> None: ...


def legs(fault: str = "") -> tuple[FakeEsl, Leg, Leg]:
    esl = FakeEsl(fault)
    caller, human = (Leg(cast(Any, one)) for one in (esl, FakeEsl(**{"Unique-ID": "h"})))
    caller.use_media(MEDIA)
    return esl, caller, human


def test_joined_and_left_at_once() -> None:
    esl, caller, human = legs()
    caller.watch(Events())
    esl.after["api uuid_bridge"] = lambda: esl.raise_event("CHANNEL_UNPARK")
    caller.join(human, BACK)
    caller.part()
    assert esl.writes[-2:] == [
        [
            f"api uuid_setvar {CALL} transfer_after_bridge voice_ai_return:XML:d",
            f"api uuid_bridge {CALL} {human.uuid}",
        ],
        ["exit"],
    ]
    assert caller.left and caller.taken == ""


def test_refused_and_nothing_is_left_of_it() -> None:
    esl, caller, human = legs("api uuid_bridge")
    with pytest.raises(CommandFailed):
        caller.join(human, BACK)
    assert esl.variables == {"transfer_after_bridge": ""}
    assert not caller.left
    told: list[str] = []
    events = Events()
    events.on_lost = lambda: told.append("taken")  # type: ignore[method-assign]
    caller.watch(events)
    esl.raise_event("CHANNEL_UNPARK")
    assert told == ["taken"]  # by somebody else, from now on


def test_a_room_is_entered_in_one_write() -> None:
    esl, caller, _ = legs()
    caller.enter("room", {"a": "b"}, "voice_ai_return XML d")
    assert esl.writes[-1] == [
        f"api uuid_setvar {CALL} a b",
        f"api uuid_setvar {CALL} hangup_after_conference false",
        f"api uuid_transfer {CALL} 'conference:room@default+flags{{endconf|mintwo}},"
        "transfer:voice_ai_return XML d' inline",
        "exit",
    ]
    assert caller.left
    _, refused, _ = legs("api uuid_transfer")
    with pytest.raises(CommandFailed):
        refused.enter("room", {})
