"""Recorded conversations, cut in every way: the messages are the same, and so are their bytes."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from esl_controller.esl.events import ChannelData, DisconnectNotice, Event, Reply
from esl_controller.esl.framing import (
    API_RESPONSE,
    AUTH_REQUEST,
    COMMAND_REPLY,
    DISCONNECT_NOTICE,
    EVENT_JSON,
    EVENT_PLAIN,
    Framer,
    Message,
    serialise,
)

from .conversations import received, sent

CONVERSATIONS = received()
BYTE_BY_BYTE_BYTES = 35_000


def feed(pieces: Iterable[bytes]) -> list[Message]:
    framer, messages = Framer(), []
    for piece in pieces:
        framer.receive_data(piece)
        while (message := framer.next_message()) is not None:
            messages.append(message)
    framer.receive_eof()
    return messages


def random_cuts(data: bytes, seed: str) -> Iterable[bytes]:
    chance = random.Random(seed)
    start = 0
    while start < len(data):
        end = start + int(chance.paretovariate(0.5))
        yield data[start:end]
        start = end


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_messages_do_not_depend_on_the_cuts(name):
    data = CONVERSATIONS[name]
    whole = feed([data])
    assert b"".join(map(serialise, whole)) == data
    assert feed(data.splitlines(keepends=True)) == whole
    assert feed(random_cuts(data, name)) == whole
    if len(data) <= BYTE_BY_BYTE_BYTES:
        assert feed(data[i : i + 1] for i in range(len(data))) == whole


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_every_message_has_its_typed_view(name):
    for message in feed([CONVERSATIONS[name]]):
        match message.kind:
            case kind if kind in (EVENT_PLAIN, EVENT_JSON):
                event = Event.parse(message)
                assert event.name.isupper()
                assert event.key
                if event.subclass.startswith("mod_audio_stream::") and "::json" not in event.key:
                    assert event.json_body()
            case kind if kind == COMMAND_REPLY and "Event-Name" in message.headers:
                channel = ChannelData.parse(message)
                assert len(channel.uuid) == 36
                assert channel.variable("direction") == "inbound"
            case kind if kind in (COMMAND_REPLY, API_RESPONSE):
                Reply.parse(message)
            case kind if kind == DISCONNECT_NOTICE:
                DisconnectNotice.parse(message)
            case _:
                assert message.kind == AUTH_REQUEST


def test_channel_data_of_a_whole_call():
    channel = ChannelData.parse(feed([CONVERSATIONS["s01_basic_16k_api.esl"]])[0])
    assert channel.uuid == "c60e8d63-f2fa-4e65-92bd-657b2f9acacf"
    assert channel.caller_id_name == "Caller"
    assert channel.caller_id_number == "5551000"
    assert channel.destination_number == "8001"
    assert channel.asynchronous
    assert channel.full_control
    assert channel.get("Reply-Text") == "+OK\n"
    assert channel.variable("current_application_data") == "127.0.0.1:8084 async full"


def test_events_of_a_whole_call():
    messages = feed([CONVERSATIONS["s01_basic_16k_api.esl"]])
    events = [Event.parse(message) for message in messages if message.kind == EVENT_PLAIN]
    keys = [event.key for event in events]
    connected = events[keys.index("mod_audio_stream::connect")]
    assert connected.json_body() == {"status": "connected"}
    assert {event.dtmf_digit for event in events if event.name == "DTMF"}
    complete = events[keys.index("CHANNEL_HANGUP_COMPLETE")]
    assert complete.hangup_cause == "NORMAL_CLEARING"
    assert complete.variable("sip_hangup_disposition") == "recv_bye"
    notices = [DisconnectNotice.parse(m) for m in messages if m.kind == DISCONNECT_NOTICE]
    assert [notice.lingering for notice in notices] == [True, False]


def test_json_and_plain_events_read_alike():
    messages = feed([CONVERSATIONS["s10_execute_semantics.esl"]])
    events = [Event.parse(message) for message in messages if message.kind == EVENT_JSON]
    event = next(event for event in events if event.name == "CHANNEL_EXECUTE_COMPLETE")
    assert (event.application, event.application_uuid) == ("set", "L1")
    assert event.get("Channel-Name").startswith("sofia/internal/5551000@")
    assert event.variable("a") == "b"


def test_freeswitch_may_park_the_call_after_it_has_answered_myevents():
    """Why a session must not leave right behind `connect`: the park is the first event seen."""
    parked_late = 0
    for name, data in CONVERSATIONS.items():
        if not sent().get(name, b"").startswith(b"connect\n\n"):
            continue
        kinds = (Event.parse(m).key for m in feed([data]) if m.kind == EVENT_PLAIN)
        parked_late += next(kinds, "") == "CHANNEL_PARK"
    assert parked_late == 10
