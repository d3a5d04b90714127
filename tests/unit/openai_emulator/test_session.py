"""The emulated service by itself: order, fields, refusals, clocks."""

from __future__ import annotations

from typing import Any

import pytest

from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.settings import default_session, updated
from esl_controller.simulator.service.script import Answer, Script, spoken_text
from tests.unit.openai_emulator.kit import UNIX_NOW, Client, error, types


def test_the_first_event_is_the_whole_session() -> None:
    (created,) = Client().seen
    session = created["session"]
    assert created["type"] == "session.created"
    assert session["type"] == "realtime"
    assert session["expires_at"] == UNIX_NOW + 3600
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200


def test_an_update_changes_only_what_it_names() -> None:
    client = Client()
    before = client.seen[0]["session"]
    (updated,) = client.update(audio={"output": {"format": {"type": "audio/pcmu"}}})
    after = updated["session"]
    assert after["audio"]["output"].pop("format") == {"type": "audio/pcmu"}
    before["audio"]["output"].pop("format")
    assert after == before
    assert "event_id" in updated


def test_an_update_of_nothing_is_answered_and_changes_nothing() -> None:
    """What a client may ask a server for that has been silent for long."""
    client = Client()
    (answer,) = client.update()
    assert answer["session"] == client.seen[0]["session"]


def test_the_state_before_an_update_stays_as_it_was() -> None:
    before = default_session("sess_1", "m", 0)
    patch = {"type": "realtime", "audio": {"output": {"speed": 1.5}}}
    after = updated(before, patch, voice_fixed=False)
    assert before == default_session("sess_1", "m", 0)
    assert after["audio"]["output"]["speed"] == 1.5


def test_turn_detection_is_filled_with_the_defaults_of_its_type() -> None:
    client = Client()
    turn = {"type": "semantic_vad", "eagerness": "low"}
    (updated,) = client.update(audio={"input": {"turn_detection": turn}})
    assert updated["session"]["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": True,
    }
    (updated,) = client.update(audio={"input": {"turn_detection": None}})
    assert updated["session"]["audio"]["input"]["turn_detection"] is None


REFUSED = [
    ({"foo": 1}, "unknown_parameter", "session.foo"),
    ({"audio": {"input": {"foo": 1}}}, "unknown_parameter", "session.audio.input.foo"),
    ({"null": True}, "unknown_parameter", "session.null"),
    ({"modalities": ["text"]}, "unknown_parameter", "session.modalities"),
    ({"temperature": 0.8}, "unknown_parameter", "session.temperature"),
    ({"output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
    ({"max_output_tokens": 5000}, "invalid_value", "session.max_output_tokens"),
    ({"max_output_tokens": True}, "invalid_value", "session.max_output_tokens"),
    ({"audio": {"output": {"speed": 2}}}, "invalid_value", "session.audio.output.speed"),
    ({"audio": {"output": {"voice": "bob"}}}, "invalid_value", "session.audio.output.voice"),
    (
        {"audio": {"output": {"voice": {"name": "x"}}}},
        "invalid_value",
        "session.audio.output.voice",
    ),
    (
        {"audio": {"input": {"format": {"rate": 24000}}}},
        "missing_required_parameter",
        "session.audio.input.format.type",
    ),
    (
        {"audio": {"input": {"turn_detection": {"type": ["server_vad"]}}}},
        "invalid_value",
        "session.audio.input.turn_detection.type",
    ),
    ({"audio": 3}, "invalid_value", "session.audio"),
    ({"type": "transcription"}, "invalid_value", "session.type"),
    ({"model": "other"}, "invalid_value", "session.model"),
    (
        {"audio": {"input": {"format": {"type": "audio/opus"}}}},
        "invalid_value",
        "session.audio.input.format.type",
    ),
    (
        {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 100}}}},
        "invalid_value",
        "session.audio.input.turn_detection.idle_timeout_ms",
    ),
    (
        {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}},
        "unknown_parameter",
        "session.audio.input.turn_detection.threshold",
    ),
    (
        {"audio": {"input": {"turn_detection": {}}}},
        "missing_required_parameter",
        "session.audio.input.turn_detection.type",
    ),
]


