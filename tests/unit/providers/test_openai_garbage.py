"""Whatever comes, in whatever order: events or a `ProviderFailure`, never an exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.providers.base import ProviderFailure
from bridge.providers.openai.events import _BETA_NAMES, _STRUCTS, MAX_MESSAGE_BYTES
from bridge.providers.openai.inbox import MAX_MALFORMED, MAX_OPEN_CALLS
from bridge.providers.openai.realtime import OpenAIRealtime
from tests.unit.providers.openai_kit import config, encode, events, ready_provider

NAMES = sorted(_STRUCTS) + sorted(_BETA_NAMES) + ["rate_limits.updated", "", "response.unknown"]
FIELDS = [
    "session",
    "response",
    "item",
    "item_id",
    "response_id",
    "delta",
    "transcript",
    "text",
    "usage",
    "error",
    "id",
    "status",
    "status_details",
    "output",
    "audio",
    "format",
    "type",
    "code",
    "message",
    "event_id",
    "reason",
    "arguments",
    "name",
    "call_id",
    "audio_start_ms",
    "audio_end_ms",
    "seconds",
    "total_tokens",
    "input_token_details",
]
FOLDER = Path(__file__).parents[2] / "wire" / "openai"
GOOD = [
    line[2:]
    for path in sorted(FOLDER.glob("*.txt"))
    for line in path.read_text(encoding="utf-8").splitlines()
    if line.startswith("< ")
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["resp_1", "item_1", "completed", "AAAA", "session.update-1"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)
    ),
    max_leaves=12,
)
shaped = st.builds(
    lambda name, fields: encode({**fields, "type": name}),
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=6),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good message, cut, with a byte changed or a piece repeated."""
    data = bytearray(draw(st.sampled_from(GOOD)).encode())
    place = draw(st.integers(0, len(data) - 1))
    kind = draw(st.sampled_from(["cut", "flip", "repeat", "whole"]))
    if kind == "cut":
        del data[place:]
    elif kind == "flip":
        data[place] = draw(st.integers(0, 255))
    elif kind == "repeat":
        data[place:place] = data[place : place + 20]
    return bytes(data)


messages = st.binary(max_size=200) | shaped | damaged()
COMMANDS: list[tuple[str, tuple[Any, ...]]] = [
    ("send_audio", (b"\xff" * 160,)),
    ("send_text", ("1",)),
    ("say", ("Hello.",)),
    ("send_function_result", ("call_001", "{}")),
    ("request_response", ()),
    ("cancel_response", ()),
    ("truncate", ("item_1", 100)),
    ("messages_to_send", ()),
]
steps = st.lists(messages | st.sampled_from(COMMANDS) | st.floats(0, 30), max_size=25)


def play(provider: OpenAIRealtime, script: list[Any]) -> list[Any]:
    now, found = 0.0, []
    for step in script:
        if isinstance(step, bytes):
            provider.receive_message(CHANNEL, step, now)
        elif isinstance(step, tuple):
            getattr(provider, step[0])(*step[1])
        else:
            now += step
            provider.handle_timeout(now)
        found += events(provider)
        provider.next_deadline()
    return found


@settings(max_examples=250, deadline=None)
@given(steps)
def test_nothing_raises_and_what_goes_out_is_json(script: list[Any]) -> None:
    provider = OpenAIRealtime(config())
    provider.start(conversation(greeting="Hi."), 0.0)
    found = play(provider, script)
    for message in provider.actions():
        assert json.loads(message)["type"]
    fatal = [event for event in found if isinstance(event, ProviderFailure) and event.fatal]
    assert len(fatal) <= 1
    if fatal:
        assert found[-1] is fatal[0]


@settings(max_examples=80, deadline=None)
@given(st.lists(messages, max_size=60))
def test_memory_stays_bounded(script: list[bytes]) -> None:
    provider = ready_provider()
    play(provider, list(script))
    state = provider.state
    assert state is not None
    assert state.malformed_messages <= MAX_MALFORMED
    assert len(state.open_calls) <= MAX_OPEN_CALLS
    assert not state.events


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(GOOD), max_size=30))
def test_good_messages_in_any_order_are_never_malformed(lines: list[str]) -> None:
    provider = ready_provider()
    play(provider, [line.encode() for line in lines])
    assert provider.state is not None
    assert provider.state.malformed_messages == 0


HOSTILE = [
    b'{"type":"response.done","response":' * 30000,
    b'{"a":' * 100_000,
    b"[" * 100_000,
    b'{"type":"response.output_audio.delta","x":' + b"[" * 100_000,
    b'{"type":"session.updated","session":' + b'{"audio":' * 50_000,
    b'{"type":"input_audio_buffer.speech_started","audio_start_ms":NaN}',
    b'{"type":"input_audio_buffer.speech_started","audio_start_ms":1e999}',
    b'{"type":"\xff\xfe"}',
    b'{"type":"\\ud800"}',
    b'{"type":"response.output_audio.delta","delta":"\xff"}',
    b'{"type":"response.output_audio_transcript.delta","delta":"\\udfff"}',
    b'{"type":null}',
    b"null",
    b"",
    b"\x00",
    b"{" * MAX_MESSAGE_BYTES,
]


def test_hostile_messages_one_by_one() -> None:
    for message in HOSTILE:
        provider = ready_provider()
        provider.receive_message(CHANNEL, message, 0.0)
        found = events(provider)
        assert [type(event) for event in found] == [ProviderFailure], message[:60]


def test_positions_that_make_no_sense_are_zero() -> None:
    provider = ready_provider()
    head = b'{"type":"input_audio_buffer.speech_started","audio_start_ms":'
    for position in (b"-5", b"1e30", b"1" * 20, b"9" * 4000):
        provider.receive_message(CHANNEL, head + position + b"}", 0.0)
    assert [event.audio_ms for event in events(provider)] == [0, 0, 0, 0]  # type: ignore[union-attr]
