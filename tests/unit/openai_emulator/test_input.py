"""The caller's audio at the emulated service: turns, clocks, stamps."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.audio.formats import L16_24K, PCMU_8K
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from tests.unit.openai_emulator.kit import Client, error, types


def test_push_to_talk() -> None:
    client = Client(EmulatorConfig(script=Script(caller_lines=("Hello.",))))
    transcription = {"model": "gpt-transcribe", "language": "en"}
    client.update(audio={"input": {"turn_detection": None, "transcription": transcription}})
    client.say(L16_24K.silence(90))
    found = error(client.send("input_audio_buffer.commit"))
    assert found["code"] == "input_audio_buffer_commit_empty"
    assert found["message"].endswith("buffer only has 90.00ms of audio.")
    client.say(L16_24K.silence(10))
    assert types(client.send("input_audio_buffer.commit")) == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    (delta, completed) = client.wait(1)
    assert delta["delta"] == completed["transcript"] == "Hello."
    assert completed["usage"]["input_token_details"] == {"text_tokens": 0, "audio_tokens": 1}


def test_clear_forgets() -> None:
    client = Client()
    client.say(L16_24K.silence(500))
    assert types(client.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert error(client.send("input_audio_buffer.commit"))["code"] == (
        "input_audio_buffer_commit_empty"
    )


@pytest.mark.parametrize("audio", ["!", "AA", None, 7])
def test_audio_that_is_none(audio: Any) -> None:
    code = error(Client().send("input_audio_buffer.append", audio=audio))["code"]
    assert code in ("invalid_value", "missing_required_parameter", "invalid_json")


def test_events_only_without_responses() -> None:
    client = Client()
    turn = {"type": "server_vad", "create_response": False, "interrupt_response": False}
    client.update(audio={"input": {"turn_detection": turn}})
    client.send("response.create")
    client.speak("Hello you", L16_24K)
    assert client.finish()["status"] == "completed"
    assert types(client.seen).count("response.created") == 1


def test_idle_timeout_after_the_answer_was_played() -> None:
    client = Client(EmulatorConfig(script=Script(answers=(Answer("Yes."),)), think_s=0.0))
    turn = {"type": "server_vad", "idle_timeout_ms": 5000}
    client.update(audio={"input": {"turn_detection": turn}})
    client.send("response.create")
    client.finish()
    played_ms = client.record.audio_out_ms
    silent = client.wait(played_ms / 1000 + 4.0 - client.now)
    assert silent == []
    found = types(client.wait(1.1))
    assert found[:2] == ["input_audio_buffer.timeout_triggered", "input_audio_buffer.committed"]
    assert "response.created" in found


def test_stamps() -> None:
    moments: list[tuple[int, str, float]] = []
    config = EmulatorConfig(
        on_stamp=lambda *moment: moments.append(moment), embed_stamps=True, think_s=0.5
    )
    client = Client(config)
    client.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
    client.now = 7.0
    client.speak("Hello you", PCMU_8K)
    client.wait(3)
    kinds = [kind for _, kind, _ in moments]
    assert kinds[:2] == ["loud", "speech_started"]
    deltas = [event for event in client.seen if event["type"] == "response.output_audio.delta"]
    sent_at = [at for _, kind, at in moments if kind == "delta"]
    assert sent_at[0] == 7.5
    assert [event["emulator_sent_s"] for event in deltas] == sent_at
    assert client.record.stamps == [(kind, at) for _, kind, at in moments]


def test_positions_count_from_the_first_sample_whatever_is_set_meanwhile() -> None:
    client = Client()
    client.say(L16_24K.silence(1000))
    client.update(audio={"input": {"noise_reduction": {"type": "near_field"}}})
    client.say(L16_24K.silence(1000))
    client.speak("Hello you", L16_24K)
    (started,) = [event for event in client.seen if "speech_started" in event["type"]]
    assert started["audio_start_ms"] == pytest.approx(1700, abs=40)


def test_a_caller_who_speaks_is_not_idle() -> None:
    client = Client(EmulatorConfig(script=Script(answers=(Answer("Yes."),))))
    turn = {"type": "server_vad", "idle_timeout_ms": 5000, "create_response": False}
    client.update(audio={"input": {"turn_detection": turn}})
    client.send("response.create")
    client.finish()
    client.speak("Hello you", L16_24K)
    client.wait(60)
    assert "input_audio_buffer.timeout_triggered" not in types(client.seen)


def test_an_update_of_something_else_leaves_the_turn_as_it_is() -> None:
    client = Client()
    client.speak("One two", L16_24K, silence_ms=0)
    client.update()
    client.say(L16_24K.silence(700))
    assert types(client.seen).count("input_audio_buffer.speech_stopped") == 1