@pytest.mark.parametrize(("session", "code", "param"), REFUSED)
def test_settings_refused(session: dict[str, Any], code: str, param: str) -> None:
    client = Client()
    found = error(
        client.send("session.update", event_id="e1", session={"type": "realtime"} | session)
    )
    assert (found["code"], found["param"], found["event_id"]) == (code, param, "e1")
    (updated,) = client.update()
    assert updated["session"] == client.seen[0]["session"]


def test_the_type_is_required() -> None:
    found = error(Client().send("session.update", session={"instructions": "x"}))
    assert (found["code"], found["param"]) == ("missing_required_parameter", "session.type")


@pytest.mark.parametrize("message", [b"{}", b'{"type":7}', b"[]", b'{"type":"session.foo"}'])
def test_events_nobody_knows(message: bytes) -> None:
    client = Client()
    client.session.receive_message(message, 0.0)
    assert error(client.collect())["code"] == "invalid_event"


@pytest.mark.parametrize("message", [b"{", b"\xff", b"[" * 100_000])
def test_no_json(message: bytes) -> None:
    client = Client()
    client.session.receive_message(message, 0.0)
    assert error(client.collect())["code"] == "invalid_json"


def spoken_item(client: Client) -> tuple[str, int]:
    client.send("response.create")
    item = client.finish()["output"][0]
    return item["id"], int(client.record.audio_out_ms)


def test_truncate_takes_the_words_away() -> None:
    client = Client()
    item_id, _ = spoken_item(client)
    where = {"item_id": item_id, "content_index": 0, "audio_end_ms": 500}
    (cut,) = client.send("conversation.item.truncate", **where)
    assert {key: cut[key] for key in where} == where
    (item,) = client.send("conversation.item.retrieve", item_id=item_id)
    assert item["item"]["content"] == [{"type": "output_audio"}]


def test_truncate_refused() -> None:
    client = Client()
    item_id, length_ms = spoken_item(client)

    def cut(**fields: Any) -> dict[str, Any]:
        return error(client.send("conversation.item.truncate", content_index=0, **fields))

    too_long = cut(item_id=item_id, audio_end_ms=length_ms + 1)
    assert too_long["message"] == (
        f"Audio content of {length_ms}ms is already shorter than {length_ms + 1}ms"
    )
    assert cut(item_id=item_id, audio_end_ms=0)["code"] == "unsupported_content_type"
    assert cut(item_id=item_id, audio_end_ms=True)["code"] == "invalid_value"
    assert cut(item_id="x", audio_end_ms=1)["code"] == "item_truncate_invalid_item_id"


def test_items_by_id_and_place() -> None:
    client = Client()

    def create(item_id: str, previous: str | None = None) -> list[dict[str, Any]]:
        content = [{"type": "input_text", "text": item_id}]
        item = {"id": item_id, "type": "message", "role": "user", "content": content}
        return client.send("conversation.item.create", item=item, previous_item_id=previous)

    create("a")
    create("c")
    create("b", "a")
    (added, done) = create("0", "root")
    assert added["previous_item_id"] is None
    assert types([added, done]) == ["conversation.item.added", "conversation.item.done"]
    assert [item.id for item in client.session.core.conversation.items] == ["0", "a", "b", "c"]
    assert error(create("a"))["code"] == "invalid_value"
    assert error(create("d", "x"))["code"] == "item_create_invalid_previous_item_id"
    (deleted,) = client.send("conversation.item.delete", item_id="a")
    assert deleted["item_id"] == "a"
    assert error(client.send("conversation.item.delete", item_id="a"))["code"] == (
        "item_delete_invalid_item_id"
    )
    assert client.record.texts == ["a", "c", "b", "0"]


