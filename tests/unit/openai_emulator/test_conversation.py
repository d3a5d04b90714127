"""The bridge's provider against the emulated service: every request is met, none collides."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bridge.audio.formats import L16_24K, PCMA_8K, PCMU_8K, AudioFormat
from bridge.providers.base import (
    Audio,
    CallerStarted,
    CallerStopped,
    ErrorKind,
    FunctionCall,
    GoingAway,
    Heard,
    Interrupted,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
    Usage,
)
from bridge.providers.conversation import Ran, Said, Speaker, Tool
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.providers.openai.responses import ResponseState
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.script import Answer, Script, ScriptedCall
from tests.unit.openai_emulator.kit import UNIX_NOW, Call, new_session
from tests.unit.providers.openai_kit import config, conversation, opened

TOOL = Tool("lookup", "Finds", {"type": "object", "properties": {}})
LONG = "This is a rather long greeting with a lot of words in it."
SLOW = EmulatorConfig(think_s=0.1, pace=1.0)
SCRIPT = Script(
    answers=(Answer("Yes."), Answer("Wait.", calls=(ScriptedCall("lookup", '{"a":1}'),))),
    caller_lines=("Hello?", "And now?"),
)


def start(
    audio_format: AudioFormat = PCMU_8K,
    *,
    emulator: EmulatorConfig | None = None,
    faults: Faults | None = None,
    own: dict[str, Any] | None = None,
    delay_s: float = 0.0,
    api_shape: str = "ga",
    **fields: Any,
) -> Call:
    provider = OpenAIRealtime(config(api_shape=api_shape, **(own or {})))
    session = new_session(
        emulator or EmulatorConfig(script=SCRIPT, think_s=0.1, api_shape=api_shape), faults
    )
    call = Call(provider, session, delay_s=lambda: delay_s)
    opened(provider, conversation(audio_format, unix_s=UNIX_NOW, **fields))
    call.run(0.5)
    return call


@pytest.mark.parametrize("audio_format", [L16_24K, PCMU_8K, PCMA_8K], ids=str)
@pytest.mark.parametrize("api_shape", ["ga", "beta"])
def test_a_call_with_a_greeting_a_turn_and_a_function(
    audio_format: AudioFormat, api_shape: str
) -> None:
    call = start(audio_format, api_shape=api_shape, greeting="Good morning.", tools=[TOOL])
    call.run(3)
    call.speak("Who are you", audio_format)
    call.run(3)
    call.speak("Find me please", audio_format)
    call.run(5)
    record = call.session.core.record
    assert record.errors == []
    assert record.spoken == ["Good morning.", "Yes.", "Wait.", "All right, that is done: {}"]
    assert [event.text for event in call.of(Transcript)] == [
        "Good morning.",
        "Hello?",
        "Yes.",
        "And now?",
        "Wait.",
        "All right, that is done: {}",
    ]
    assert [call.name for call in call.of(FunctionCall)] == ["lookup"]
    heard_ms = audio_format.ms_for_bytes(sum(len(event.data) for event in call.of(Audio)))
    assert heard_ms == pytest.approx(record.audio_out_ms, abs=1)
    assert not call.of(ProviderFailure)


def test_transcripts_know_their_place() -> None:
    """The caller's words may come after the answer to them: `after` says where they belong."""
    script = EmulatorConfig(script=SCRIPT, think_s=0.1, transcription_delay_s=3.0)
    call = start(emulator=script, greeting="Good morning.")
    call.run(3)
    call.speak("Who are you", PCMU_8K)
    call.run(5)
    hello, yes, question = call.of(Transcript)
    assert [event.speaker for event in (hello, yes, question)] == [
        Speaker.AGENT,
        Speaker.AGENT,
        Speaker.CALLER,
    ]
    assert question.after == hello.item_id
    assert yes.after == question.item_id


def test_the_callers_turn_is_told() -> None:
    call = start(L16_24K)
    call.speak("Who are you", L16_24K, silence_ms=500)
    (began,), (ended,) = call.of(CallerStarted), call.of(CallerStopped)
    assert began.item_id == ended.item_id
    assert ended.expects_answer


