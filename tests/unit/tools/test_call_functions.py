"""Functions that touch the recording, and calls to come: offered where they make sense alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.tools.base import FunctionFailed, Recording
from esl_controller.tools.outbound import LeaveMessage, RequestCallback
from esl_controller.tools.recording import PAUSE, REFUSE, RESUME


class Actions:
    def __init__(self, answer: bool = True) -> None:
        self.asked: list[Any] = []
        self._answer = answer

    def recording(self, wanted: Recording, by: str = "agent") -> bool:
        self.asked.append(wanted)
        return self._answer

    def call_back(self, wanted: Any) -> bool:
        self.asked.append(wanted)
        return self._answer

    def leave_message(self, message: str) -> None:
        self.asked.append(message)


def entry(
    *, records: bool = False, consent: str = "ask", at_once: int = 0, ours: Any = None
) -> Any:
    return SimpleNamespace(
        domain_uuid="d",
        extension="8001",
        secretary=SimpleNamespace(record_calls=records, recording_consent=consent),
        tenant=SimpleNamespace(outbound_max_concurrent=at_once),
        outbound=ours,
    )


def context(
    entry: Any, actions: Actions, caller: str = "+5511999990000", why_not: str | None = None
) -> Any:
    places = SimpleNamespace(of_number=lambda *_: None, may_dial=lambda *_: why_not)
    return SimpleNamespace(entry=entry, actions=actions, caller_id_number=caller, places=places)


def test_recordings_are_touched_where_there_are_some() -> None:
    for tool in (PAUSE, RESUME, REFUSE):
        assert tool.describe(entry()) is None
        assert tool.describe(entry(records=True)) is not None
    assert REFUSE.describe(entry(records=True, consent="none")) is None
    actions = Actions()
    for tool in (PAUSE, RESUME, REFUSE):
        tool.run({}, context(entry(records=True), actions))
    assert actions.asked == [Recording.PAUSE, Recording.GO_ON, Recording.STOP]
    with pytest.raises(FunctionFailed, match="Nothing is being recorded"):
        PAUSE.run({}, context(entry(records=True), Actions(answer=False)))


def test_a_message_is_left_on_calls_of_ours_alone() -> None:
    tool, actions = LeaveMessage(), Actions()
    assert tool.describe(entry(at_once=1)) is None
    assert tool.describe(entry(ours=object())) is not None
    tool.run({"message": " Please call. "}, context(entry(ours=object()), actions))
    assert actions.asked == ["Please call."]


def test_a_callback_goes_to_the_number_that_calls() -> None:
    tool, actions = RequestCallback(), Actions()
    assert tool.describe(entry()) is None
    assert tool.describe(entry(at_once=1, ours=object())) is None
    described = tool.describe(entry(at_once=1))
    assert described is not None and "number" not in described.parameters["properties"]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    arguments = {"reason": "an invoice", "not_before": tomorrow.isoformat()}
    tool.run(arguments, context(entry(at_once=1), actions))
    (wanted,) = actions.asked
    assert (wanted.number, wanted.origin, wanted.not_before) == (
        "+5511999990000",
        "callback",
        tomorrow,
    )
    assert wanted.not_after > tomorrow


@pytest.mark.parametrize(
    ("caller", "arguments", "why"),
    [
        ("anonymous", {"reason": "r"}, "not known"),
        ("", {"reason": "r"}, "not known"),
        ("0900 123;x", {"reason": "r"}, "not known"),
        ("5511", {"reason": "r", "not_before": "tomorrow"}, "no date"),
        ("5511", {"reason": "r", "not_before": "2026-12-01T09:00:00"}, "offset"),
        ("5511", {"reason": "r", "not_before": "2020-12-01T09:00:00+00:00"}, "within"),
        ("5511", {"reason": "r", "not_before": "9999-12-31T23:59:59+00:00"}, "within"),
    ],
)
def test_what_cannot_be_promised_is_not(caller: str, arguments: Any, why: str) -> None:
    with pytest.raises(FunctionFailed, match=why):
        RequestCallback().run(arguments, context(entry(at_once=1), Actions(), caller))


def test_nobody_is_called_back_where_nobody_may_be_called() -> None:
    actions = Actions()
    refused = context(entry(at_once=1), actions, why_not="not from here")
    with pytest.raises(FunctionFailed, match="not from here"):
        RequestCallback().run({"reason": "an invoice"}, refused)
    assert actions.asked == []


def test_a_second_callback_of_a_call_is_refused() -> None:
    with pytest.raises(FunctionFailed, match="already"):
        RequestCallback().run({"reason": "r"}, context(entry(at_once=1), Actions(answer=False)))