WRONG_ITEMS = [
    {"type": "message", "role": "assistant", "content": [{"type": "output_audio"}]},
    {"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]},
    {"type": "message", "role": "boss", "content": []},
    {"type": "message", "role": "user"},
    {"type": "note"},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": 7}]},
    {"type": "function_call", "call_id": "c", "name": 7, "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c"},
    {"type": "message", "role": "user", "content": [], "id": 7},
    None,
]


@pytest.mark.parametrize("item", WRONG_ITEMS)
def test_items_a_client_may_not_create(item: Any) -> None:
    code = error(Client().send("conversation.item.create", item=item))["code"]
    assert code in ("invalid_value", "missing_required_parameter")


def test_sixty_minutes() -> None:
    client = Client()
    assert client.wait(3599) == []
    (event,) = client.wait(2)
    assert event["error"]["code"] == "session_expired"
    assert client.session.core.closing == (
        1001,
        "Your session hit the maximum duration of 60 minutes.",
    )


def test_the_voice_cannot_change_once_heard() -> None:
    client = Client()
    client.update(audio={"output": {"voice": "cedar"}})
    client.send("response.create")
    client.finish()
    found = error(client.update(audio={"output": {"voice": "ash"}}))
    assert found["code"] == "cannot_update_voice"
    (updated,) = client.update(audio={"output": {"voice": "cedar"}})
    assert updated["type"] == "session.updated"


def test_a_failing_answer() -> None:
    script = Script(answers=(Answer(fail=("server_error", "server_error", "Sorry.")),))
    client = Client(EmulatorConfig(script=script))
    client.send("response.create")
    response = client.finish()
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["message"] == "Sorry."


def test_a_limit_of_tokens() -> None:
    client = Client()
    client.send("response.create", response={"max_output_tokens": 10})
    response = client.finish()
    assert response["status"] == "incomplete"
    assert response["status_details"]["reason"] == "max_output_tokens"
    assert client.record.audio_out_ms < 1000


def test_out_of_band() -> None:
    client = Client()
    client.send("response.create", response={"conversation": "none", "metadata": {"a": "b"}})
    response = client.finish()
    assert response["conversation_id"] is None
    assert response["metadata"] == {"a": "b"}
    assert "conversation.item.added" not in types(client.seen)
    assert client.session.core.conversation.items == ()


def test_a_wrong_request() -> None:
    client = Client()
    found = error(client.send("response.create", response={"temperature": 0.8}))
    assert (found["code"], found["param"]) == ("unknown_parameter", "response.temperature")
    assert error(client.send("response.create", response=[]))["code"] == "invalid_value"
    assert types(client.send("response.create"))[0] == "response.created"


def test_words_to_be_said_exactly() -> None:
    assert spoken_text("Say exactly this:\n\nGood morning.\n\nHow are you?") == (
        "Good morning.\n\nHow are you?"
    )
    assert spoken_text("Be nice.\n\nAlways.") == ""


def test_keywords_in_typed_text() -> None:
    script = Script(keywords={"5": Answer("Five.")})
    client = Client(EmulatorConfig(script=script))
    content = [{"type": "input_text", "text": "pressed: 5"}]
    item = {"type": "message", "role": "user", "content": content}
    client.send("conversation.item.create", item=item)
    client.send("response.create")
    client.finish()
    assert client.record.spoken == ["Five."]


def test_the_beta_shape_is_flat_both_ways() -> None:
    client = Client(EmulatorConfig(api_shape="beta"))
    flat = {"input_audio_format": "g711_alaw", "voice": "ash", "temperature": 0.8}
    (updated_event,) = client.send("session.update", session=flat)
    session = updated_event["session"]
    assert session["input_audio_format"] == "g711_alaw"
    assert session["output_audio_format"] == "pcm16"
    assert session["voice"] == "ash"
    assert "audio" not in session
    found = error(client.send("session.update", session={"input_audio_format": "opus"}))
    assert found["code"] == "invalid_value"