def test_barge_in_cancels_and_the_cut_is_taken() -> None:
    call = start(emulator=SLOW, greeting=LONG, delay_s=0.02)
    call.run(0.5)
    item_id = call.of(Audio)[0].item_id
    call.speak("Stop it", PCMU_8K, silence_ms=0)
    (interrupted,) = call.of(Interrupted)
    assert interrupted.response_id == call.of(Audio)[0].response_id
    call.provider.cut([Heard(item_id, 300)], call.now)
    call.run(3)
    record = call.session.core.record
    assert record.truncations == [(item_id, 300)]
    assert record.cancels == 0
    assert record.errors == []
    assert record.responses[0] == ("cancelled", "turn_detected")


def test_cancel_and_delete_of_what_was_not_heard() -> None:
    call = start(emulator=SLOW, greeting=LONG)
    call.run(0.5)
    call.provider.cut([Heard(call.of(Audio)[0].item_id, 0)], call.now)
    call.run(1)
    record = call.session.core.record
    assert record.cancels == 1
    assert len(record.deletions) == 1
    assert record.responses == [("cancelled", "client_cancelled")]
    assert call.of(ResponseDone)[0].reason == "client_cancelled"
    assert not call.of(Interrupted)


def test_words_know_the_request_they_answer() -> None:
    call = start(greeting="Good morning.", opening_token="hello")
    call.run(3)
    call.provider.send_text("Who are you?", call.now)
    call.run(3)
    call.provider.say("Good-bye.", "bye", call.now)
    call.run(3)
    assert [event.token for event in call.of(ResponseStarted)] == ["hello", "", "bye"]


def test_last_words_are_said_while_the_caller_speaks() -> None:
    call = start()
    call.speak("And another thing", PCMU_8K, silence_ms=0)
    call.provider.say("Our time is over.", "bye", call.now)
    call.run(3)
    assert call.session.core.record.spoken == ["Our time is over."]
    assert call.session.core.record.errors == []


@pytest.mark.parametrize("names", [("lookup",), ("lookup", "book")], ids=["one", "two"])
def test_functions_of_one_answer_are_answered_once(names: tuple[str, ...]) -> None:
    """Results as a session gives them: each when it is there, and nothing else is asked for."""
    tools = [Tool(name, "Does it", {"type": "object", "properties": {}}) for name in names]
    calls = tuple(ScriptedCall(name, "{}") for name in names)
    script = Script(answers=(Answer("Wait.", calls=calls),), caller_lines=("Find and book.",))
    call = start(emulator=EmulatorConfig(script=script, think_s=0.1), tools=tools, delay_s=0.02)
    call.speak("Find and book", PCMU_8K)
    call.run(15)
    record = call.session.core.record
    assert len(record.function_outputs) == len(names)
    assert len(record.spoken) == 2
    assert record.errors == []


def test_a_voice_the_service_does_not_have_costs_the_voice() -> None:
    call = start(own={"voice": "marvin"}, greeting="Hi.")
    call.run(2)
    (failure,) = call.of(ProviderFailure)
    assert (failure.code, failure.fatal) == ("invalid_value", False)
    assert call.of(SessionReady)
    assert call.session.core.record.spoken == ["Hi."]


def test_usage_grows_and_is_cached_later() -> None:
    call = start(instructions="x" * 2000)
    for number in range(3):
        call.provider.send_text(f"Question {number}", call.now)
        call.run(3)
    bills = [event for event in call.of(Usage) if event.model == "gpt-realtime-2.1"]
    assert [bill.cached_text_tokens > 0 for bill in bills] == [False, True, True]
    assert bills[0].input_text_tokens < bills[1].input_text_tokens < bills[2].input_text_tokens
    assert bills[2].cached_text_tokens <= bills[2].input_text_tokens


