from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl_controller.esl import framing
from esl_controller.esl.errors import CommandFailed, RemoteProtocolError
from esl_controller.esl.events import ChannelData, DisconnectNotice, Event, Reply
from esl_controller.esl.framing import Framer, Message, encode_headers

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(
    lambda text: text != "_undef_"
)


def message(data: bytes) -> Message:
    framer = Framer()
    framer.receive_data(data)
    found = framer.next_message()
    assert found is not None
    return found


def event_message(inner: bytes, kind: str = "text/event-plain") -> Message:
    head = f"Content-Length: {len(inner)}\nContent-Type: {kind}\n\n".encode()
    return message(head + inner)


def plain(*pairs: tuple[str, str], body: bytes = b"") -> Event:
    return Event.parse(event_message(encode_headers(pairs) + b"\n\n" + body))


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"variable_[a-z]{1,6}", fullmatch=True), texts), st.binary())
def test_headers_and_body_come_back(pairs, body):
    event = plain(("Event-Name", "CUSTOM"), *pairs.items(), body=body)
    assert event.body == body
    assert {name: event.get(name) for name in pairs} == pairs
    assert {name: event.variable(name.removeprefix("variable_")) for name in pairs} == pairs


def test_accessors():
    event = plain(
        ("Event-Subclass", "mod_audio_stream::play"),
        ("Event-Name", "CUSTOM"),
        ("Unique-ID", "u1"),
        ("Application", "playback"),
        ("Application-UUID", "a1"),
        ("Application-Response", "FILE PLAYED"),
        ("Job-UUID", "j1"),
        ("Hangup-Cause", "USER_BUSY"),
        ("DTMF-Digit", "a"),
        body=b'{"file":"x","rate":8000}',
    )
    assert (event.name, event.subclass) == ("CUSTOM", "mod_audio_stream::play")
    assert (event.key, event.unique_id) == ("mod_audio_stream::play", "u1")
    assert (event.application, event.application_uuid) == ("playback", "a1")
    assert (event.application_response, event.job_uuid) == ("FILE PLAYED", "j1")
    assert (event.hangup_cause, event.dtmf_digit) == ("USER_BUSY", "A")
    assert event.json_body() == {"file": "x", "rate": 8000}
    assert event.text == '{"file":"x","rate":8000}'
    assert repr(event) == "<Event mod_audio_stream::play u1>"


def test_key_of_a_plain_event_is_its_name_even_with_a_subclass():
    assert plain(("Event-Name", "DTMF"), ("Event-Subclass", "x")).key == "DTMF"
    assert plain(("Event-Name", "CUSTOM")).key == "CUSTOM"


def test_body_is_never_decoded_and_never_becomes_headers():
    body = b'Event-Name: FORGED\n\n{"path": "%41"}'
    event = plain(("Event-Name", "CUSTOM"), ("Content-Length", "7"), body=body)
    assert event.body == body
    assert event.name == "CUSTOM"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"a":1}x', b"\xff", b"[" * 100_000])
def test_body_that_is_no_object_is_the_peers_fault(body):
    with pytest.raises(RemoteProtocolError):
        plain(("Event-Name", "CUSTOM"), body=body).json_body()


@pytest.mark.parametrize("digit", ["", "12", "x", "%"])
def test_dtmf_without_a_digit_is_the_peers_fault(digit):
    with pytest.raises(RemoteProtocolError):
        _ = plain(("Event-Name", "DTMF"), ("DTMF-Digit", digit)).dtmf_digit


@pytest.mark.parametrize(
    "inner", [b"", b"Event-Name: X", b"Name: X\n\n", b"\n\n", b"Event-Name: \n\n"]
)
def test_what_is_no_event_is_refused(inner):
    with pytest.raises(RemoteProtocolError):
        Event.parse(event_message(inner))


