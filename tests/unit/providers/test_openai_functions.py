"""Functions the model asks for: each told once, wherever it is told; answered once."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.providers.base import ErrorKind, FunctionCall, ProviderFailure, ResponseDone
from bridge.providers.conversation import Ran, Said, Speaker
from bridge.providers.openai.realtime import OpenAIRealtime
from tests.unit.providers.openai_kit import (
    ask_for_functions,
    begin_response,
    call_item,
    config,
    conversation,
    end_response,
    events,
    feed,
    opened,
    ready_provider,
    sent,
    types,
)


def test_two_functions_are_answered_once() -> None:
    provider = ready_provider()
    ask_for_functions(provider, call_item(1), call_item(2))
    provider.send_function_result("call_1", "a", failed=False, now=0.0)
    assert types(provider) == ["conversation.item.create"]
    provider.send_function_result("call_2", "b", failed=True, now=0.0)
    assert types(provider) == ["conversation.item.create", "response.create"]
    begin_response(provider, "resp_2")
    end_response(provider, "resp_2")
    assert sent(provider) == []


def test_asking_for_the_answer_that_is_on_its_way_is_asking_once() -> None:
    provider = ready_provider()
    ask_for_functions(provider, call_item(1))
    provider.answer(0.0)
    assert sent(provider) == []
    provider.send_function_result("call_1", "a", failed=False, now=0.0)
    provider.answer(0.0)
    begin_response(provider, "resp_2")
    provider.answer(0.0)
    end_response(provider, "resp_2")
    assert types(provider) == ["conversation.item.create", "response.create"]
    provider.answer(0.0)
    assert types(provider) == ["response.create"]


def test_an_answer_that_was_cut_may_be_asked_for_again() -> None:
    provider = ready_provider()
    provider.send_text("1", 0.0)
    begin_response(provider)
    provider.cut([], 0.0)
    sent(provider)
    provider.answer(0.0)
    end_response(provider, status="cancelled")
    assert types(provider) == ["response.create"]


def test_an_answer_asked_for_before_the_functions_waits_for_their_results() -> None:
    provider = ready_provider()
    begin_response(provider)
    provider.send_text("1", 0.0)
    end_response(provider, output=[call_item(1)])
    assert types(provider) == ["conversation.item.create"]
    provider.send_function_result("call_1", "a", failed=False, now=0.0)
    assert types(provider) == ["conversation.item.create", "response.create"]
    begin_response(provider, "resp_2")
    end_response(provider, "resp_2")
    assert sent(provider) == []


def test_a_text_is_answered_while_a_slow_function_runs() -> None:
    provider = ready_provider()
    ask_for_functions(provider, call_item(1))
    provider.send_text("1", 0.0)
    assert types(provider) == ["conversation.item.create", "response.create"]


def test_a_call_is_told_once_however_often_the_server_tells_it() -> None:
    provider = ready_provider()
    found = ask_for_functions(provider, call_item(1), call_item(1, id="fc_9", arguments=""))
    assert [event for event in found if isinstance(event, FunctionCall)] == [
        FunctionCall("call_1", "lookup", "{}", "resp_1")
    ]
    end_response(provider, output=[call_item(1)], usage={"input_token_details": {}})
    assert events(provider) == []
    begin_response(provider, "resp_2")
    events(provider)
    end_response(provider, "resp_2", output=[call_item(1)])
    (done,) = events(provider)
    assert isinstance(done, ResponseDone)


ANNOUNCED = {
    "type": "response.output_item.added",
    "response_id": "resp_1",
    "item": call_item(1, status="in_progress", arguments=""),
}
ARGUMENTS = {
    "type": "response.function_call_arguments.done",
    "response_id": "resp_1",
    "item_id": "fc_1",
    "call_id": "call_1",
    "arguments": '{"to":"sales"}',
}
COMPLETE = {
    "type": "response.output_item.done",
    "response_id": "resp_1",
    "item": call_item(1, arguments='{"to":"sales"}'),
}


@pytest.mark.parametrize(
    ("told", "response"),
    [
        ([ANNOUNCED, ARGUMENTS], {}),
        ([{**ARGUMENTS, "name": "lookup"}], {"output": []}),
        ([COMPLETE], {"output": None}),
        ([], {"output": [COMPLETE["item"]]}),
        ([ANNOUNCED, ARGUMENTS, COMPLETE], {"output": [COMPLETE["item"]]}),
    ],
    ids=["arguments", "with a name", "item", "response", "all"],
)
def test_a_function_is_found_wherever_it_is_told(
    told: list[dict[str, Any]], response: dict[str, Any]
) -> None:
    provider = ready_provider()
    begin_response(provider)
    for message in told:
        feed(provider, message)
    events(provider)
    end_response(provider, **response)
    call, done = events(provider)
    assert call == FunctionCall("call_1", "lookup", '{"to":"sales"}', "resp_1")
    assert isinstance(done, ResponseDone)
    assert done.spoke


def test_whole_calls_of_an_answer_cut_off_are_run() -> None:
    found = ask_for_functions(ready_provider(), call_item(1), status="incomplete")
    assert [type(event) for event in found] == [FunctionCall, ResponseDone]


def test_a_call_cut_off_by_the_token_limit_is_no_answer() -> None:
    provider = ready_provider()
    begin_response(provider)
    feed(provider, ANNOUNCED)
    events(provider)
    details = {"type": "incomplete", "reason": "max_output_tokens"}
    half = call_item(1, status="incomplete", arguments='{"to')
    end_response(provider, status="incomplete", status_details=details, output=[half])
    assert events(provider) == [
        ResponseDone("resp_1", "incomplete", "max_output_tokens", spoke=False)
    ]


def test_functions_of_a_cancelled_response_are_not_run() -> None:
    found = ask_for_functions(ready_provider(), call_item(1), status="cancelled")
    assert not any(isinstance(event, FunctionCall) for event in found)
    assert found == [ResponseDone("resp_1", "cancelled", spoke=False)]


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"status": "canceled"}, "cancelled"),
        ({"status": "COMPLETED"}, "completed"),
        ({"status": "in_progress"}, "completed"),
        ({"status": None}, "completed"),
        ({"status": "expired"}, "failed"),
        ({"status": "done", "status_details": {"error": {"code": "server_error"}}}, "failed"),
        ({"status": "done", "status_details": "fine"}, "completed"),
    ],
)
def test_every_end_is_one_of_four(told: dict[str, Any], status: str) -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    end_response(provider, **told)
    done = events(provider)[-1]
    assert isinstance(done, ResponseDone)
    assert done.status == status


BROKEN_ENDS = [
    {"output": [call_item(1, call_id=None)]},
    {"output": [call_item(1, name="")]},
    {"output": [call_item(number) for number in range(65)]},
]


@pytest.mark.parametrize("fields", BROKEN_ENDS)
def test_a_response_with_a_broken_end_is_over_all_the_same(fields: dict[str, Any]) -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    end_response(provider, **fields)
    failure, done = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert not failure.fatal
    assert done == ResponseDone("resp_1", "failed", "", ErrorKind.PROTOCOL, spoke=False)
    provider.send_text("1", 0.0)
    assert types(provider) == ["conversation.item.create", "response.create"]


def test_a_bill_in_odd_numbers_does_not_cost_the_answer() -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    end_response(provider, usage={"input_token_details": 7})
    assert events(provider) == [ResponseDone("resp_1", "completed", spoke=False)]
    begin_response(provider, "resp_2")
    events(provider)
    end_response(provider, "resp_2", usage={"input_token_details": {"audio_tokens": 5.0}})
    usage, _ = events(provider)
    assert usage.input_audio_tokens == 5  # type: ignore[union-attr]


def test_functions_that_ran_are_history() -> None:
    history = (Said(Speaker.CALLER, "Book it."), Ran("book", '{"at":9}', "done"))
    provider = opened(OpenAIRealtime(config()), conversation(history=history))
    _, _, call, output = (message.get("item") for message in sent(provider))
    assert (call["type"], call["name"], call["arguments"]) == ("function_call", "book", '{"at":9}')
    assert (output["type"], output["output"]) == ("function_call_output", "done")
    assert call["call_id"] == output["call_id"]


def test_in_the_betas_words_functions_that_ran_are_told() -> None:
    talk = conversation(history=(Ran("book", '{"at":9}', "done"),))
    provider = opened(OpenAIRealtime(config(api_shape="beta")), talk)
    (item,) = (message["item"] for message in sent(provider)[1:])
    assert item["role"] == "system"
    assert "book" in item["content"][0]["text"]
