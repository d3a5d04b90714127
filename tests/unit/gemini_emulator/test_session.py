"""The emulated Gemini service: what it takes, what it refuses, in which order it speaks."""

from __future__ import annotations

from typing import Any

import pytest

from esl_controller.simulator.gemini.config import EmulatorConfig, Faults
from esl_controller.simulator.gemini.core import Handles
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.gemini.session import EmulatedSession
from esl_controller.simulator.service.script import Answer, Script
from tests.unit.providers.gemini_kit import Client

MODEL = {"model": "models/gemini-3.8-live"}
SHORT = EmulatorConfig(script=Script((Answer("Yes."),)))
TOOL = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}


def order(messages: list[dict[str, Any]]) -> list[str]:
    """The kinds of messages, sound taken together."""
    kinds: list[str] = []
    for message in messages:
        name = next(iter(message))
        kind = next(iter(message[name])) if name == "serverContent" else name
        if kind not in ("sessionResumptionUpdate", kinds[-1] if kinds else ""):
            kinds.append(kind)
    return kinds


def text(words: str, *, complete: bool = True) -> dict[str, Any]:
    return {"turns": [{"role": "user", "parts": [{"text": words}]}], "turnComplete": complete}


def test_the_order_of_a_turn() -> None:
    client = Client(SHORT)
    assert order(client.setup()) == ["setupComplete"]
    client.speak("Hello?")
    client.wait(3.0)
    kinds = [kind for kind in order(client.seen) if kind != "outputTranscription"]
    assert kinds[-3:] == ["modelTurn", "generationComplete", "turnComplete"]
    assert "inputTranscription" in kinds
    assert client.record.turns == 1


def test_both_ways_of_writing_names_and_base64() -> None:
    client = Client(SHORT)
    client.send(
        setup={"model": "models/gemini-3.8-live", "realtime_input_config": {
            "automatic_activity_detection": {"silence_duration_ms": 300}}}
    )  # fmt: skip
    client.send(realtime_input={"audio": {"mime_type": "audio/pcm", "data": "-_-_-_-_"}})
    assert client.record.errors == []
    assert client.record.audio_in_ms > 0


def test_the_setup_comes_first_and_once() -> None:
    client = Client()
    client.send(realtimeInput={"text": "Hello"})
    assert client.session.core.closing is not None
    client = Client()
    client.setup()
    client.send(setup=MODEL)
    assert client.session.core.closing is not None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "gemini-3.8-live"}, 1008),
        ({"model": "models/gemini-2.0-flash"}, 1008),
        ({"systemInstructions": {}}, 1007),
        ({"generationConfig": {"responseModalities": ["TEXT"]}}, 1007),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1}}}, 1007),
        ({"generationConfig": {"enableAffectiveDialog": True}}, 1007),
        ({"generationConfig": {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig":
            {"voiceName": "marin"}}}}}, 1007),
        ({"proactivity": {"proactiveAudio": False}}, 1007),
        ({"realtimeInputConfig": {"automaticActivityDetection": {"silenceDurationMs": "x"}}}, 1007),
        ({"tools": [{"functionDeclarations": [TOOL | {"strict": True}]}]}, 1007),
        ({"tools": [{"functionDeclarations": [TOOL | {"parameters": {"type": "OBJECT"}}]}]}, 1007),
        ({"tools": [{"functionDeclarations": [TOOL | {"parameters": {"type": "OBJECT",
            "properties": {"a": {"type": "STRING", "const": 1}}}}]}]}, 1007),
        ({"sessionResumption": {"handle": "unknown"}}, 1008),
    ],
)  # fmt: skip
def test_what_is_refused(fields: dict[str, Any], code: int) -> None:
    client = Client()
    client.send(setup=MODEL | fields)
    assert client.session.core.closing is not None
    assert client.session.core.closing[0] == code


@pytest.mark.parametrize(
    "message",
    [
        {"realtimeInput": {"activityStart": {}}},
        {"realtimeInput": {"audio": {"mimeType": "audio/pcmu", "data": "AAAA"}}},
        {"clientContent": {"turns": [{"role": "system", "parts": []}]}},
        {"toolResponse": {"functionResponses": [{"id": "1", "response": "x"}]}},
        {"toolResponse": {"functionResponses": [{"id": "nobody", "response": {}}]}},
        {"sessionUpdate": {}},
        {"realtimeInput": {}, "clientContent": {}},
    ],
)
def test_what_is_refused_later(message: dict[str, Any]) -> None:
    client = Client()
    client.setup()
    client.send(**message)
    assert client.session.core.closing is not None


def test_text_in_turns_is_history_alone_for_some_models() -> None:
    client = Client()
    config = {"initialHistoryInClientContent": True}
    client.setup(model="models/gemini-3.1-flash-live-preview", historyConfig=config)
    client.send(clientContent=text("Hi"))
    assert client.record.spoken == []
    assert client.session.core.closing is None
    client.send(clientContent=text("Hi"))
    assert client.session.core.closing is not None


def test_go_away_and_the_end() -> None:
    client = Client(EmulatorConfig(session_limit_s=20.0, go_away_s=5.0))
    client.setup()
    assert {"goAway": {"timeLeft": "5s"}} in client.wait(15.0)
    client.wait(5.0)
    assert client.session.core.closing == (
        1011,
        "Deadline expired before operation could complete.",
    )


@pytest.mark.parametrize("while_open", [False, True])
def test_resumption(while_open: bool) -> None:
    handles = Handles()
    script = Script((Answer("One."), Answer("Two.")))
    config = EmulatorConfig(script=script, resume_while_open=while_open)
    first = Client(config, handles=handles)
    first.setup()
    first.send(clientContent=text("Hi"))
    first.wait(3.0)
    handle = first.seen[-1]["sessionResumptionUpdate"]["newHandle"]
    second = Client(config, handles=handles)
    second.setup(sessionResumption={"handle": handle})
    assert (second.session.core.closing is None) is while_open
    first.record.open = False
    third = Client(config, handles=handles)
    third.setup(sessionResumption={"handle": handle})
    third.send(clientContent=text("And?"))
    third.wait(3.0)
    assert third.record.spoken == ["Two."], "it knows that one turn has been"


def test_faults() -> None:
    client = Client(SHORT, faults=Faults(setup_delay_s=2.0))
    assert client.setup() == []
    assert order(client.wait(2.0)) == ["setupComplete"]
    client = Client(SHORT, faults=Faults(soundless_after_s=0.0))
    client.setup()
    client.send(clientContent=text("Hi"))
    parts = [m["serverContent"]["modelTurn"]["parts"] for m in client.wait(3.0) if "modelTurn" in
             m.get("serverContent", {})]  # fmt: skip
    assert parts
    assert all(set(part["inlineData"]["data"]) == {"A"} for (part,) in parts)
    client = Client(SHORT, faults=Faults(quota_after=0))
    client.setup()
    client.send(clientContent=text("Hi"))
    assert client.session.core.closing is not None
    assert "quota" in client.session.core.closing[1]


def test_garbage_on_demand_and_a_stall() -> None:
    session = EmulatedSession(
        EmulatorConfig(),
        Faults(garbage_after_s=1.0, stall_after_s=2.0),
        GeminiRecord(number=1),
        Handles(),
        now=0.0,
    )
    session.handle_timeout(1.0)
    assert b"[]" in session.messages_to_send()
    session.handle_timeout(2.0)
    session.core.emit(goAway={})
    assert session.messages_to_send() == []
