"""Whatever comes, in whatever order: events or a `ProviderFailure`, never an exception."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.providers.base import (
    Audio,
    FunctionCall,
    Heard,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
)
from bridge.providers.openai.calls import MAX_OPEN_CALLS
from bridge.providers.openai.events import _BETA_NAMES, _STRUCTS, MAX_MESSAGE_BYTES
from bridge.providers.openai.inbox import MAX_MALFORMED
from bridge.providers.openai.lenient import MAX_BYTES
from bridge.providers.openai.realtime import CHANNEL, OpenAIRealtime
from tests.unit.providers.openai_kit import (
    audio_delta,
    begin_response,
    config,
    conversation,
    encode,
    end_response,
    events,
    feed,
    opened,
    ready_provider,
    sent,
)

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
COMMANDS: list[Callable[[OpenAIRealtime, float], object]] = [
    lambda provider, now: provider.send_audio(b"\xff" * 160),
    lambda provider, now: provider.send_text("1", now),
    lambda provider, now: provider.inform("1", respond=True, now=now),
    lambda provider, now: provider.say("Hello.", "t", now),
    lambda provider, now: provider.send_function_result("call_001", "{}", failed=True, now=now),
    lambda provider, now: provider.answer(now),
    lambda provider, now: provider.end_turn(now),
    lambda provider, now: provider.cut([Heard("item_1", 100)], now),
    lambda provider, now: provider.probe(now),
    lambda provider, now: provider.actions(),
]
steps = st.lists(messages | st.sampled_from(COMMANDS) | st.floats(0, 30), max_size=25)


def play(provider: OpenAIRealtime, script: list[Any]) -> list[Any]:
    now, found = 0.0, []
    for step in script:
        if isinstance(step, bytes):
            provider.receive_message(CHANNEL, step, now)
        elif callable(step):
            step(provider, now)
        else:
            now += step
            provider.handle_timeout(now)
        found += events(provider)
        provider.next_deadline()
    return found


@settings(max_examples=250, deadline=None)
@given(steps)
def test_nothing_raises_and_what_goes_out_is_json(script: list[Any]) -> None:
    provider = opened(OpenAIRealtime(config()), conversation(greeting="Hi."))
    found = play(provider, script)
    assert all(message["type"] for message in sent(provider))
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
    assert state.malformed_messages <= MAX_MALFORMED
    assert state.calls.open <= MAX_OPEN_CALLS
    assert not state.events


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(GOOD), max_size=30))
def test_good_messages_in_any_order_are_never_malformed(lines: list[str]) -> None:
    provider = ready_provider()
    play(provider, [line.encode() for line in lines])
    assert provider.state.malformed_messages == 0


HOSTILE = [
    b'{"type":"response.done","response":' * 30000,
    b'{"a":' * 100_000,
    b"[" * 100_000,
    b'{"type":"response.output_audio.delta","x":' + b"[" * 100_000,
    b'{"type":"session.updated","session":' + b'{"audio":' * 50_000,
    b'{"type":"response.output_audio.delta","delta":"\xff"}',
    b'{"type":"response.output_audio.delta","delta":"\\udfff"}',
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


# --- one odd value does not cost its message ------------------------------------------------------

HEAD = b'{"type":"response.output_audio_transcript.delta","item_id":"i","delta":"'


def test_characters_cut_in_two_in_deltas_cost_nothing() -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    for half in (b"\\ud83d", b"\\ude00", b"caf\xc3", b"\xa9"):
        for _ in range(MAX_MALFORMED):
            provider.receive_message(CHANNEL, HEAD + half + b'"}', 0.0)
    assert events(provider) == []


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\uDE00", b"\xf0\x9f"])
def test_words_with_half_a_character_are_kept(half: bytes) -> None:
    provider = ready_provider()
    head = b'{"type":"response.output_audio_transcript.done","item_id":"i","transcript":"Bye '
    provider.receive_message(CHANNEL, head + half + b'"}', 0.0)
    (told,) = events(provider)
    assert isinstance(told, Transcript)
    assert told.text.rstrip("\ufffd") == "Bye "


def test_whole_pairs_in_a_repaired_message_stay_whole() -> None:
    provider = ready_provider()
    head = b'{"type":"response.output_audio_transcript.done","item_id":"i","transcript":"'
    provider.receive_message(CHANNEL, head + b'\\ud83d\\ude00 \\ud83d"}', 0.0)
    (told,) = events(provider)
    assert isinstance(told, Transcript)
    assert told.text == "\U0001f600 \ufffd"


def test_a_response_with_half_a_character_ends_and_runs_its_functions() -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    call = b'{"type":"function_call","id":"f","call_id":"c","name":"end_call","arguments":"{}"}'
    words = (
        b'{"type":"message","id":"i","content":[{"type":"output_audio","transcript":"\\ud83d"}]}'
    )
    head = b'{"type":"response.done","response":{"id":"resp_1","status":"completed","output":['
    provider.receive_message(CHANNEL, head + words + b"," + call + b"]}}", 0.0)
    assert [type(event) for event in events(provider)] == [FunctionCall, ResponseDone]


ODD = [None, True, -1, 1.5, 10**30, "", "7", "\ud83d", [], ["x"], {}, {"x": {}}]
"""Values in the place of others; half a character among them."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands in a message."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, below in steps:
        yield (*path, step)
        if isinstance(below, dict | list):
            yield from paths(below, (*path, step))


