"""From the caller's words to the agent's, sentence by sentence."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_8K, L16_24K, PCMA_8K, PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers.actions import Close, Endpoint, Open, Send, SpeechService
from bridge.providers.base import (
    CallerStopped,
    CallerWords,
    FunctionCall,
    Heard,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
    Usage,
)
from bridge.providers.conversation import Brief, Conversation, Opening, Ran, Said, Speaker, Tool
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import STT, Pipeline
from bridge.providers.pipeline.replies import CHAT
from bridge.providers.pipeline.speaking import TTS
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.pipeline.kit import (
    KEYS,
    Talk,
    call,
    chunk,
    counts,
    encode,
    events,
    kinds,
    results,
)

ENDED = ChannelEnd(Ender.PEER, code=200)


def test_it_opens_hearing_and_voice_and_is_ready_when_both_are_there() -> None:
    talk = Talk()
    hearing, voice = talk.pipeline.actions()
    assert isinstance(hearing, Open)
    assert isinstance(hearing.target, Endpoint)
    assert hearing.target.url.startswith("wss://api.deepgram.com/v1/listen?model=nova-3&")
    assert "language=pt-BR" in hearing.target.url
    assert "encoding=mulaw&sample_rate=8000" in hearing.target.url
    assert hearing.target.headers == (("Authorization", "Token dg-s3cret"),)
    options = {"voice": "", "language": "pt-BR", "speed": 1.0, "rate_hz": 8000}
    assert voice == Open(TTS, SpeechService("piper", options))
    talk.pipeline.receive_open(STT, 0.1)
    assert events(talk.pipeline) == []
    talk.pipeline.receive_open(TTS, 0.2)
    assert events(talk.pipeline) == [SessionReady("", PCMU_8K, L16_8K)]


def test_it_is_started_once_with_formats_it_speaks() -> None:
    with pytest.raises(LocalProtocolError):
        Pipeline(PipelineConfig()).start(Conversation(PCMU_8K, PCMU_8K), 0.0)
    with pytest.raises(LocalProtocolError):
        Pipeline(PipelineConfig()).start(Conversation(L16_24K, L16_8K), 0.0)
    talk = Talk(Conversation(PCMA_8K, L16_8K))
    with pytest.raises(LocalProtocolError):
        talk.pipeline.start(Conversation(PCMA_8K, L16_8K), 0.0)


def test_speech_begins_with_the_first_sentence() -> None:
    talk = Talk().ready()
    assert kinds(talk.heard(encode({"type": "SpeechStarted"}))) == ["CallerStarted"]
    for text, final in (("when do you", False), ("when do you open", True)):
        (so_far,) = talk.heard(results(text, final=final, over=False))
        assert so_far == CallerWords("c1", text)
    found = talk.heard(results("tomorrow"))
    assert kinds(found) == ["CallerStopped", "Transcript", "ResponseStarted"]
    assert talk.asked() == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "when do you open tomorrow"},
    ]
    talk.thought(chunk("At nine. And "))
    assert talk.said() == ["At nine."]
    assert kinds(talk.spoke(1, 400)) == ["Audio"]
    talk.thought(chunk("we close at six.", "stop"))
    assert talk.said() == ["And we close at six."]
    found = talk.spoke(2, 700)
    assert kinds(found) == ["Audio", "Transcript", "Usage", "ResponseDone"]
    assert found[1] == Transcript(Speaker.AGENT, "p1", "At nine. And we close at six.")
    assert found[-1] == ResponseDone("p1", "completed")


def test_the_greeting_needs_no_model() -> None:
    conversation = Conversation(
        PCMU_8K, L16_8K, Brief("", "Oi. Bom dia."), Opening.GREET, opening_token="hello"
    )
    talk = Talk(conversation)
    talk.pipeline.actions()
    talk.pipeline.receive_open(TTS, 0.1)
    talk.pipeline.receive_open(STT, 0.2)
    assert events(talk.pipeline)[1:] == [ResponseStarted("p1", "hello")]
    assert talk.said() == ["Oi.", "Bom dia."]


def test_what_was_done_before_is_told_the_model() -> None:
    history = (
        Said(Speaker.CALLER, "Book it."),
        Ran("book", '{"at":9}', "booked"),
        Said(Speaker.AGENT, "Booked."),
    )
    conversation = Conversation(PCMU_8K, L16_8K, Brief(), Opening.ANSWER, history)
    talk = Talk(conversation)
    talk.pipeline.actions()
    talk.pipeline.receive_open(TTS, 0.1)
    talk.pipeline.receive_open(STT, 0.2)
    assert [message["role"] for message in talk.asked()] == ["user", "system", "assistant"]


def test_commands_wait_until_it_is_ready() -> None:
    talk = Talk()
    talk.pipeline.actions()
    talk.pipeline.send_text("12", 0.0)
    talk.pipeline.say("One moment.", "t", 0.0)
    talk.pipeline.receive_open(TTS, 0.1)
    assert talk.pipeline.actions() == []
    talk.pipeline.receive_open(STT, 0.2)
    assert kinds(events(talk.pipeline)) == ["SessionReady", "ResponseStarted"]
    assert talk.asked()[-1] == {"role": "user", "content": "12"}
    talk.thought(chunk("Yes.", "stop"))
    talk.spoke(1, 100)
    assert talk.said() == ["Yes.", "One moment."]


def test_a_cut_closes_the_model_silences_the_voice_and_keeps_what_was_heard() -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One is here. Two is there now. Three. Fo"))
    for number in (1, 2, 3):
        talk.spoke(number, 1000)
    talk.pipeline.actions()
    talk.pipeline.cut([Heard("p1", 1500)], 2.0)
    assert talk.pipeline.actions()[-1] == Close(CHAT)
    usage, words, voice = events(talk.pipeline)
    assert words == Transcript(Speaker.AGENT, "p1", "One is here. Two is there now. Three.")
    assert isinstance(voice, Usage)
    assert isinstance(usage, Usage)
    assert {voice.vendor, usage.vendor} == {"piper", "groq"}
    assert talk.thought(chunk("ur.", "stop")) == []
    assert talk.spoke(3, 100) == []
    talk.pipeline.send_text("go on", 3.0)
    assert talk.asked()[-2] == {"role": "assistant", "content": "One is here. Two is …"}


def test_an_answer_made_in_full_is_cut_while_it_plays() -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One. Two.", "stop"))
    talk.spoke(1, 1000)
    talk.spoke(2, 1000)
    talk.pipeline.cut([Heard("p1", 1000)], 2.0)
    talk.pipeline.send_text("go on", 3.0)
    assert talk.asked()[-2]["content"] == "One. …"


def test_what_nobody_heard_is_forgotten() -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One. Two. "))
    talk.pipeline.cut([], 2.0)
    assert talk.said() == ["One.", "Two.", "<cancel>"]
    talk.pipeline.send_text("go on", 3.0)
    assert [m["role"] for m in talk.asked()] == ["system", "user", "user"]


def test_a_caller_who_goes_on_gets_one_answer_to_all_of_it() -> None:
    talk = Talk().ready()
    talk.heard(results("I want"))
    talk.asked()
    found = talk.heard(results("a table"))
    done = [event for event in found if isinstance(event, ResponseDone)]
    assert [one.status for one in done] == ["cancelled"]
    assert [m["content"] for m in talk.asked()[1:]] == ["I want", "a table"]


def test_an_answer_that_is_heard_is_not_withdrawn() -> None:
    talk = Talk().ready()
    talk.heard(results("I want"))
    talk.thought(chunk("Yes. And"))
    talk.spoke(1, 500)
    talk.pipeline.actions()
    assert kinds(talk.heard(results("a table"))) == ["CallerStarted", "CallerStopped", "Transcript"]
    assert talk.pipeline.actions() == []
    talk.thought(chunk(" more.", "stop"))
    talk.thought(b"[DONE]")
    talk.pipeline.receive_end(CHAT, ENDED, 1.5)
    assert kinds(talk.spoke(2, 100))[-2:] == ["ResponseDone", "ResponseStarted"]


def test_a_noise_expects_no_answer_unless_it_cut_the_agent_off() -> None:
    talk = Talk().ready()
    found = talk.heard(encode({"type": "SpeechStarted"}), results(""))
    assert kinds(found) == ["CallerStarted", "CallerStopped"]
    assert found[1] == CallerStopped("c1", expects_answer=False)
    assert talk.pipeline.actions() == []
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One. Two. "))
    talk.spoke(1, 1000)
    talk.heard(encode({"type": "SpeechStarted"}))
    talk.pipeline.cut([Heard("p1", 500)], 2.0)
    talk.pipeline.actions()
    stopped = [e for e in talk.heard(results("")) if isinstance(e, CallerStopped)]
    assert stopped[0].expects_answer
    assert talk.asked()[-1]["role"] == "system"


@pytest.mark.parametrize("whole", [True, False])
def test_two_functions_are_answered_once(whole: bool) -> None:
    tools = [Tool("book", "books", {"type": "object"})]
    talk = Talk(Conversation(PCMU_8K, L16_8K, Brief("", "", None, tools))).ready()
    talk.pipeline.send_text("book", 1.0)
    talk.pipeline.actions()
    events(talk.pipeline)
    if whole:
        calls = [call("t0", arguments='{"n":0}'), call("t1", arguments='{"n":1}')]
        found = talk.thought(chunk(tool_calls=calls), chunk("", "tool_calls"))
    else:
        parts = [
            {"index": n, "function": {"arguments": text}}
            for n in range(2)
            for text in ('{"n"', f":{n}}}")
        ]
        first = [call(f"t{n}", arguments="", index=n) for n in range(2)]
        found = talk.thought(
            chunk(tool_calls=first),
            *(chunk(tool_calls=[part]) for part in parts),
            chunk("", "tool_calls"),
        )
    assert found[:2] == [FunctionCall(f"t{n}", "book", f'{{"n":{n}}}', "p1") for n in range(2)]
    assert isinstance(found[2], ResponseDone)
    assert found[2].spoke
    talk.pipeline.send_function_result("t0", "ok", failed=False, now=2.0)
    assert talk.pipeline.actions() == []
    talk.pipeline.send_function_result("t1", "no", failed=True, now=2.0)
    assert talk.asked()[-3:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": f"t{n}",
                    "type": "function",
                    "function": {"name": "book", "arguments": f'{{"n":{n}}}'},
                }
                for n in range(2)
            ],
        },
        {"role": "tool", "tool_call_id": "t0", "content": "ok"},
        {"role": "tool", "tool_call_id": "t1", "content": "no"},
    ]


def test_an_id_that_is_used_twice_is_told_once() -> None:
    talk = Talk().ready()
    told = []
    for now in (1.0, 3.0):
        talk.pipeline.send_text("book", now)
        found = talk.thought(chunk(tool_calls=[call("call_0")], finish="tool_calls"))
        (made,) = [event for event in found if isinstance(event, FunctionCall)]
        told.append(made.call_id)
        talk.pipeline.send_function_result(made.call_id, str(now), failed=False, now=now + 1)
        results_told = [m for m in talk.asked() if m["role"] == "tool"]
        assert results_told[-1] == {
            "role": "tool",
            "tool_call_id": made.call_id,
            "content": str(now),
        }
        talk.thought(chunk("", "stop"))
    assert len(set(told)) == 2


def test_a_caller_who_speaks_while_a_function_runs_is_answered() -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("book", 1.0)
    talk.thought(chunk(tool_calls=[call("t0")], finish="tool_calls"))
    talk.pipeline.actions()
    talk.pipeline.answer(1.5)
    assert talk.pipeline.actions() == [], "the result brings the answer"
    talk.heard(results("are you there"))
    asked = talk.asked()
    assert [message["role"] for message in asked[1:]] == ["user", "assistant", "tool", "user"]
    assert "still running" in asked[3]["content"]
    talk.pipeline.send_function_result("t0", "ok", failed=False, now=2.0)
    talk.thought(chunk("Yes.", "stop"))
    talk.spoke(1, 100)
    assert next(m for m in talk.asked() if m["role"] == "tool")["content"] == "ok"


def test_a_result_of_an_earlier_session_is_told() -> None:
    talk = Talk().ready()
    talk.pipeline.send_function_result("old", "booked", failed=False, now=1.0)
    assert talk.asked()[-1]["content"].endswith("booked")


def test_words_given_go_before_the_next_answer_and_behind_this_one() -> None:
    talk = Talk().ready()
    talk.pipeline.say("One.", "a", 1.0)
    talk.pipeline.say("Two.", "b", 1.0)
    assert events(talk.pipeline) == [ResponseStarted("p1", "a")]
    assert talk.said() == ["One."]
    assert talk.spoke(1, 100)[-1] == ResponseStarted("p2", "b")
    assert talk.said() == ["Two."]


def test_it_tells_the_model_and_asks_only_if_it_shall_speak() -> None:
    talk = Talk().ready()
    talk.pipeline.inform("[On hold]", respond=False, now=1.0)
    assert talk.pipeline.actions() == []
    talk.pipeline.inform("[Nobody answers]", respond=True, now=1.0)
    assert [m["content"] for m in talk.asked()] == ["Be kind.", "[On hold]", "[Nobody answers]"]


@pytest.mark.parametrize("text", ["", " ", "***"])
def test_an_empty_answer_says_so(text: str) -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    found = talk.thought(chunk(text, "stop"))
    assert found[-1] == ResponseDone("p1", "completed", spoke=False)


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_an_answer_broken_off_by_the_model_says_so(finish: str, reason: str) -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One", finish))
    assert talk.spoke(1, 100)[-1] == ResponseDone("p1", "incomplete", reason)


def test_every_vendor_is_billed() -> None:
    talk = Talk(voice="joe").ready()
    for _ in range(50):
        talk.pipeline.send_audio(b"\xff" * 160)
    talk.pipeline.send_text("hi", 1.0)
    found = talk.thought(chunk("One. ", "stop"), counts(100, 20, 40), b"[DONE]")
    found += talk.spoke(1, 100)
    talk.pipeline.receive_end(CHAT, ENDED, 1.5)
    talk.pipeline.actions()
    talk.pipeline.stop(2.0)
    assert talk.pipeline.actions() == [Send(STT, b'{"type":"CloseStream"}')]
    found += events(talk.pipeline)
    assert [event for event in found if isinstance(event, Usage)] == [
        Usage("piper", "joe", characters=4),
        Usage("groq", "openai/gpt-oss-20b", 100, cached_text_tokens=40, output_text_tokens=20),
        Usage("deepgram", "nova-3", transcription_seconds=1.0),
    ]
    talk.pipeline.stop(3.0)
    assert events(talk.pipeline) == []


def test_no_key_is_shown() -> None:
    talk = Talk()
    talk.pipeline.send_text("hi", 1.0)
    talk.ready()
    shown = repr(talk.pipeline.actions()) + repr(PipelineConfig(api_key=KEYS))
    assert "s3cret" not in shown
