"""ElevenLabs: answers, interruptions, words, functions, and whatever else comes."""

from __future__ import annotations

import json

import msgspec
import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.base import (
    Audio,
    ErrorKind,
    FunctionCall,
    Heard,
    Interrupted,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    Transcript,
)
from bridge.providers.conversation import Speaker
from bridge.providers.elevenlabs.agent import AGENT
from bridge.providers.elevenlabs.answers import MAX_NUMBERS, QUIET_S, VOICE_WAIT_S
from bridge.providers.elevenlabs.inbox import MAX_MALFORMED, MAX_OPEN_CALLS
from bridge.providers.elevenlabs.initiation import GO_ON
from bridge.providers.elevenlabs.messages import KINDS, MAX_MESSAGE_BYTES
from tests.unit.providers.elevenlabs_kit import (
    METADATA,
    audio,
    conversation,
    events,
    failure,
    feed,
    kinds,
    sent,
    talking,
    words,
)


def correct(provider, number, text):
    body = {
        "original_agent_response": "",
        "corrected_agent_response": text,
        "event_id": number,
    }
    feed(provider, "agent_response_correction", body)


def hear(provider, number, text, now=2.0):
    feed(provider, "user_transcript", {"user_transcript": text, "event_id": number}, now)


# --- answers ------------------------------------------------------------------------------------


def test_the_greeting_carries_its_token():
    provider = talking(conversation(greeting="Oi.", opening_token="greeting"))
    words(provider, 1, "Oi.")
    audio(provider, 1, 1.1)
    hear(provider, 2, "hello")
    audio(provider, 3, 3.0)
    started = [event for event in events(provider) if isinstance(event, ResponseStarted)]
    assert started == [ResponseStarted("1", "greeting"), ResponseStarted("3", "")]


def test_an_answer_is_over_when_it_is_quiet_and_what_comes_behind_is_played():
    provider = talking()
    words(provider, 3, "hello")
    audio(provider, 3, 2.0)
    assert kinds(provider) == ["ResponseStarted", "Transcript", "Audio"]
    assert provider.next_deadline() == 2.0 + QUIET_S
    provider.handle_timeout(2.0 + QUIET_S)
    assert events(provider) == [ResponseDone("3", "completed")]
    audio(provider, 3, 2.8)
    (more,) = events(provider)
    assert isinstance(more, Audio)
    assert (more.response_id, more.item_id) == ("3", "agent-3")
    provider.handle_timeout(2.8 + QUIET_S)
    assert events(provider) == [ResponseDone("3", "completed")]


def test_chunks_with_numbers_of_their_own_are_one_answer():
    provider = talking()
    words(provider, 3, "hello")
    for number in range(3, 9):
        audio(provider, number, 2.0)
    assert kinds(provider) == ["ResponseStarted", "Transcript", *["Audio"] * 6]
    hear(provider, 9, "and?")
    words(provider, 10, "yes")
    assert events(provider)[1:] == [
        ResponseDone("3", "completed"),
        ResponseStarted("10"),
        Transcript(Speaker.AGENT, "agent-10", "yes"),
    ]


def test_words_may_come_after_the_sound():
    provider = talking()
    audio(provider, 3, 2.0)
    words(provider, 3, "late")
    assert events(provider)[-1] == Transcript(Speaker.AGENT, "agent-3", "late")


def test_a_second_text_is_a_second_answer():
    provider = talking()
    words(provider, 3, "Wait.")
    audio(provider, 3, 2.0)
    words(provider, 5, "Here it is.")
    audio(provider, 5, 2.1)
    assert kinds(provider) == [
        "ResponseStarted", "Transcript", "Audio",
        "ResponseDone", "ResponseStarted", "Transcript", "Audio",
    ]  # fmt: skip


def test_words_without_sound_have_not_been_said():
    provider = talking()
    words(provider, 3, "I write.", 2.0)
    events(provider)
    assert provider.next_deadline() == 2.0 + VOICE_WAIT_S
    provider.handle_timeout(2.0 + VOICE_WAIT_S)
    assert events(provider) == [ResponseDone("3", "completed", spoke=False)]
    provider.answer(6.0)
    assert sent(provider) == [{"type": "user_message", "text": GO_ON}]


# --- interruptions ------------------------------------------------------------------------------


