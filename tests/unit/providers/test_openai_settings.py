from __future__ import annotations

from typing import Any

import pytest

from bridge.audio.formats import L16_16K, L16_24K, PCMA_8K, PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers.base import ProviderFailure, SessionReady
from bridge.providers.conversation import Conversation, Said, Speaker, Tool
from bridge.providers.openai.config import endpoint
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.providers.openai.refused_settings import MAX_REMOVED, without
from bridge.providers.openai.session import deep_merge, history_items, session_settings
from tests.unit.providers.openai_kit import (
    READY,
    config,
    conversation,
    events,
    feed,
    opened,
    sent,
)


def ga(talk: Conversation | None = None, **fields: Any) -> dict[str, Any]:
    return session_settings(config(**fields), talk or conversation())


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
    talk = conversation(
        audio_out=PCMA_8K, instructions="Be brief.", language="pt-BR", tools=(tool,)
    )
    own = {
        "voice": "cedar",
        "noise_reduction": "near_field",
        "transcription_model": "whisper-1",
        "transcription_prompt": "Joaninha, Faro",
        "tool_choice": "required",
        "max_output_tokens": 700,
        "speed": 1.2,
        "vad_threshold": 0.6,
        "vad_prefix_padding_ms": 200,
        "vad_silence_ms": 400,
        "vad_idle_timeout_ms": 8000,
    }
    assert ga(talk, **own) == {
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
    own = {"turn_detection": "semantic_vad", "vad_threshold": 0.5, "vad_eagerness": "low"}
    detection = ga(**own, interrupt_response=False)["audio"]["input"]["turn_detection"]
    assert detection == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": False,
    }


def test_no_turn_detection_is_null() -> None:
    assert ga(turn_detection="none")["audio"]["input"]["turn_detection"] is None


def test_the_caller_may_stay_untranscribed() -> None:
    assert ga(transcription_model="")["audio"]["input"]["transcription"] is None


def test_a_function_can_be_named() -> None:
    assert ga(tool_choice="end_call")["tool_choice"] == {"type": "function", "name": "end_call"}


def test_extra_fields_are_laid_over_key_by_key() -> None:
    extra = {"audio": {"output": {"voice": "verse"}}, "truncation": "disabled"}
    settings = ga(voice="cedar", extra=extra)
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
        ({"turn_detection": "server"}, "turn_detection"),
        ({"noise_reduction": "none"}, "noise_reduction"),
        ({"headers": {"X": "a\r\nInjected: 1"}}, "headers"),
        ({"organization": "a\nb"}, "headers"),
    ],
)
def test_wrong_values_are_named(fields: dict[str, Any], field: str) -> None:
    (problem,) = config(**fields).problems()
    assert problem.startswith(f"{field}:")


def test_history_is_text_in_the_shape_of_the_server() -> None:
    (caller,) = history_items(Said(Speaker.CALLER, "Hi"), 1, "ga")
    assert caller["role"] == "user"
    assert caller["content"] == [{"type": "input_text", "text": "Hi"}]
    agent = Said(Speaker.AGENT, "Yes")
    assert history_items(agent, 1, "ga")[0]["content"][0]["type"] == "output_text"
    assert history_items(agent, 1, "beta")[0]["content"][0]["type"] == "text"


# --- settings the server does not take ------------------------------------------------------------

TOOLS = (Tool("a", "", {}), Tool("b", "", {}))


def refuse(provider: OpenAIRealtime, param: str | None, message: str = "", **fields: Any) -> None:
    error = {"type": "invalid_request_error", "code": "invalid_value", "param": param}
    feed(provider, {"type": "error", "error": {**error, "message": message, **fields}})


def test_a_voice_nobody_has_costs_the_voice_not_the_call() -> None:
    provider = opened(OpenAIRealtime(config(voice="marvin")), conversation(greeting="Hi."))
    (update,) = sent(provider)
    refuse(provider, "session.audio.output.voice", event_id=update["event_id"])
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert not failure.fatal
    (again,) = sent(provider)
    assert again["type"] == "session.update"
    assert again["session"]["audio"]["output"] == {"format": {"type": "audio/pcmu"}}
    feed(provider, READY)
    assert isinstance(events(provider)[0], SessionReady)
    assert [message["type"] for message in sent(provider)] == ["response.create"]


@pytest.mark.parametrize(
    ("param", "message", "path"),
    [
        ("session.audio.input.turn_detection.threshold", "", ("threshold",)),
        ("session.audio.input.noise_reduction", "", ("noise_reduction",)),
        (None, "Unknown parameter: 'session.audio.output.speed'.", ("speed",)),
        ("session.truncation", "", ("truncation",)),
    ],
)
def test_one_field_goes(param: str | None, message: str, path: tuple[str, ...]) -> None:
    settings = ga(vad_threshold=0.5, speed=1.2, extra={"truncation": "auto"})
    reduced = without(settings, param or "", message)
    assert reduced is not None
    (name,) = path
    assert f"'{name}'" in repr(settings)
    assert f"'{name}'" not in repr(reduced)


def test_one_function_goes_whole() -> None:
    reduced = without(ga(conversation(tools=TOOLS)), "session.tools[0].parameters.x", "")
    assert reduced is not None
    assert [tool["name"] for tool in reduced["tools"]] == ["b"]


@pytest.mark.parametrize(
    "param",
    [
        "session.audio.input.format",
        "session.audio.output.format.type",
        "session.audio.output",
        "session.instructions",
        "session.output_modalities",
        "session.type",
        "session.nobody_sent_this",
        "session.tools[7]",
        "session.",
        "audio",
        "",
    ],
)
def test_without_these_there_is_no_call(param: str) -> None:
    assert without(ga(conversation(instructions="x")), param, "") is None


def test_a_server_that_refuses_again_and_again_is_given_up() -> None:
    provider = opened(OpenAIRealtime(config(extra={f"x{n}": 1 for n in range(20)})))
    for number in range(MAX_REMOVED + 1):
        refuse(provider, f"session.x{number}")
    fatal = [event.fatal for event in events(provider) if isinstance(event, ProviderFailure)]
    assert fatal == [False] * MAX_REMOVED + [True]


def test_a_server_that_is_out_of_quota_is_not_asked_with_fewer_settings() -> None:
    provider = opened(OpenAIRealtime(config(voice="cedar")))
    refuse(provider, "session.audio.output.voice", code="insufficient_quota")
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.fatal
