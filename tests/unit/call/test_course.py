"""One transfer against a human who goes in the moment he is joined."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.calls.transfer import course as module
from esl_controller.calls.transfer.course import Course
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.plan import Mode, TransferPlan
from esl_controller.calls.transfer.states import TransferEvent, TransferState
from esl_controller.esl.errors import CallGone, CommandFailed

SALES = Destination(Kind.EXTENSION, "sales", "201", True, "user/201@d.example.com")


@pytest.mark.parametrize("error", [CallGone("closed by us"), CommandFailed("x", "-ERR gone")])
def test_a_human_who_goes_while_the_room_is_opened_does_not_take_the_caller_along(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(module, "open_room", lambda *_: "room")
    monkeypatch.setattr(module, "introduction", lambda *_: None)
    monkeypatch.setattr(module, "replace", lambda one, **_: one)
    entered: list[str] = []

    def gone(room: str, variables: Any) -> None:
        raise error

    caller: Any = SimpleNamespace(
        esl=None, left=False, require=lambda: None, enter=lambda *_: entered.append("caller")
    )
    call: Any = SimpleNamespace(leg=caller, door=None)
    talk: Any = SimpleNamespace(entry=SimpleNamespace(secretary=SimpleNamespace(language="en")))
    course = Course(call, talk, "caller", TransferPlan((SALES,), mode=Mode.ATTENDED))  # type: ignore[arg-type]
    told: list[TransferEvent] = []
    course._attempt = SimpleNamespace(  # type: ignore[assignment]
        state=TransferState.JOINING, destination=SALES, post=lambda event, _: told.append(event)
    )
    human: Any = SimpleNamespace(enter=gone)
    course._join(human)
    assert told == [TransferEvent.BRIDGE_REFUSED]
    assert not entered
