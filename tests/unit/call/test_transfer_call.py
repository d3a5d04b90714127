"""Where the model may send a caller, however it writes that."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from esl_controller.tools.base import FunctionFailed, ToolContext
from esl_controller.tools.transfer_call import TransferCall

RULES = [
    {"department": "Sales", "destination": "1000", "description": "prices"},
    {"department": "Support", "destination": "1001"},
    {"destination": "1002"},
]
ENTRY = cast(Any, SimpleNamespace(secretary=SimpleNamespace(transfer_rules=RULES)))


class Actions:
    """Notes what is asked of the call."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def transfer(self, destination: str, reason: str) -> None:
        self.asked.append((destination, reason))

    def end_call(self, reason: str) -> None:
        raise AssertionError(reason)


@pytest.mark.parametrize(
    "destination, extension",
    [("Sales", "1000"), (" sales ", "1000"), ("1001", "1001"), ("1002", "1002")],
)
def test_a_department_is_meant_by_its_name_or_its_number(destination: str, extension: str) -> None:
    actions = Actions()
    arguments = {"destination": destination, "reason": "a price"}
    result = TransferCall().run(arguments, ToolContext(ENTRY, "5551", actions))
    assert actions.asked == [(extension, "a price")]
    assert result["status"] == "transferring"


@pytest.mark.parametrize("destination", ["0900123", "", "Sal", None, 1000, ["1000"], "-bleg"])
def test_nothing_else_can_be_dialled(destination: object) -> None:
    actions = Actions()
    with pytest.raises(FunctionFailed, match="1002, Sales, Support"):
        TransferCall().run({"destination": destination}, ToolContext(ENTRY, "5551", actions))
    assert actions.asked == []


def test_the_model_is_told_the_names() -> None:
    tool = TransferCall().describe(ENTRY)
    assert tool is not None
    assert tool.parameters["properties"]["destination"]["enum"] == ["1002", "Sales", "Support"]
    nobody = cast(Any, SimpleNamespace(secretary=SimpleNamespace(transfer_rules=[])))
    assert TransferCall().describe(nobody) is None