@pytest.mark.parametrize("own_numbers", [False, True])
def test_the_service_interrupts_and_corrects(own_numbers):
    provider = talking()
    words(provider, 3, "a long text")
    for step in range(3):
        audio(provider, 3 + step * own_numbers, 2.0)
    last = 5 if own_numbers else 3
    events(provider)
    feed(provider, "interruption", {"event_id": last}, 2.2)
    assert events(provider) == [Interrupted("3")]
    audio(provider, last, 2.3)
    assert events(provider) == []
    correct(provider, 3, "a long...")
    assert events(provider) == [Transcript(Speaker.AGENT, "agent-3", "a long...")]
    provider.cut([Heard("agent-3", 20)], 2.3)
    hear(provider, 6, "stop")
    words(provider, 7, "Yes?", 3.0)
    audio(provider, 7, 3.0)
    assert kinds(provider) == ["Transcript", "ResponseStarted", "Transcript", "Audio"]


def test_an_answer_sent_in_full_can_be_interrupted_while_it_is_heard():
    provider = talking()
    audio(provider, 3, 2.0)
    provider.handle_timeout(2.0 + QUIET_S)
    events(provider)
    feed(provider, "interruption", {"event_id": 3}, 4.0)
    assert events(provider) == [Interrupted("3")]


def test_an_interruption_of_something_older_cuts_nothing():
    provider = talking()
    audio(provider, 7, 2.0)
    events(provider)
    feed(provider, "interruption", {"event_id": 4}, 2.1)
    audio(provider, 7, 2.2)
    assert kinds(provider) == ["Audio"]


def test_what_the_session_cut_is_dropped():
    provider = talking()
    audio(provider, 3, 2.0)
    provider.cut([Heard("agent-3", 20)], 2.1)
    events(provider)
    audio(provider, 3, 2.2)
    words(provider, 2, "older", 2.2)
    assert events(provider) == []
    assert sent(provider) == []
    audio(provider, 4, 2.4)
    assert kinds(provider) == ["ResponseStarted", "Audio"]


# --- words and functions ------------------------------------------------------------------------


def test_every_turn_of_the_caller_has_an_item_of_its_own():
    provider = talking()
    hear(provider, 3, " hello ")
    hear(provider, 3, "")
    first, second = events(provider)
    assert (first.text, second.text) == ("hello", "")
    assert first.item_id != second.item_id


def tool(provider, number=1, **fields):
    body = {"tool_name": "book", "tool_call_id": f"t{number}", "parameters": {"at": number}}
    feed(provider, "client_tool_call", body | fields)


def test_functions_are_called_once_and_the_agent_goes_on_by_itself():
    provider = talking()
    words(provider, 3, "Let me see.", 2.0)
    events(provider)
    tool(provider)
    tool(provider)
    assert events(provider) == [FunctionCall("t1", "book", '{"at":1}', "3")]
    provider.handle_timeout(2.0 + VOICE_WAIT_S)
    assert events(provider) == [ResponseDone("3", "completed", spoke=True)]
    provider.answer(6.0)
    provider.send_function_result("t1", "ok", failed=True, now=6.0)
    result = {"tool_call_id": "t1", "result": "ok", "is_error": True}
    assert sent(provider) == [{"type": "client_tool_result", **result}]


def test_a_result_nobody_here_asked_for_is_told_in_words():
    provider = talking()
    provider.send_function_result("call_1", "booked", failed=False, now=3.0)
    (message,) = sent(provider)
    assert message["type"] == "user_message"
    assert message["text"].endswith("booked")


def test_too_many_functions_at_once_are_refused():
    provider = talking()
    for number in range(MAX_OPEN_CALLS + 1):
        tool(provider, number)
    *calls, told = events(provider)
    assert len(calls) == MAX_OPEN_CALLS
    assert isinstance(told, ProviderFailure)


# --- hostile ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"type":7}',
        b'{"type":"audio"}',
        b'{"type":"ping","ping_event":7}',
        b'{"type":"audio","audio_event":{"event_id":"x","audio_base_64":""}}',
        b'{"type":"audio","audio_event":{"event_id":1,"audio_base_64":"*"}}',
        b'{"type":"interruption","interruption_event":{}}',
        b'{"type":"client_tool_call","client_tool_call":{"tool_name":"","tool_call_id":""}}',
        b'{"type":"client_tool_call","client_tool_call":{"tool_name":"f","tool_call_id":"'
        + b"x" * 300
        + b'"}}',
        b'{"type":"audio","a":' + b"[" * 5000,
    ],
)
def test_garbage_is_counted_and_ends_nothing(message):
    provider = talking()
    provider.receive_message(AGENT, message, 1.0)
    told = failure(provider)
    assert (told.kind, told.code, told.fatal) == (ErrorKind.PROTOCOL, "malformed_message", False)
    assert provider.state.malformed_messages == 1
    audio(provider, 3, 2.0)
    assert kinds(provider) == ["ResponseStarted", "Audio"]


