"""Audio both ways, and cutting it."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_24K, PCMU_8K
from bridge.providers.base import (
    Audio,
    ErrorKind,
    ProviderFailure,
    ResponseStarted,
)
from bridge.providers.openai.realtime import (
    MAX_UNSENT,
    OpenAIRealtime,
)
from bridge.providers.openai.state import MAX_ITEMS
from tests.unit.providers.openai_kit import (
    audio_delta,
    begin_response,
    config,
    conversation,
    encode,
    events,
    feed,
    ready_provider,
    sent,
    types,
)


def test_caller_audio_is_appended_as_base64() -> None:
    provider = ready_provider()
    provider.send_audio(b"\xff\x00\x7f")
    assert sent(provider) == [{"type": "input_audio_buffer.append", "audio": "/wB/"}]


def test_caller_audio_before_the_start_is_dropped_and_counted() -> None:
    provider = OpenAIRealtime(config())
    provider.send_audio(b"\xff")
    assert provider.dropped == 1
    assert provider.actions() == []


def test_nobody_takes_the_messages() -> None:
    provider = ready_provider()
    for _ in range(MAX_UNSENT + 5):
        provider.send_audio(b"\xff")
    assert provider.dropped == 5
    assert len(provider.actions()) == MAX_UNSENT


def test_type_may_stand_last() -> None:
    """A look-alike need not write the type first; then the slow way must find it."""
    provider = ready_provider(conversation(L16_24K))
    delta = audio_delta(b"\x01\x02" * 500)
    late = {key: delta[key] for key in ("delta", "item_id", "response_id", "type")}
    provider.receive_message(CHANNEL, encode(late), 0.0)
    assert events(provider) == [Audio("resp_1", "item_1", b"\x01\x02" * 500)]


def test_a_text_that_quotes_the_type_is_no_audio() -> None:
    provider = ready_provider()
    words = '"response.output_audio.delta"'
    message = {"type": "response.output_text.delta", "item_id": "i", "delta": words}
    feed(provider, message)
    feed(provider, {"x": "response.output_audio.delta", "delta": "!", **message})
    assert [event.text for event in events(provider)] == [words, words]  # type: ignore[union-attr]


def test_nulls_for_ids_are_tolerated() -> None:
    provider = ready_provider()
    feed(provider, audio_delta(b"\xff") | {"response_id": None, "item_id": None})
    assert events(provider) == [Audio("", "", b"\xff")]


def test_empty_audio_is_no_event() -> None:
    provider = ready_provider()
    feed(provider, audio_delta(b""))
    assert events(provider) == []


@pytest.mark.parametrize("delta", ["a", "====", "AA=", "AA==AA==", "////\n", "ÿÿÿÿ", "AAA"])
def test_broken_base64_costs_a_message_not_the_session(delta: str) -> None:
    provider = ready_provider()
    feed(provider, audio_delta(b"") | {"delta": delta})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.kind is ErrorKind.PROTOCOL
    assert not failure.fatal


def test_half_a_sample_is_malformed_in_linear_audio_only() -> None:
    linear = ready_provider(conversation(L16_24K))
    feed(linear, audio_delta(b"\x00\x00\x00"))
    assert isinstance(events(linear)[0], ProviderFailure)
    companded = ready_provider(conversation(PCMU_8K))
    feed(companded, audio_delta(b"\x00\x00\x00"))
    assert isinstance(events(companded)[0], Audio)


def test_late_audio_of_a_cancelled_response_is_dropped() -> None:
    provider = ready_provider()
    begin_response(provider)
    provider.cut([], 0.0)
    provider.cut([], 0.0)
    (cancel,) = sent(provider)
    assert (cancel["type"], cancel["response_id"]) == ("response.cancel", "resp_1")
    events(provider)
    feed(provider, audio_delta(b"\xff"))
    feed(provider, audio_delta(b"\xfe", response_id="resp_2"))
    assert events(provider) == [Audio("resp_2", "item_1", b"\xfe")]
    assert provider.state is not None
    assert provider.state.late_audio == 1


def test_cancel_between_request_and_start() -> None:
    provider = ready_provider()
    provider.send_text("1", 0.0)
    provider.cut([], 0.0)
    provider.cut([], 0.0)
    assert types(provider) == ["conversation.item.create", "response.create", "response.cancel"]
    begin_response(provider)
    feed(provider, audio_delta(b"\xff"))
    assert events(provider) == [ResponseStarted("resp_1")]


def test_cancel_without_a_response_does_nothing() -> None:
    provider = ready_provider()
    provider.cut([], 0.0)
    OpenAIRealtime(config()).cut([], 0.0)
    assert sent(provider) == []


def test_a_cut_never_goes_past_the_audio_there_is() -> None:
    provider = ready_provider(conversation(PCMU_8K))
    feed(provider, audio_delta(b"\xff" * 800))
    feed(provider, audio_delta(b"\xff" * 800))
    for heard_ms in (150, 200, 5000):
        provider.cut([Heard("item_1", heard_ms)], 0.0)
    assert [message["audio_end_ms"] for message in sent(provider)] == [150, 200, 200]


@pytest.mark.parametrize("heard_ms", [0, -5])
def test_what_was_not_heard_is_deleted(heard_ms: int) -> None:
    provider = ready_provider()
    provider.cut([Heard("item_9", heard_ms)], 0.0)
    (message,) = sent(provider)
    assert (message["type"], message["item_id"]) == ("conversation.item.delete", "item_9")


def test_lengths_of_old_items_are_forgotten() -> None:
    provider = ready_provider()
    for number in range(MAX_ITEMS + 1):
        feed(provider, audio_delta(b"\xff" * 8, item_id=f"item_{number}"))
    provider.cut([Heard("item_0", 700)], 0.0)
    provider.cut([Heard("item_1", 700)], 0.0)
    assert [message.get("audio_end_ms") for message in sent(provider)] == [700, 1]
