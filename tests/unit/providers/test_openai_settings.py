from __future__ import annotations

from typing import Any

import pytest

from bridge.audio.formats import L16_16K, L16_24K, PCMA_8K, PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers.base import Conversation, Speaker, Tool, TurnDetection
from bridge.providers.openai.config import endpoint
from bridge.providers.openai.session import deep_merge, history_item, session_settings
from tests.unit.providers.openai_kit import config


def ga(conversation: Conversation, **fields: Any) -> dict[str, Any]:
    return session_settings(config(**fields), conversation)


FORMATS = [
    (L16_24K, {"type": "audio/pcm", "rate": 24000}),
    (PCMU_8K, {"type": "audio/pcmu"}),
    (PCMA_8K, {"type": "audio/pcma"}),
]


@pytest.mark.parametrize(("audio_format", "written"), FORMATS)
def test_formats_both_ways(audio_format: Any, written: dict[str, Any]) -> None:
    audio = ga(conversation(audio_format))["audio"]
    assert audio["input"]["format"] == written
    assert audio["output"]["format"] == written


def test_a_format_the_service_does_not_speak_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="L16/16000"):
        ga(conversation(L16_16K))


def test_every_field_of_the_session() -> None:
    tool = Tool("lookup", "Finds a customer", {"type": "object", "properties": {}})
    conversation = Conversation(
        PCMU_8K,
        PCMA_8K,
        instructions="Be brief.",
        voice="cedar",
        language="pt",
        noise_reduction="near_field",
        transcription_model="whisper-1",
        transcription_prompt="Joaninha, Faro",
        tools=(tool,),
        tool_choice="required",
        max_output_tokens=700,
        speed=1.2,
        turn_detection=TurnDetection(
            threshold=0.6, prefix_padding_ms=200, silence_duration_ms=400, idle_timeout_ms=8000
        ),
    )
    assert ga(conversation) == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "max_output_tokens": 700,
        "tools": [
            {
                "type": "function",
                "name": "lookup",
                "description": "Finds a customer",
                "parameters": {"type": "object", "properties": {}},
            }
        ],
        "tool_choice": "required",
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "noise_reduction": {"type": "near_field"},
                "transcription": {
                    "model": "whisper-1",
                    "language": "pt",
                    "prompt": "Joaninha, Faro",
                },
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.6,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 400,
                    "idle_timeout_ms": 8000,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {"format": {"type": "audio/pcma"}, "voice": "cedar", "speed": 1.2},
        },
    }


def test_what_is_not_set_is_left_to_the_server() -> None:
    session = ga(conversation())
    assert session.keys() == {"type", "output_modalities", "audio", "tools", "tool_choice"}
    assert session["audio"]["output"].keys() == {"format"}


def test_semantic_turn_detection_has_its_own_fields() -> None:
    turn = TurnDetection("semantic_vad", threshold=0.5, eagerness="low", interrupt_response=False)
    detection = ga(conversation(turn_detection=turn))["audio"]["input"]["turn_detection"]
    assert detection == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": False,
    }


def test_no_turn_detection_is_null() -> None:
    settings = ga(conversation(turn_detection=TurnDetection("none")))
    assert settings["audio"]["input"]["turn_detection"] is None


def test_transcription_by_conversation_by_row_and_not_at_all() -> None:
    def model(row: str, own: str | None) -> object:
        settings = ga(conversation(transcription_model=own), transcription_model=row)
        transcription = settings["audio"]["input"]["transcription"]
        return transcription and transcription["model"]

    assert model("row", None) == "row"
    assert model("row", "own") == "own"
    assert model("row", "") is None
    assert model("", None) is None


def test_a_function_can_be_named() -> None:
    assert ga(conversation(tool_choice="end_call"))["tool_choice"] == {
        "type": "function",
        "name": "end_call",
    }


def test_extra_fields_are_laid_over_key_by_key() -> None:
    extra = {"audio": {"output": {"voice": "verse"}}, "truncation": "disabled"}
    settings = ga(conversation(voice="cedar", extra=extra))
    assert settings["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "verse"}
    assert settings["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert settings["truncation"] == "disabled"


def test_merging_changes_neither_side() -> None:
    base, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert deep_merge(base, over) == {"a": {"b": 1, "c": 2}}
    assert base == {"a": {"b": 1}}
    assert over == {"a": {"c": 2}}


@pytest.mark.parametrize("model", ["gpt-realtime-2.1", "a b/ü&x=1"])
def test_the_model_is_quoted_into_the_url(model: str) -> None:
    url = endpoint(config(model=model)).url
    assert url.startswith("wss://api.openai.com/v1/realtime?model=")
    assert " " not in url
    assert "&" not in url


def test_bearer_and_optional_headers() -> None:
    row = config(organization="org-1", project="proj-1", safety_identifier="x1")
    assert dict(endpoint(row).headers) == {
        "Authorization": "Bearer sk-test",
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj-1",
        "OpenAI-Safety-Identifier": "x1",
    }


def test_azure_by_settings_alone() -> None:
    row = config(
        base_url="https://contoso.openai.azure.com/openai/v1/", auth_style="api-key", model="dep"
    )
    where = endpoint(row)
    assert where.url == "wss://contoso.openai.azure.com/openai/v1/realtime?model=dep"
    assert where.headers == (("api-key", "sk-test"),)


def test_azure_preview_by_query() -> None:
    query = {"api-version": "2025-04-01-preview", "deployment": "dep"}
    row = config(base_url="http://127.0.0.1:1/openai", model="", query=query, api_shape="beta")
    where = endpoint(row)
    expected = "ws://127.0.0.1:1/openai/realtime?api-version=2025-04-01-preview&deployment=dep"
    assert where.url == expected
    assert ("OpenAI-Beta", "realtime=v1") in where.headers


def test_own_headers_win() -> None:
    headers = dict(
        endpoint(config(headers={"Authorization": "Gateway x", "X-Tenant": "1"})).headers
    )
    assert headers == {"Authorization": "Gateway x", "X-Tenant": "1"}


def test_no_secret_in_any_repr() -> None:
    row = config(headers={"X-Secret": "hush"})
    shown = repr(row) + repr(endpoint(row))
    assert "sk-test" not in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "api.openai.com"}, "base_url"),
        ({"api_shape": "alpha"}, "api_shape"),
        ({"auth_style": "digest"}, "auth_style"),
        ({"session_limit_s": 100.0}, "session_limit_s"),
        ({"going_away_s": 0.0}, "going_away_s"),
        ({"headers": {"X": "a\r\nInjected: 1"}}, "headers"),
        ({"organization": "a\nb"}, "headers"),
    ],
)
def test_wrong_values_are_named(fields: dict[str, Any], field: str) -> None:
    (problem,) = config(**fields).problems()
    assert problem.startswith(f"{field}:")


def test_history_is_text_in_the_shape_of_the_server() -> None:
    caller = history_item(Speaker.CALLER, "Hi", "ga")
    assert caller["role"] == "user"
    assert caller["content"] == [{"type": "input_text", "text": "Hi"}]
    assert history_item(Speaker.AGENT, "Yes", "ga")["content"][0]["type"] == "output_text"
    assert history_item(Speaker.AGENT, "Yes", "beta")["content"][0]["type"] == "text"
