"""Functions: checked, audited from their begin, bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from bridge.providers.base import FunctionCall
from bridge.providers.conversation import Tool
from esl_controller.database.models import TenantSettings
from esl_controller.tenants.columns.systems import SELECTABLE
from esl_controller.tools.base import BuiltIn, FunctionOutcome, ToolContext
from esl_controller.tools.registry import BUILT_IN, offered_tools, tools_for
from esl_controller.tools.runner import FunctionRunner

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


NOTHING: Any = None
CONTEXT = ToolContext(
    entry=NOTHING,
    call_uuid="call",
    conversation_uuid="conversation",
    caller_id_number="5551",
    language="en",
    actions=NOTHING,
    places=NOTHING,
    services=NOTHING,
)


class Function(BuiltIn):
    """Does what the test says."""

    def __init__(self, does: Callable[[], Any]) -> None:
        self.does = does

    def describe(self, entry: Any) -> Tool:
        return Tool("f", "", SCHEMA)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        return {"got": self.does()}


def run(does: Callable[[], Any], *arguments: str, deadline_s: float = 1.0) -> Any:
    """The audit of a conversation in which the model called `f` with each of `arguments`."""
    told: list[FunctionOutcome] = []
    functions = FunctionRunner(
        {"f": Function(does)},
        CONTEXT,
        deadline_s=deadline_s,
        on_start=told.append,
        on_done=told.append,
    )
    for number, text in enumerate(arguments):
        functions.run(FunctionCall(f"c{number}", "f", text))
    with gevent.Timeout(5):
        while len([one for one in told if one.duration_s is not None]) < len(arguments):
            gevent.sleep(0.001)
    return told


def test_a_function_the_model_takes_back_ends_at_once_and_is_known_as_cancelled() -> None:
    told: list[FunctionOutcome] = []
    functions = FunctionRunner(
        {"f": Function(lambda: gevent.sleep(60))},
        CONTEXT,
        deadline_s=60.0,
        on_start=told.append,
        on_done=told.append,
    )
    functions.run(FunctionCall("c1", "f", '{"n": 1}'))
    gevent.sleep(0.01)
    functions.cancel("another")
    functions.cancel("c1")
    with gevent.Timeout(5):
        while len(told) < 2:
            gevent.sleep(0.001)
    done = told[-1]
    assert (done.status, done.error, done.cancelled) == ("failed", "cancelled by the model", True)
    functions.cancel("c1")


def test_a_function_is_audited_when_it_begins_and_again_when_it_is_over() -> None:
    started, done = run(lambda: 5, '{"n": 1}')
    assert (started.status, started.result, started.duration_s) == ("started", None, None)
    assert (done.status, done.result, done.arguments) == (
        "completed",
        {"done": True, "got": 5},
        {"n": 1},
    )
    assert started.function_call_uuid == done.function_call_uuid


@pytest.mark.parametrize(
    "text, words",
    [
        ("[]", "not an object"),
        ("{", "not JSON"),
        ('{"n": "1"}', 'n: the value is not of type "integer"'),
        ("", '"n" is a required property'),
        ('{"n": "' + "9" * 70_000 + '"}', "too long"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_words(text: str, words: str) -> None:
    *_, done = run(lambda: pytest.fail("must not run"), text)
    assert done.status == "refused"
    assert words in done.result["error"] and done.result["done"] is False


def test_a_timeout_inside_a_function_is_not_its_deadline() -> None:
    def impatient() -> None:
        raise gevent.Timeout(0.001)

    *_, inner = run(impatient, '{"n": 1}')
    assert (inner.status, inner.error) == ("failed", "Timeout")
    *_, late = run(lambda: gevent.sleep(5), '{"n": 1}', deadline_s=0.01)
    assert (late.status, late.error) == ("timeout", "deadline")


def test_a_function_cut_off_by_the_end_of_the_call_says_so() -> None:
    told: list[FunctionOutcome] = []
    functions = FunctionRunner(
        {"f": Function(lambda: gevent.sleep(60))},
        CONTEXT,
        deadline_s=60,
        on_start=told.append,
        on_done=told.append,
    )
    functions.run(FunctionCall("c", "f", '{"n": 1}'))
    gevent.sleep(0)
    functions.close()
    gevent.sleep(0)
    assert [one.status for one in told] == ["started", "failed"]
    assert told[-1].error == "the call ended"


def test_functions_belong_to_the_secretary() -> None:
    rules: list[Any] = [{"department": "sales", "destination": "1000"}]

    def entry(rules: list[Any], *names: str, enabled: bool = False) -> Any:
        secretary = SimpleNamespace(
            transfer_rules=rules,
            transfer_directory=False,
            transfer_return=False,
            enable_rag=False,
            record_calls=False,
            language="en",
            languages=(),
            enable_functions=enabled,
            functions_config=names,
            email_to=("a@example.com",),
        )
        tenant = TenantSettings("d", ticket_url="https://tickets.example")
        return SimpleNamespace(
            secretary=secretary, tenant=tenant, outbound=None, opening=None, functions=()
        )

    assert set(tools_for(entry([]))) == {"end_call"}
    assert [tool.name for tool in offered_tools(entry(rules))] == ["transfer_call", "end_call"]
    assert set(tools_for(entry([], enabled=True))) == {"end_call", "create_ticket", "take_message"}
    assert set(tools_for(entry([], "send_dtmf", "lookup_customer", enabled=True))) == {
        "end_call",
        "send_dtmf",
    }
    assert set(SELECTABLE) <= set(BUILT_IN)
