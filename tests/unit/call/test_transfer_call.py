"""Where the model may send a caller, however it writes that."""

from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.calls.transfer.plan import Mode, TransferPlan
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.transfer_call import TransferCall
from tests.unit.call.listed_places import ListedPlaces

RULES = [
    {"department": "Sales", "destination": "1000", "description": "prices"},
    {"department": "Support", "destination": "1001"},
    {"destination": "1002"},
]


def entry(*rules: dict[str, Any], **columns: Any) -> Any:
    wishes = {
        "transfer_directory": False,
        "transfer_mode": "blind",
        "transfer_ring_seconds": 25,
        "transfer_return": False,
        "hold_music": True,
    }
    secretary = SimpleNamespace(transfer_rules=rules, **(wishes | columns))
    return SimpleNamespace(secretary=secretary, domain_name="d.example.com")


ENTRY = entry(*RULES)


class Actions:
    """Notes what is asked of the call."""

    def __init__(self) -> None:
        self.plans: list[TransferPlan] = []

    def transfer(self, plan: TransferPlan) -> None:
        self.plans.append(plan)


def run(wanted: object, of: Any = ENTRY) -> tuple[list[TransferPlan], Any]:
    actions = Actions()
    context: Any = SimpleNamespace(entry=of, actions=actions, places=ListedPlaces())
    result = TransferCall().run({"destination": wanted, "reason": "a price"}, context)
    return actions.plans, result


@pytest.mark.parametrize(
    "destination, extension",
    [("Sales", "1000"), (" sales ", "1000"), ("1001", "1001"), ("1002", "1002")],
)
def test_a_department_is_meant_by_its_name_or_its_number(destination: str, extension: str) -> None:
    (plan,), result = run(destination)
    assert (plan.destinations[0].number, plan.reason) == (extension, "a price")
    assert plan.mode is Mode.BLIND
    assert result["status"] == "transferring"


@pytest.mark.parametrize("destination", ["0900123", "", "Sal", None, ["1000"], "-bleg"])
def test_nothing_else_can_be_dialled(destination: object) -> None:
    with pytest.raises(FunctionFailed, match="Sales, Support, 1002"):
        run(destination)


def test_a_name_that_several_have_is_asked_about() -> None:
    two = entry(
        {"department": "Ana", "destination": "201"}, {"department": "ana", "destination": "202"}
    )
    with pytest.raises(FunctionFailed, match=r"Several fit.*Ana \(201\), ana \(202\)"):
        run("Ana", two)


def test_an_announced_transfer_is_told_at_once_and_planned_by_its_rule() -> None:
    rule = {
        "department": "Sales",
        "destination": "1000",
        "mode": "announced",
        "ring_seconds": 12,
        "next": ["Support", "nobody", "Sales"],
        "fallback": {"busy": "next", "no_answer": "voicemail"},
        "mailbox": "*991000",
    }
    (plan,), result = run("sales", entry(rule, RULES[1], transfer_return=True, hold_music=False))
    assert [one.number for one in plan.destinations] == ["1000", "1001"]
    assert (plan.mode, plan.ring_s, plan.returns, plan.music) == (Mode.ANNOUNCED, 12.0, True, False)
    assert plan.mailbox == "*991000"
    assert result["status"] == "ringing" and "music" in result["note"]


def test_what_answers_by_itself_is_handed_over_blind_and_the_model_knows() -> None:
    queue = {"department": "Queue", "destination": "5000", "kind": "queue", "mode": "announced"}
    (plan,), result = run("queue", entry(queue))
    assert plan.mode_for(plan.destinations[0]) is Mode.BLIND
    assert result["status"] == "transferring"


def test_the_model_is_told_the_names() -> None:
    tool = TransferCall().describe(ENTRY)
    assert tool is not None
    assert tool.parameters["properties"]["destination"]["enum"] == ["1002", "Sales", "Support"]
    assert TransferCall().describe(entry()) is None