def test_a_service_that_talks_nonsense_is_given_up():
    provider = talking()
    for _ in range(MAX_MALFORMED):
        provider.receive_message(AGENT, b"{", 1.0)
    assert failure(provider).fatal
    audio(provider, 3, 2.0)
    assert events(provider) == []


def test_half_a_sample_is_no_audio():
    provider = talking(metadata=METADATA | {"agent_output_audio_format": "pcm_16000"})
    audio(provider, 3, 2.0, b"abc")
    assert failure(provider).code == "malformed_message"


def test_a_message_without_end_is_not_parsed():
    provider = talking()
    provider.receive_message(AGENT, b" " * (MAX_MESSAGE_BYTES + 1), 1.0)
    assert failure(provider).code == "malformed_message"


@pytest.mark.parametrize(
    "kind",
    ["vad_score", "agent_chat_response_part", "agent_tool_request", "mcp_tool_call", "tomorrow"],
)
def test_what_is_not_ours_passes_unseen(kind):
    provider = talking()
    provider.receive_message(AGENT, msgspec.json.encode({"type": kind, kind: None}), 1.0)
    assert events(provider) == []
    assert sent(provider) == []


def test_memory_does_not_grow_with_the_conversation():
    provider = talking()
    for number in range(1, 3000):
        hear(provider, number, "x")
        audio(provider, number, float(number))
        tool(provider, number)
        provider.send_function_result(f"t{number}", "ok", failed=False, now=1.0)
        events(provider)
        provider.actions()
    state = provider.state
    assert len(state.answers._of) <= MAX_NUMBERS
    assert len(state.told_calls) <= 1024


NUMBERS = st.one_of(st.integers(-2, 12), st.integers(), st.none(), st.text(max_size=3))
TEXTS = st.one_of(st.text(max_size=8), st.none(), st.integers())
SOUND = st.one_of(st.binary(max_size=9).map(lambda d: pybase64.b64encode(d).decode()), TEXTS)
BODY = st.fixed_dictionaries(
    {},
    optional={
        "event_id": NUMBERS,
        "audio_base_64": SOUND,
        "agent_response": TEXTS,
        "corrected_agent_response": TEXTS,
        "user_transcript": TEXTS,
        "tool_name": TEXTS,
        "tool_call_id": TEXTS,
        "parameters": st.one_of(st.dictionaries(st.text(max_size=2), TEXTS, max_size=2), TEXTS),
        "conversation_id": TEXTS,
        "agent_output_audio_format": TEXTS,
        "code": NUMBERS,
        "error_type": TEXTS,
        "message": TEXTS,
    },
)
KIND = st.sampled_from(sorted(KINDS.keys() - {"error"}))
STEP = st.one_of(
    st.tuples(KIND, BODY),
    st.sampled_from(["cut", "answer", "text", "result", "audio", "time"]),
)


def command(provider, name, now):
    {
        "cut": lambda: provider.cut([], now),
        "answer": lambda: provider.answer(now),
        "text": lambda: provider.send_text("x", now),
        "result": lambda: provider.send_function_result("c", "o", failed=False, now=now),
        "audio": lambda: provider.send_audio(b"x"),
        "time": lambda: provider.handle_timeout(now),
    }[name]()


@given(st.lists(STEP, max_size=30))
def test_anything_goes(steps):
    """Never raises; answers begin once, are in order, and nothing follows the end."""
    provider = talking()
    now, begun, over = 1.0, set(), False
    for step in steps:
        now += 0.3
        if isinstance(step, tuple):
            kind, body = step
            message = {"type": kind, KINDS[kind][0]: body}
            provider.receive_message(AGENT, json.dumps(message).encode(), now)
        else:
            command(provider, step, now)
        for event in events(provider):
            assert not over
            over = getattr(event, "fatal", False)
            if isinstance(event, ResponseStarted):
                assert event.response_id not in begun
                begun.add(event.response_id)
            elif isinstance(event, Audio):
                assert event.data
                assert event.response_id in begun
            elif isinstance(event, ResponseDone | Interrupted):
                assert event.response_id in begun
        sent(provider)
