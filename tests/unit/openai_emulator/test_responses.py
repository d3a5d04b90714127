"""The emulated responses: order of their events, functions, cancelling."""

from __future__ import annotations

from bridge.audio.formats import L16_24K
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.agenda import Agenda
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.unit.openai_emulator.kit import Client, error, types

TOOL = {"type": "function", "name": "lookup", "description": "", "parameters": {"type": "object"}}
AUDIO_TURN = [
    "response.created",
    "rate_limits.updated",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]


def once(names: list[str]) -> list[str]:
    """Names in the order of their first appearance."""
    return list(dict.fromkeys(names))


def test_order_of_a_spoken_turn() -> None:
    client = Client(EmulatorConfig(script=Script(answers=(Answer("Yes."),)), think_s=0.1))
    client.speak("Hello you", L16_24K)
    client.wait(2)
    assert once(types(client.seen[1:])) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        *[name for name in AUDIO_TURN if not name.startswith("conversation.item")],
    ]
    added = [event for event in client.seen if event["type"] == "conversation.item.added"]
    assert [event["previous_item_id"] for event in added] == [None, added[0]["item"]["id"]]


def test_order_of_an_answer_in_text() -> None:
    client = Client()
    client.update(output_modalities=["text"])
    client.send("response.create")
    client.finish()
    names = once(types(client.seen[2:]))
    assert names == [
        name.replace("output_audio", "output_text")
        for name in AUDIO_TURN
        if "transcript" not in name
    ]


def test_order_of_a_function_call() -> None:
    script = Script(
        answers=(Answer(calls=(ScriptedCall("lookup", '{"name":"Ann","town":"Faro"}'),)),)
    )
    client = Client(EmulatorConfig(script=script))
    client.update(tools=[TOOL])
    client.send("response.create")
    response = client.finish()
    assert once(types(client.seen[2:])) == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    (item,) = response["output"]
    pieces = [event["delta"] for event in client.seen if "arguments.delta" in event["type"]]
    assert "".join(pieces) == item["arguments"] == '{"name":"Ann","town":"Faro"}'
    assert len(pieces) > 1


def test_functions_the_session_does_not_have_are_not_called() -> None:
    script = Script(answers=(Answer("No.", calls=(ScriptedCall("lookup"),)),))
    client = Client(EmulatorConfig(script=script))
    client.send("response.create")
    assert [item["type"] for item in client.finish()["output"]] == ["message"]
    client.update(tools=[TOOL], tool_choice="none")
    client.send("response.create")
    assert [item["type"] for item in client.finish()["output"]] == ["message"]


def test_function_output_needs_its_call() -> None:
    item = {"type": "function_call_output", "call_id": "call_x", "output": "1"}
    assert error(Client().send("conversation.item.create", item=item))["code"] == (
        "invalid_tool_call_id"
    )


def test_one_response_at_a_time() -> None:
    client = Client()
    client.send("response.create")
    found = error(client.send("response.create", event_id="e9"))
    assert found["code"] == "conversation_already_has_active_response"
    assert found["event_id"] == "e9"


def test_cancel_leaves_the_item_incomplete() -> None:
    client = Client(EmulatorConfig(pace=1.0))
    client.send("response.create")
    client.wait(1.0)
    events = client.send("response.cancel")
    assert types(events) == AUDIO_TURN[-6:]
    response = events[-1]["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert response["output"][0]["status"] == "incomplete"
    assert client.wait(5) == []


def test_nothing_to_cancel() -> None:
    client = Client()
    assert error(client.send("response.cancel"))["code"] == "response_cancel_not_active"
    client.send("response.create")
    found = error(client.send("response.cancel", response_id="resp_x"))
    assert found["code"] == "response_cancel_not_active"


def test_pace_and_thinking_time() -> None:
    client = Client(EmulatorConfig(think_s=0.5, pace=2.0))
    client.send("response.create")
    assert client.wait(0.49) == []
    assert "response.output_audio.delta" in types(client.wait(0.02))
    client.now = 0.5
    client.wait(60)
    played_s = client.record.audio_out_ms / 1000
    stamps = dict(client.record.stamps)
    assert stamps == {"first_delta": 0.5}
    ends = [event for event in client.seen if event["type"] == "response.output_audio.delta"]
    assert len(ends) == -(-int(client.record.audio_out_ms) // 100)
    assert "emulator_sent_s" not in ends[0]
    done_at = 0.5 + played_s / 2
    again = Client(EmulatorConfig(think_s=0.5, pace=2.0))
    again.send("response.create")
    assert "response.done" not in types(again.wait(done_at - 0.01))
    assert "response.done" in types(again.wait(0.02))


def test_cached_tokens_come_in_blocks() -> None:
    client = Client()
    client.update(instructions="x" * 3000)
    for _ in range(3):
        client.send("response.create")
        usage = client.finish()["usage"]
        details = usage["input_token_details"]
        cached = details["cached_tokens_details"]
        assert cached["text_tokens"] % 64 == cached["audio_tokens"] % 64 == 0
        assert details["cached_tokens"] == cached["text_tokens"] + cached["audio_tokens"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert details["cached_tokens"] > 700


def test_appointments_keep_their_own_time() -> None:
    agenda, done = Agenda(), []
    agenda.at(2.0, done.append)
    agenda.at(1.0, lambda due: agenda.at(due + 0.5, done.append))
    agenda.at(1.2, done.append).cancel()
    assert agenda.next_deadline() == 1.0
    agenda.run(1.9)
    assert done == [1.5]
    assert agenda.next_deadline() == 2.0
    agenda.run(9.0)
    assert done == [1.5, 2.0]
    assert agenda.next_deadline() is None
