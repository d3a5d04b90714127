"""Nothing a peer sends makes the Gemini provider raise, or grow without limit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.providers.base import Audio, ErrorKind, FunctionCall, ProviderFailure, Transcript
from bridge.providers.gemini.calls import MAX_OPEN_CALLS
from bridge.providers.gemini.inbox import MAX_MALFORMED
from bridge.providers.gemini.live import CHANNEL, MAX_ORDERS, MAX_UNSENT
from bridge.providers.gemini.messages import (
    Blob,
    Call,
    Cancellation,
    Content,
    Part,
    ServerContent,
    ServerMessage,
    ToolCall,
    Words,
)
from bridge.providers.gemini.state import MAX_WORDS_CHARS
from tests.unit.providers.gemini_kit import (
    content,
    events,
    feed,
    messages,
    ready_provider,
    said,
    voice,
)


def _camel_names(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    return struct.__struct_encode_fields__


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)
FIELDS = st.sampled_from(sorted(name for name in _camel_names(ServerMessage)))
INNER = st.sampled_from(
    sorted(
        name
        for struct in (Blob, Part, Content, Words, ServerContent, Call, ToolCall, Cancellation)
        for name in _camel_names(struct)
    )
)
VALUE = JSON | st.dictionaries(INNER, JSON, max_size=3)
SHAPED = st.dictionaries(FIELDS, st.dictionaries(INNER, VALUE, max_size=3), max_size=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200) | SHAPED.map(msgspec.json.encode), max_size=6))
def test_any_bytes(garbage: list[bytes]) -> None:
    provider = ready_provider()
    for number, message in enumerate(garbage):
        provider.receive_message(CHANNEL, message, number * 0.3)
        provider.handle_timeout(number * 0.3)
        provider.say("Hello", "t", number * 0.3)
        provider.cut([], number * 0.3)
    events(provider)
    messages(provider)
    provider.stop(100.0)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"[]",
        b"null",
        b"\x00\xff",
        b"[" * 100_000,
        b'{"serverContent":7}',
        b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"%%%"}}]}}}',
        b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"AQ=="}}]}}}',
        b'{"toolCall":{"functionCalls":"x"}}',
    ],
)
def test_a_broken_message_costs_itself_and_many_the_session(message: bytes) -> None:
    provider = ready_provider()
    for number in range(MAX_MALFORMED + 5):
        provider.receive_message(CHANNEL, message, 0.0)
        failures = events(provider)
        assert len(failures) == (number < MAX_MALFORMED)
        for failure in failures:
            assert isinstance(failure, ProviderFailure)
            assert (failure.kind, failure.retryable) == (ErrorKind.PROTOCOL, True)
            assert failure.fatal is (number == MAX_MALFORMED - 1)


def test_a_message_out_of_all_proportion_ends_the_session() -> None:
    provider = ready_provider()
    provider.receive_message(CHANNEL, b'{"x":"' + b"x" * (4 << 20) + b'"}', 0.0)
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.fatal


def test_broken_text_is_made_whole() -> None:
    provider = ready_provider()
    feed(provider, voice())
    broken = (
        b'{"serverContent":{"outputTranscription":{"text":"caf\xe9"},"generationComplete":true}}'
    )
    provider.receive_message(CHANNEL, broken, 0.0)
    texts = [event.text for event in events(provider) if isinstance(event, Transcript)]
    assert texts == ["caf\ufffd"]


def test_both_alphabets_of_base64() -> None:
    for data in ("--__", "++//"):
        provider = ready_provider()
        blob = {"data": data, "mimeType": "audio/pcm"}
        # three bytes are no whole samples: eight letters are six
        blob["data"] = data * 2
        feed(provider, content(modelTurn={"parts": [{"inlineData": blob}]}))
        (audio,) = [event for event in events(provider) if isinstance(event, Audio)]
        assert len(audio.data) == 6


def test_another_rate_would_be_noise() -> None:
    provider = ready_provider()
    blob = {"data": "AQI=", "mimeType": "audio/pcm;rate=16000"}
    feed(provider, content(modelTurn={"parts": [{"inlineData": blob}]}))
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, failure.fatal) == ("audio_format", True)


def test_nothing_grows_without_limit() -> None:
    provider = ready_provider()
    calls = [{"id": f"c-{number}", "name": "f"} for number in range(100)]
    feed(provider, {"toolCall": {"functionCalls": calls}})
    told: list[Any] = [event for event in events(provider) if isinstance(event, FunctionCall)]
    assert len(told) == MAX_OPEN_CALLS
    feed(provider, voice())
    for _ in range(30):
        feed(provider, said("x" * 1000))
    for number in range(MAX_ORDERS + 10):
        provider.say("Hello", f"t-{number}", 0.0)
    assert provider.dropped == 10
    feed(provider, content(generationComplete=True))
    words = [event.text for event in events(provider) if isinstance(event, Transcript)]
    assert [len(text) for text in words] == [MAX_WORDS_CHARS]
    messages(provider)
    for _ in range(MAX_UNSENT + 10):
        provider.send_audio(b"\x00\x00")
    assert len(messages(provider)) == MAX_UNSENT