def test_event_of_too_many_lines_is_refused():
    with pytest.raises(RemoteProtocolError):
        Event.parse(event_message(b"Event-Name: X\n" * (framing.MAX_BLOCK_LINES + 1) + b"\n"))


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[A-Z][a-z]{1,6}", fullmatch=True), texts), texts)
def test_json_event_reads_like_a_plain_one(pairs, body):
    values = {"Event-Name": "HEARTBEAT", **pairs, "_body": body}
    event = Event.parse(event_message(json.dumps(values).encode(), "text/event-json"))
    assert event.name == "HEARTBEAT"
    assert {name: event.get(name) for name in pairs} == pairs
    assert event.text == body


def test_json_event_with_odd_values():
    inner = b'{"Event-Name":"X","List":["a","b"],"Number":5}'
    event = Event.parse(event_message(inner, "text/event-json"))
    assert event.get("List") == "ARRAY::a|:b"
    assert event.get("Number") == "5"
    with pytest.raises(RemoteProtocolError):
        Event.parse(event_message(b'{"Event-Name":"X","a:b":"c"}', "text/event-json"))
    with pytest.raises(RemoteProtocolError):
        Event.parse(event_message(b"[]", "text/event-json"))


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["text/event-plain", "text/event-json", "x/y"]))
def test_any_bytes_give_an_event_or_the_one_error(inner, kind):
    try:
        Event.parse(event_message(inner, kind))
    except RemoteProtocolError:
        return
    assert kind != "x/y"


def command_reply(text: str) -> Message:
    return message(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())


def test_replies():
    assert Reply.parse(command_reply("+OK")).ok
    assert Reply.parse(command_reply("5551000")).require_ok("getvar").text == "5551000"
    api = message(b"Content-Type: api/response\nContent-Length: 11\n\n-USAGE: <x>")
    assert not Reply.parse(api).ok
    with pytest.raises(CommandFailed) as caught:
        Reply.parse(command_reply("-ERR command not found")).require_ok("myevents")
    assert (caught.value.command, caught.value.text) == ("myevents", "-ERR command not found")
    job = message(b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: j1\nJob-UUID: j1\n\n")
    assert Reply.parse(job).job_uuid == "j1"
    assert repr(Reply("+OK")) == "<Reply '+OK'>"
    with pytest.raises(RemoteProtocolError):
        Reply.parse(event_message(b"Event-Name: X\n\n"))


def test_channel_data():
    data = (
        b"Event-Name: CHANNEL_DATA\nUnique-ID: u1\nvariable_domain_uuid: d1\n"
        b"Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: static\n\n"
    )
    channel = ChannelData.parse(message(data))
    assert (channel.uuid, channel.variable("domain_uuid"), channel.get("x", "y")) == (
        "u1",
        "d1",
        "y",
    )
    assert not channel.asynchronous
    assert not channel.full_control
    with pytest.raises(CommandFailed):
        ChannelData.parse(command_reply("-ERR no"))
    with pytest.raises(RemoteProtocolError):
        ChannelData.parse(command_reply("+OK"))


def test_disconnect_notices():
    framer = Framer()
    framer.receive_data(
        b"Event-Name: CHANNEL_DATA\nUnique-ID: u1\nChannel-Name: sofia/x\n"
        b"Content-Type: command/reply\n\n"
        b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: u1\n"
        b"Content-Disposition: linger\nChannel-Name: sofia/x\nLinger-Time: -1\n"
        b"Content-Length: 0\n\n"
    )
    framer.next_message()
    linger = framer.next_message()
    assert linger is not None
    assert DisconnectNotice.parse(linger).lingering
    assert DisconnectNotice.parse(linger).uuid == "u1"
    final = message(b"Content-Type: text/disconnect-notice\nContent-Length: 3\n\nbye")
    assert not DisconnectNotice.parse(final).lingering
    with pytest.raises(RemoteProtocolError):
        DisconnectNotice.parse(command_reply("+OK"))
