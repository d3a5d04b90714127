"""Gemini's settings, schemas, bills and errors, one by one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bridge.audio.formats import PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers.base import ErrorKind, GoingAway, ProviderFailure, Turns
from bridge.providers.gemini.config import endpoint, model_name
from bridge.providers.gemini.errors import channel_failure
from bridge.providers.gemini.live import CHANNEL, GeminiLive
from bridge.providers.gemini.schema import gemini_parameters
from bridge.providers.gemini.usage import usage_of
from bridge.providers.registry import ProviderConfigError, make_provider
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.gemini_kit import (
    READY,
    config,
    content,
    conversation,
    events,
    feed,
    opened,
    ready_provider,
    voice,
)

VERTEX = {
    "service": "vertex",
    "base_url": "wss://us-central1-aiplatform.googleapis.com",
    "model": "gemini-live-2.5-flash-native-audio",
}
KEY = "API key not valid. Please pass a valid API key."
K = ErrorKind


# --- the door -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "url", "header", "model"),
    [
        (
            {},
            "wss://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta."
            "GenerativeService.BidiGenerateContent",
            ("x-goog-api-key", "AIza-test"),
            "models/gemini-3.8-live",
        ),
        (
            {"api_version": "v1alpha", "base_url": "http://127.0.0.1:1/", "model": "tuned/x"},
            "ws://127.0.0.1:1/ws/google.ai.generativelanguage.v1alpha."
            "GenerativeService.BidiGenerateContent",
            ("x-goog-api-key", "AIza-test"),
            "tuned/x",
        ),
        (
            VERTEX | {"auth_style": "bearer", "project": "p", "location": "us-central1"},
            "wss://us-central1-aiplatform.googleapis.com/ws/google.cloud.aiplatform.v1beta1."
            "LlmBidiService/BidiGenerateContent",
            ("Authorization", "Bearer AIza-test"),
            "projects/p/locations/us-central1/publishers/google/models/"
            "gemini-live-2.5-flash-native-audio",
        ),
        (
            VERTEX,
            "wss://us-central1-aiplatform.googleapis.com/ws/google.cloud.aiplatform.v1beta1."
            "LlmBidiService/BidiGenerateContent",
            ("x-goog-api-key", "AIza-test"),
            "publishers/google/models/gemini-live-2.5-flash-native-audio",
        ),
    ],
)
def test_where_it_is_and_how_one_is_let_in(
    fields: dict[str, Any], url: str, header: tuple[str, str], model: str
) -> None:
    made = config(**fields)
    assert made.problems() == []
    assert endpoint(made).url == url
    assert endpoint(made).headers == (header,)
    assert "AIza" not in f"{made!r}{endpoint(made)!r}"
    assert model_name(made) == model


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"api_key": ""}, "api_key: must not be empty"),
        ({"base_url": "ftp://x"}, "base_url: needs ws, wss, http or https and a host"),
        ({"service": "vertex"}, "base_url: Vertex needs the region's host"),
        ({"service": "azure"}, "service: must be one of developer, vertex"),
        ({"api_version": "../v1"}, "api_version: must look like v1 or v1beta"),
        ({"auth_style": "query"}, "auth_style: must be one of key, bearer"),
        (VERTEX | {"auth_style": "bearer"}, "project: needed with a bearer token on Vertex"),
        ({"project": "p"}, "location: needed with project"),
        ({"project": "p/../q", "location": "l"}, "project: letters, digits"),
        ({"model": "gemini live"}, "model: letters, digits"),
        ({"going_away_s": 4000.0}, "session_limit_s: must be larger"),
        ({"turn_detection": "server"}, "turn_detection: must be one of automatic, none"),
        ({"start_sensitivity": "middle"}, "start_sensitivity: must be low or high"),
        ({"thinking_level": "low"}, "thinking_level: gemini-3.8-live takes no thinking options"),
        ({"thinking_budget": 0}, "thinking_level: gemini-3.8-live takes no thinking options"),
        ({"affective_dialog": True}, "affective_dialog: gemini-3.8-live does not take it"),
        ({"proactive_audio": True}, "proactive_audio: gemini-3.8-live does not take it"),
        ({"headers": {"X": "a\nb"}}, "headers: no control characters"),
        ({"temperture": 1}, "temperture: unknown field"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(ProviderConfigError) as caught:
        make_provider("gemini_live", {"api_key": "k"} | row)
    assert any(text.startswith(problem) for text in caught.value.problems), caught.value.problems


def test_it_says_who_finds_the_turns_and_who_interrupts() -> None:
    automatic = make_provider("gemini_live", {"api_key": "k"}).capabilities
    assert (automatic.turns, automatic.interrupts) == (Turns.HIDDEN, True)
    ours = make_provider("gemini_live", {"api_key": "k", "turn_detection": "none"}).capabilities
    assert (ours.turns, ours.interrupts) == (Turns.OURS, False)


def test_it_is_started_once_and_speaks_no_g711() -> None:
    with pytest.raises(LocalProtocolError):
        GeminiLive(config()).start(conversation(audio_in=PCMU_8K), 0.0)
    provider = opened(GeminiLive(config()))
    with pytest.raises(LocalProtocolError):
        provider.start(conversation(), 0.0)


# --- limits -------------------------------------------------------------------------------------


def test_settings_that_are_never_taken() -> None:
    provider = opened(GeminiLive(config()))
    assert provider.next_deadline() == 10.0
    provider.handle_timeout(10.0)
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, failure.fatal) == ("session_setup_timeout", True)
    assert provider.next_deadline() is None


def test_the_limit_nobody_tells_of() -> None:
    provider = ready_provider(session_limit_s=600.0, going_away_s=60.0)
    assert provider.next_deadline() == 540.0
    provider.handle_timeout(540.0)
    assert events(provider) == [GoingAway(60.0)]
    assert provider.next_deadline() is None


@pytest.mark.parametrize(
    ("told", "in_s"), [("50s", 50.0), ("9.5s", 9.5), ("soon", 60.0), (None, 60.0)]
)
def test_go_away(told: Any, in_s: float) -> None:
    provider = ready_provider()
    feed(provider, {"goAway": {"timeLeft": told}})
    assert events(provider) == [GoingAway(in_s)]


def handle_of(provider: GeminiLive) -> str:
    return provider.successor()._handle


def test_a_handle_is_good_until_something_happens_and_is_tried_once() -> None:
    provider = ready_provider()
    assert handle_of(provider) == ""
    update = {"sessionResumptionUpdate": {"newHandle": "h", "resumable": True}}
    feed(provider, update)
    assert handle_of(provider) == "h"
    assert handle_of(provider) == ""
    feed(provider, update)
    feed(provider, voice())
    assert handle_of(provider) == "", "of before this answer"
    feed(provider, update)
    provider.send_text("Hello", 0.0)
    assert handle_of(provider) == "", "of before these words"
    feed(provider, {"toolCall": {"functionCalls": [{"id": "1", "name": "f"}]}})
    feed(provider, update)
    assert handle_of(provider) == "", "a function runs"
    feed(provider, {"sessionResumptionUpdate": {"resumable": False}})
    assert handle_of(provider) == ""
    proud = ready_provider(resumption=False)
    feed(proud, update)
    assert handle_of(proud) == ""


def test_a_key_that_is_refused_is_not_tried_again_without_the_handle() -> None:
    provider = opened(GeminiLive(config(), handle="h"))
    provider.actions()
    provider.receive_end(CHANNEL, ChannelEnd(Ender.PEER, code=1007, reason=KEY), 0.0)
    assert provider.actions() == []
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.kind is K.AUTHENTICATION


def test_a_turn_under_way_is_billed_when_we_leave() -> None:
    provider = ready_provider()
    feed(provider, voice() | {"usageMetadata": {"promptTokenCount": 9}})
    events(provider)
    provider.stop(1.0)
    assert [event.input_text_tokens for event in events(provider)] == [9]


def test_thoughts_are_not_said_and_a_written_answer_is_not_spoken() -> None:
    provider = ready_provider()
    feed(provider, content(modelTurn={"parts": [{"text": "Hm.", "thought": True}]}))
    assert events(provider) == []
    feed(provider, content(modelTurn={"parts": [{"text": "Good morning."}]}))
    feed(provider, content(turnComplete=True))
    assert [getattr(event, "spoke", None) for event in events(provider)] == [None, False]


def test_ready_is_told_once() -> None:
    provider = ready_provider()
    feed(provider, READY)
    assert events(provider) == []


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "kind", "retryable"),
    [
        (1007, KEY, K.AUTHENTICATION, False),
        (1007, "API key expired. Please renew the API key.", K.AUTHENTICATION, False),
        (1007, "Request contains an invalid argument.", K.INVALID_REQUEST, False),
        (1007, "User location is not supported for the API use.", K.INVALID_REQUEST, False),
        (1008, "models/x is not found for API version v1beta", K.INVALID_REQUEST, False),
        (
            1008,
            "Operation is not implemented, or supported, or enabled.",
            K.SERVER,
            True,
        ),
        (1008, "Method doesn't allow unregistered callers", K.AUTHENTICATION, False),
        (1011, "You exceeded your current quota, please check your plan", K.QUOTA, False),
        (1011, "Resource has been exhausted (e.g. check quota).", K.RATE_LIMIT, True),
        (1011, "Deadline expired before operation could complete.", K.SESSION_EXPIRED, True),
        (1011, "Internal error encountered.", K.SERVER, True),
        (1011, "The service is currently unavailable.", K.SERVER, True),
        (1000, "", K.CONNECTION, True),
        (1006, "", K.CONNECTION, True),
    ],
)
def test_what_a_close_means(code: int, reason: str, kind: ErrorKind, retryable: bool) -> None:
    failure = channel_failure(ChannelEnd(Ender.PEER, code=code, reason=reason))
    assert (failure.kind, failure.retryable, failure.fatal) == (kind, retryable, True)
    assert (failure.code, failure.message) == (f"close_{code}", reason)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, KEY, K.AUTHENTICATION),
        (403, "Permission denied", K.AUTHENTICATION),
        (429, "Resource has been exhausted (e.g. check quota).", K.RATE_LIMIT),
        (429, "You exceeded your current quota", K.QUOTA),
        (503, "The service is currently unavailable.", K.SERVER),
        (404, "", K.INVALID_REQUEST),
    ],
)
def test_what_a_refused_hand_shake_means(status: int, message: str, kind: ErrorKind) -> None:
    body = msgspec.json.encode({"error": {"code": status, "message": message, "status": "X"}})
    end = ChannelEnd(Ender.PEER, "http", status, f"HTTP {status}", body)
    assert channel_failure(end).kind is kind


def test_a_fault_of_ours_is_not_the_provider_s() -> None:
    assert channel_failure(ChannelEnd(Ender.US, code=1013)).kind is K.OURS


def test_an_error_in_a_message() -> None:
    provider = ready_provider()
    error = {"code": 429, "message": "Resource exhausted", "status": "RESOURCE_EXHAUSTED"}
    feed(provider, {"error": error})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert (failure.kind, failure.code) == (K.RATE_LIMIT, "RESOURCE_EXHAUSTED")


# --- functions' arguments -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "string", "format": "email"}, {"type": "STRING"}),
        ({"type": "string", "format": "date-time"}, {"type": "STRING", "format": "date-time"}),
        ({"type": ["integer", "null"]}, {"type": "INTEGER", "nullable": True}),
        (
            {"type": ["string", "integer"]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
        ),
        ({"const": "a"}, {"type": "STRING", "enum": ["a"]}),
        ({"enum": ["a", None]}, {"type": "STRING", "enum": ["a"]}),
        (
            {"type": "integer", "enum": [1, 2], "description": "How many."},
            {"type": "INTEGER", "description": "How many. One of: 1, 2."},
        ),
        ({"type": "array"}, {"type": "ARRAY", "items": {"type": "STRING"}}),
        ({"oneOf": [{"type": "number"}, {"type": "null"}]}, {"type": "NUMBER", "nullable": True}),
        ({"$ref": "#/$defs/day"}, {"type": "STRING", "description": "A day"}),
        ({"$ref": "#/$defs/nothing"}, {"type": "OBJECT"}),
        (True, {"type": "OBJECT"}),
        (
            {"properties": {"b": {"type": "boolean", "x-y": 1}}, "additionalProperties": False},
            {"type": "OBJECT", "properties": {"b": {"type": "BOOLEAN"}}},
        ),
    ],
)
def test_what_a_schema_becomes(given: Any, made: dict[str, Any]) -> None:
    schema = {
        "$schema": "x",
        "type": "object",
        "properties": {"a": given},
        "required": ["a", "z"],
        "$defs": {"day": {"type": "string", "description": "A day"}},
    }
    assert gemini_parameters(schema) == {
        "type": "OBJECT",
        "properties": {"a": made},
        "required": ["a"],
    }


def test_a_schema_of_itself_ends() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#"}}}
    assert len(str(gemini_parameters(schema))) < 2000
    assert gemini_parameters({"type": "object", "properties": {}}) is None


# --- bills --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (
            {
                "promptTokenCount": 522,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 300}],
                "responseTokenCount": 42,
                "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}],
                "thoughtsTokenCount": 136,
                "cachedContentTokenCount": 100,
                "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 60}],
            },
            (222, 300, 40, 60, 138, 40),
        ),
        ({"promptTokenCount": "7", "candidatesTokenCount": "3"}, (7, 0, 0, 0, 3, 0)),
        ({"promptTokenCount": 5, "toolUsePromptTokenCount": 2}, (7, 0, 0, 0, 0, 0)),
    ],
)
def test_what_is_billed(told: dict[str, Any], counts: tuple[int, ...]) -> None:
    usage = usage_of(msgspec.Raw(msgspec.json.encode(told)), "m")
    assert usage is not None
    assert counts == (
        usage.input_text_tokens,
        usage.input_audio_tokens,
        usage.cached_text_tokens,
        usage.cached_audio_tokens,
        usage.output_text_tokens,
        usage.output_audio_tokens,
    )


@pytest.mark.parametrize("told", [b"null", b"7", b"{}", b'{"promptTokenCount":-1}', b"[]"])
def test_nonsense_is_no_bill(told: bytes) -> None:
    assert usage_of(msgspec.Raw(told), "m") is None