def replaced(message: dict[str, Any], path: tuple[Any, ...], value: Any) -> bytes:
    changed = copy.deepcopy(message)
    below: Any = changed
    for step in path[:-1]:
        below = below[step]
    below[path[-1]] = value
    return json.dumps(changed).encode()


@pytest.mark.parametrize("kind", sorted({json.loads(line).get("type") for line in GOOD} - {None}))
def test_no_odd_value_anywhere_costs_its_message(kind: str) -> None:
    message = next(m for m in map(json.loads, GOOD) if m.get("type") == kind)
    for path in paths(message):
        if path in (("type",), ("delta",)):
            continue  # nothing is left of the message without these
        for value in ODD:
            provider = ready_provider()
            provider.receive_message(CHANNEL, replaced(message, path, value), 0.0)
            assert provider.state.malformed_messages == 0, (path, value)


READY_ODDLY = [
    b'{"type":"session.updated"}',
    b'{"type":"session.updated","session":null}',
    b'{"type":"session.updated","session":{"expires_at":"soon","model":{},"id":7}}',
    b'{"type":"session.updated","session":{"expires_at":NaN}}',
    b'{"type":"session.updated","session":{"expires_at":1e999}}',
    b'{"type":"session.updated","session":{"audio":{"input":{"format":[]}}}}',
    b'\xef\xbb\xbf{"type":"session.updated","session":{}}',
    b'{"type":"session.updated","session":{"instructions":"two\nlines"}}',
]


@pytest.mark.parametrize("message", READY_ODDLY)
def test_a_session_is_ready_however_oddly_it_is_told(message: bytes) -> None:
    provider = opened(OpenAIRealtime(config()))
    provider.receive_message(CHANNEL, message, 0.0)
    (ready,) = events(provider)
    assert isinstance(ready, SessionReady)


def test_a_message_too_long_to_be_read_leniently_is_malformed() -> None:
    provider = opened(OpenAIRealtime(config()))
    padding = b'"x":"' + b"x" * MAX_BYTES + b'",'
    message = b'{"type":"session.updated",' + padding + b'"session":{"expires_at":NaN}}'
    provider.receive_message(CHANNEL, message, 0.0)
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.code == "malformed_message"


def test_numbers_for_ids_are_ids() -> None:
    provider = ready_provider()
    feed(provider, {"type": "response.created", "response": {"id": 7}})
    feed(provider, audio_delta(b"\xff" * 160, response_id=7, content_index="0"))  # type: ignore[arg-type]
    feed(provider, {"type": "response.done", "response": {"id": 7, "status": "completed"}})
    started, audio, done = events(provider)
    assert (started.response_id, audio.response_id) == ("7", "7")  # type: ignore[union-attr]
    assert done == ResponseDone("7", "completed", spoke=True)


@pytest.mark.parametrize("fields", [{"response_id": None}, {"response_id": ""}])
def test_audio_without_a_response_belongs_to_the_one_under_way(fields: dict[str, Any]) -> None:
    provider = ready_provider()
    begin_response(provider)
    feed(provider, audio_delta(b"\xff" * 160) | fields)
    end_response(provider)
    _, audio, done = events(provider)
    assert isinstance(audio, Audio)
    assert audio.response_id == "resp_1"
    assert done == ResponseDone("resp_1", "completed", spoke=True)


def test_responses_without_ids_begin_sound_and_end() -> None:
    provider = ready_provider()
    for _ in range(2):
        feed(provider, {"type": "response.created", "response": {}})
        feed(provider, audio_delta(b"\xff" * 160) | {"response_id": None})
        feed(provider, {"type": "response.done", "response": {"status": "completed"}})
        started, audio, done = events(provider)
        assert isinstance(started, ResponseStarted)
        assert isinstance(audio, Audio)
        assert isinstance(done, ResponseDone)
        assert done.spoke
        assert started.response_id == audio.response_id == done.response_id
    assert provider.state.requests.response_id is None


def test_arguments_that_come_as_an_object_are_arguments() -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    call = {"type": "function_call", "call_id": 5, "name": "f", "arguments": {"to": "sales"}}
    nameless = {"type": "function_call", "call_id": "c"}
    end_response(provider, output=["?", nameless, call])
    found, _ = events(provider)
    assert found == FunctionCall("5", "f", '{"to":"sales"}', "resp_1")
