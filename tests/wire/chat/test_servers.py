"""Each chat server's own ways, whole and cut anywhere: the same words, calls and counts."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.actions import HttpRequest, Open
from bridge.providers.base import FunctionCall, ResponseDone, Usage
from bridge.providers.pipeline.chat import ChatAnswer
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import CHAT
from bridge.providers.pipeline.thoughts import Thoughts
from bridge.wire.channel import ChannelEnd, Ender
from bridge.wire.server_sent_events import EventStreamParser
from tests.unit.providers.pipeline.kit import Talk, call, chunk, events, results

RECORDED = {path.stem: path.read_bytes() for path in Path(__file__).parent.glob("*.txt")}
LOCAL = {"base_url": "http://127.0.0.1:11434/v1", "api_key": "stt=dg-s3cret", "model": "m"}


def answer(stream: bytes, *cuts: int) -> tuple[str, ChatAnswer]:
    """The words and the answer of a stream that comes in pieces."""
    parser, made, text = EventStreamParser(), ChatAnswer(1, 400), ""
    edges = [0, *sorted(cuts), len(stream)]
    for begin, end in itertools.pairwise(edges):
        for event in parser.receive_data(stream[begin:end]):
            text += made.receive(event.data)
    assert made.failure is None
    return text, made


def calls(made: ChatAnswer) -> list[tuple[str, str]]:
    return [(one.name, one.arguments) for one in made.calls]


TWO = [("run_command", '{"command":"ls"}'), ("run_command", '{"command":"ls -l"}')]
EXPECTED: dict[str, tuple[str, list[tuple[str, str]], str]] = {
    "llamacpp": ("That's a classic answer, but I'm here to help. I can customize", [], "length"),
    "ollama": ("", TWO, "tool_calls"),
    "ollama_0_4": ("", TWO, "stop"),
    "ollama_thinks": ("\n\nWe open at 5 < 6.", [], "stop"),
    "vllm": ("", [("read_file", '{"path":"/tmp"}')], "tool_calls"),
}


def test_every_recording_is_expected() -> None:
    assert RECORDED.keys() == EXPECTED.keys()


@pytest.mark.parametrize("server", EXPECTED)
def test_what_a_server_says_is_understood(server: str) -> None:
    stream = RECORDED[server]
    text, wanted, reason = EXPECTED[server]
    for cuts in ((), range(1, len(stream), 7), (len(stream) // 2,)):
        said, made = answer(stream, *cuts)
        assert (said, calls(made), made.finish_reason) == (text, wanted, reason)
        assert len({one.id for one in made.calls}) == len(wanted)


@pytest.mark.parametrize(
    ("server", "tokens"), [("llamacpp", (29, 16)), ("vllm", (40, 12)), ("ollama_thinks", (100, 15))]
)
def test_what_is_not_counted_is_estimated(server: str, tokens: tuple[int, int]) -> None:
    _, made = answer(RECORDED[server])
    usage = made.usage(PipelineConfig(**LOCAL))  # type: ignore[arg-type]
    assert usage is not None
    assert (usage.input_text_tokens, usage.output_text_tokens) == tokens


def test_arguments_that_are_an_object_are_json_text_again() -> None:
    made = ChatAnswer(1)
    function = {"name": "book", "arguments": {"at": 9}}
    made.receive(chunk(tool_calls=[{"id": "a", "function": function}]))
    assert calls(made) == [("book", '{"at":9}')]


def test_vllms_own_error_in_a_stream_is_one() -> None:
    made = ChatAnswer(1)
    made.receive(b'{"object":"error","message":"EngineCore died","type":"Internal","code":500}')
    assert made.failure is not None


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "a ", "<b>"])))
def test_thoughts_are_stripped_wherever_they_are_cut(parts: list[str]) -> None:
    text = "".join(parts)
    whole, single = Thoughts(), Thoughts()
    said = whole.strip(text) + whole.finish()
    assert said == "".join(map(single.strip, text)) + single.finish()
    assert said == re.sub(r"(?s)<think>.*?(?:</think>|\Z)", "", text)


# --- fields a server does not take ------------------------------------------------------------

VLLM = (
    400,
    b"""{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', """
    b"""'stream_options'), 'msg': 'Extra inputs are not permitted'}]","code":400}""",
)
MISTRAL = (
    422,
    b'{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body",'
    b'"stream_options","include_usage"]}]},"type":"invalid_request_error","code":null}',
)


def body(talk: Talk) -> dict[str, Any]:
    (request,) = [a for a in talk.pipeline.actions() if isinstance(a, Open) and a.channel == CHAT]
    assert isinstance(request.target, HttpRequest)
    decoded: dict[str, Any] = msgspec.json.decode(request.target.body)
    return decoded


@pytest.mark.parametrize(("status", "text"), [VLLM, MISTRAL])
def test_a_field_that_is_refused_is_left_out_and_asked_again_at_once(
    status: int, text: bytes
) -> None:
    talk = Talk(**LOCAL).ready()
    talk.heard(results("hello"))
    assert "stream_options" in body(talk)
    talk.pipeline.receive_end(CHAT, ChannelEnd(Ender.PEER, "http", status, "", text), 1.0)
    assert events(talk.pipeline) == []
    assert "stream_options" not in body(talk)
    talk.thought(chunk("Hi.", "stop"))
    done = [event for event in talk.spoke(1, 100) if isinstance(event, ResponseDone)]
    assert [event.status for event in done] == ["completed"]
    talk.pipeline.receive_end(CHAT, ChannelEnd(Ender.PEER, code=200), 2.0)
    assert [event.vendor for event in events(talk.pipeline) if isinstance(event, Usage)]
    talk.heard(results("again"))
    assert "stream_options" not in body(talk), "it is remembered"


def test_a_limit_has_another_name_for_those_who_do_not_know_this_one() -> None:
    talk = Talk(**LOCAL, max_output_tokens=50).ready()
    talk.heard(results("hello"))
    assert body(talk)["max_completion_tokens"] == 50
    text = b'{"error":{"code":400,"message":"Unsupported parameter: max_completion_tokens"}}'
    talk.pipeline.receive_end(CHAT, ChannelEnd(Ender.PEER, "http", 400, "", text), 1.0)
    again = body(talk)
    assert again["max_tokens"] == 50
    assert "max_completion_tokens" not in again


def test_a_server_that_refuses_a_field_for_ever_is_asked_once_for_each() -> None:
    talk = Talk(**LOCAL).ready()
    talk.heard(results("hello"))
    end = ChannelEnd(Ender.PEER, "http", *VLLM[:1], "", VLLM[1])
    talk.pipeline.receive_end(CHAT, end, 1.0)
    talk.pipeline.receive_end(CHAT, end, 1.1)
    assert [event.status for event in events(talk.pipeline) if isinstance(event, ResponseDone)] == [
        "failed"
    ]


def test_a_call_that_ends_with_stop_is_a_call() -> None:
    talk = Talk(**LOCAL).ready()
    talk.heard(results("hello"))
    found = talk.thought(chunk(finish="stop", tool_calls=[call("c1")]))
    assert [event.name for event in found if isinstance(event, FunctionCall)] == ["book"]
