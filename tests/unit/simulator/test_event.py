"""Serialisation of events and channel data."""

from __future__ import annotations

from random import Random
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_16K, PCMA_8K
from esl_controller.simulator.switch import event
from esl_controller.simulator.switch.channel import Channel, ChannelOptions
from esl_controller.simulator.switch.event import Event, EventOrigin, url_encode
from tests.integration.simulator_replay import parse

NOW_US = 1_795_374_622_547_269
SOURCE = ("file.c", "function", 1)


@given(st.text(alphabet=st.characters(exclude_characters="%", exclude_categories=["Cs"])))
def test_encoding_is_undone_by_decoding(text: str) -> None:
    encoded = url_encode(text)
    assert unquote(encoded) == text
    assert encoded.isascii()
    assert "\n" not in encoded


def test_encoding_keeps_what_freeswitch_keeps() -> None:
    assert url_encode("sofia/internal/a(b),c!$'*-._~") == "sofia/internal/a(b),c!$'*-._~"
    assert url_encode("a b\r\n:;@#%é") == "a%20b%0D%0A%3A%3B%40%23%25%C3%A9"
    assert url_encode("already%20there 100%") == "already%20there%20100%25"


@given(st.binary(max_size=200), st.lists(st.tuples(st.sampled_from("ABC"), st.text(max_size=20))))
def test_an_event_is_read_back(body: bytes, headers: list[tuple[str, str]]) -> None:
    wanted = [
        (name, value.replace("%", "").encode(errors="ignore").decode()) for name, value in headers
    ]
    raised = Event("X", [("Event-Name", "X"), *wanted], body)
    (seen,) = parse(raised.plain())
    assert seen.body == body
    assert dict(wanted).items() <= (seen.headers | dict(wanted)).items()


def test_json_events_carry_the_body() -> None:
    (seen,) = parse(Event("X", [("Event-Name", "X"), ("A", "ü b")], b"+OK\n").json())
    assert seen.headers == {"Event-Name": "X", "A": "ü b", "Content-Length": "4", "_body": "+OK\n"}


def test_replies_are_not_percent_encoded() -> None:
    assert event.command_reply("a b: c") == (b"Content-Type: command/reply\nReply-Text: a b: c\n\n")
    assert event.api_response("ü\n") == (
        b"Content-Type: api/response\nContent-Length: 3\n\n\xc3\xbc\n"
    )


def channel(**options: object) -> Channel:
    return Channel(ChannelOptions(**options), Random(1), NOW_US, 1)


def test_a_variable_set_again_moves_to_the_end() -> None:
    call = channel(variables={"mine": "1"})
    call.set("direction", "inbound")
    assert list(call.variables)[-1] == "direction"
    call.set("mine", None)
    assert call.get("mine") is None
    assert call.get("caller_id_number") == "5551000"


def test_hang_up_complete_of_an_unanswered_call() -> None:
    call = channel(codec=PCMA_8K)
    call.mark_hangup("ORIGINATOR_CANCEL", by_caller=True)
    call.enter("CS_REPORTING")
    call.report(NOW_US + 1_500_000, 0, 0)
    raised = call.event(EventOrigin("core"), "CHANNEL_HANGUP_COMPLETE", SOURCE, NOW_US, [])
    (seen,) = parse(raised.plain())
    assert seen.headers["Hangup-Cause"] == "ORIGINATOR_CANCEL"
    assert seen.headers["variable_billsec"] == "0"
    assert seen.headers["variable_duration"] == "1"
    assert seen.headers["variable_mduration"] == "1500"
    assert "variable_rtp_audio_in_mos" not in seen.headers


def test_names_of_the_caller_cannot_break_lines() -> None:
    call = channel(caller_id_name="evil\nEvent-Name: FORGED\n\n")
    reply = event.connect_reply(call.connect_headers(EventOrigin("core"), NOW_US), [])
    assert reply.count(b"\nEvent-Name:") == 0
    assert reply.endswith(b"\n\n")
    assert reply.count(b"\n\n") == 1


def test_codec_headers_follow_the_codec() -> None:
    call = channel(codec=L16_16K)
    call.mark_media(NOW_US)
    headers = dict(call.headers())
    assert headers["Channel-Read-Codec-Name"] == "L16"
    assert headers["Channel-Write-Codec-Rate"] == "16000"
    assert headers["variable_read_rate"] == "16000"