def test_history_reaches_the_model() -> None:
    history = (
        Said(Speaker.CALLER, "I am Ann."),
        Said(Speaker.AGENT, "Hello Ann."),
        Ran("lookup", '{"name":"Ann"}', "Ann is a customer."),
    )
    call = start(history=history)
    items = call.session.core.conversation.items
    assert [item.text for item in items[:2]] == ["I am Ann.", "Hello Ann."]
    assert [item.data["type"] for item in items[2:]] == ["function_call", "function_call_output"]
    assert call.session.core.record.errors == []


def test_out_of_quota_is_told_with_its_kind() -> None:
    call = start(faults=Faults(out_of_quota=True), greeting="Hi.")
    call.run(1)
    (failure,), (done,) = call.of(ProviderFailure), call.of(ResponseDone)
    assert failure.kind is done.error_kind is ErrorKind.QUOTA
    assert done.status == "failed"


def test_wrong_order_ends_in_events_not_in_exceptions() -> None:
    call = start(faults=Faults(wrong_order=True), greeting="Hi there.")
    call.run(1)
    assert call.of(Audio)
    assert call.of(ResponseDone)


def test_garbage_between_good_messages() -> None:
    call = start(faults=Faults(garbage_after_s=0.01), greeting="Hi there.")
    call.run(2)
    assert len(call.of(ProviderFailure)) == 4
    assert call.session.core.record.spoken == ["Hi there."]


def test_a_stall_is_noticed() -> None:
    call = start(faults=Faults(stall_after_s=0.5), greeting="Hi there, you are welcome.")
    call.run(60)
    (failure,) = call.of(ProviderFailure)
    assert (failure.code, failure.fatal) == ("response_stalled", True)


def test_a_setting_the_call_needs_is_not_left_out() -> None:
    call = start(own={"extra": {"audio": {"input": {"format": {"rate": 7}}}}}, greeting="Hi.")
    (failure,) = call.of(ProviderFailure)
    assert failure.fatal


def test_the_session_ends_after_its_hour() -> None:
    call = start()
    call.run(3601)
    assert [event.in_s for event in call.of(GoingAway)] == [300.0]
    (failure,) = call.of(ProviderFailure)
    assert failure.kind is ErrorKind.SESSION_EXPIRED
    assert call.session.core.closing is not None


acts = st.lists(
    st.sampled_from(["text", "say", "answer", "cancel", "speech", "wait", "long wait"]),
    max_size=10,
)


# Without shrinking: a call takes long enough for that to look like a hang.
@settings(max_examples=60, deadline=None, phases=[Phase.generate])
@given(acts, st.sampled_from([0.0, 0.02, 0.15]), st.integers(0, 2**16))
def test_requests_never_collide_and_all_are_met(
    acts: list[str], jitter_s: float, seed: int
) -> None:
    """Whatever is asked for and however slow the network: the end is quiet, nothing is lost."""
    dice = random.Random(seed)
    call = start(tools=[TOOL])
    call._delay_s = lambda: dice.random() * jitter_s
    said: list[str] = []
    for number, act in enumerate(acts):
        if act == "text":
            call.provider.send_text(f"text {number}", call.now)
        elif act == "say":
            said.append(f"Word {number}.")
            call.provider.say(said[-1], f"token {number}", call.now)
        elif act == "answer":
            call.provider.answer(call.now)
        elif act == "cancel":
            call.provider.cut([], call.now)
        elif act == "speech":
            call.speak("Hey you", PCMU_8K, silence_ms=dice.choice([300, 900]))
        call.run({"wait": 0.3, "long wait": 5.0}.get(act, 0.01))
    call.provider.send_audio(PCMU_8K.silence(1000))
    call.run(120)
    record = call.session.core.record
    state = call.provider.state
    assert state.requests.state is ResponseState.NONE
    assert not state.requests.pending
    assert not state.calls.open
    assert not call.of(ProviderFailure)
    if "cancel" not in acts and "speech" not in acts:
        assert [words for words in record.spoken if words.startswith("Word")] == said
    if not jitter_s:
        assert record.errors == []
