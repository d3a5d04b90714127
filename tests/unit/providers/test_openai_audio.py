"""Audio both ways, and cutting it."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_24K, PCMU_8K
from bridge.providers.base import (
    Audio,
    CallerStarted,
    ErrorKind,
    Heard,
    Interrupted,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
)
from bridge.providers.openai.items import MAX_ITEMS
from bridge.providers.openai.realtime import CHANNEL, MAX_UNSENT, OpenAIRealtime
from tests.unit.providers.openai_kit import (
    audio_delta,
    begin_response,
    config,
    conversation,
    encode,
    end_response,
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


def test_caller_audio_before_the_socket_is_open_is_dropped_and_counted() -> None:
    provider = OpenAIRealtime(config())
    provider.start(conversation(), 0.0)
    provider.send_audio(b"\xff")
    assert provider.dropped == 1
    provider.actions()
    provider.receive_open(CHANNEL, 0.0)
    assert types(provider) == ["session.update"]


def test_empty_audio_is_not_sent() -> None:
    provider = ready_provider()
    provider.send_audio(b"")
    assert sent(provider) == []


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
    words = '"type":"response.output_audio.delta","delta":"AAAA"'
    message = {"type": "response.output_audio_transcript.done", "transcript": words}
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


def test_cut_between_request_and_start() -> None:
    provider = ready_provider()
    provider.send_text("1", 0.0)
    provider.cut([], 0.0)
    provider.cut([], 0.0)
    assert types(provider) == ["conversation.item.create", "response.create", "response.cancel"]
    begin_response(provider)
    feed(provider, audio_delta(b"\xff"))
    assert events(provider) == [ResponseStarted("resp_1")]


def test_cut_without_a_response_does_nothing() -> None:
    provider = ready_provider()
    provider.cut([], 0.0)
    assert sent(provider) == []


def test_words_that_wait_are_cut_too() -> None:
    provider = ready_provider()
    begin_response(provider)
    provider.say("Are you still there?", "", 0.0)
    provider.cut([], 0.0)
    end_response(provider, status="cancelled")
    assert types(provider) == ["response.cancel"]


SPEAKS = {"type": "input_audio_buffer.speech_started", "item_id": "u"}
TURN_DETECTED = {"status": "cancelled", "status_details": {"reason": "turn_detected"}}


def test_what_the_server_cut_is_not_cancelled_again() -> None:
    provider = ready_provider()
    begin_response(provider)
    feed(provider, audio_delta(b"\xff" * 8000))
    events(provider)
    feed(provider, SPEAKS)
    assert events(provider) == [CallerStarted("u"), Interrupted("resp_1")]
    provider.cut([Heard("item_1", 500)], 0.0)
    assert types(provider) == ["conversation.item.truncate"]
    feed(provider, audio_delta(b"\xff"))
    end_response(provider, **TURN_DETECTED)
    assert events(provider) == [ResponseDone("resp_1", "cancelled", "turn_detected")]


def test_an_interruption_told_at_the_end_only_is_told_then() -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    end_response(provider, **TURN_DETECTED)
    assert events(provider) == [
        Interrupted("resp_1"),
        ResponseDone("resp_1", "cancelled", "turn_detected", spoke=False),
    ]


@pytest.mark.parametrize("interrupt_response", [True, False])
def test_a_caller_who_interrupts_nothing(interrupt_response: bool) -> None:
    provider = ready_provider(interrupt_response=interrupt_response)
    feed(provider, SPEAKS)
    assert events(provider) == [CallerStarted("u")]


def test_a_server_that_does_not_interrupt_goes_on_until_it_is_cut() -> None:
    provider = ready_provider(interrupt_response=False)
    begin_response(provider)
    events(provider)
    feed(provider, SPEAKS)
    feed(provider, audio_delta(b"\xff"))
    assert [type(event) for event in events(provider)] == [CallerStarted, Audio]
    provider.cut([], 0.0)
    assert types(provider) == ["response.cancel"]


def test_a_cut_never_goes_past_the_audio_there_is() -> None:
    provider = ready_provider(conversation(PCMU_8K))
    feed(provider, audio_delta(b"\xff" * 800))
    feed(provider, audio_delta(b"\xff" * 800))
    provider.cut([Heard("item_1", heard_ms) for heard_ms in (150, 200, 5000)], 0.0)
    assert [message["audio_end_ms"] for message in sent(provider)] == [150, 200, 200]


@pytest.mark.parametrize(
    ("heard_ms", "cut"), [(400, (0, 400)), (1500, (1, 500)), (9000, (1, 1000))]
)
def test_an_item_of_two_parts_is_cut_in_the_part_that_was_heard(
    heard_ms: int, cut: tuple[int, int]
) -> None:
    provider = ready_provider()
    for part in (0, 1):
        feed(provider, audio_delta(b"\xff" * 8000, content_index=part))
    provider.cut([Heard("item_1", heard_ms)], 0.0)
    (message,) = sent(provider)
    assert (message["content_index"], message["audio_end_ms"]) == cut


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
    provider.cut([Heard("item_0", 700), Heard("item_1", 700)], 0.0)
    assert [message.get("audio_end_ms") for message in sent(provider)] == [700, 1]
