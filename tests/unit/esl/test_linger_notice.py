"""A caller's name in the linger notice never becomes a message, a reply or an event."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from esl_controller.esl.errors import RemoteProtocolError
from esl_controller.esl.events import DisconnectNotice
from esl_controller.esl.framing import COMMAND_REPLY, EVENT_PLAIN, Framer, Message, serialise
from esl_controller.esl.linger_notice import NOTICE_BYTES

UUID = b"c60e8d63-f2fa-4e65-92bd-657b2f9acacf"
UNSAFE = re.compile(rb"[\r\n #%&+:;<=>?@\[\\\]^`{|}\"\x00-\x1f\x7f-\xff]")
EVENT_INNER = b"Event-Name: CHANNEL_HANGUP_COMPLETE\nUnique-ID: " + UUID + b"\nAnswer: real\n\n"
EVENT = b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (
    len(EVENT_INNER),
    EVENT_INNER,
)
REPLY = b"Content-Type: command/reply\nReply-Text: +OK bye\n\n"
RIGHT_TO_LEFT = "\u202e\u00e9".encode()
FORGED = (
    b"\napi status\n\n",
    b"\nContent-Length: 0\n\nContent-Length: 60\nContent-Type: text/event-plain\n\n"
    b"Event-Name: CHANNEL_HANGUP\nHangup-Cause: FORGED_BY_CALLER\n\n",
    b"\nLinger-Time: -1\nContent-Length: 0\n\n" + REPLY.replace(b"bye", b"forged"),
    b"\nLinger-Time: -1\nContent-Length: 0\n\n" + EVENT.replace(b"real", b"fake"),
    b"\nContent-Length: 99999999999\n\n",
    b"\nContent-Length: 4000000\n\n",
    b"\nContent-Disposition: disconnect\nContent-Length: 3\n\nbye",
    b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: x\n",
    b"\n\n\n\n",
    b"\r\n\r\n",
    b"%0A%0a%25%",
    b"%",
    b"",
)


def switch_url_encode(text: bytes) -> bytes:
    """As switch_utils.c does it: an escape in capitals that is there already is left alone."""
    pieces = re.split(rb"(%[0-9A-F]{2})", text)
    return b"".join(
        piece if place % 2 else UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], piece)
        for place, piece in enumerate(pieces)
    )


def connect_reply(name: bytes) -> bytes:
    return (
        b"Event-Name: CHANNEL_DATA\nChannel-Name: " + switch_url_encode(name) + b"\n"
        b"Unique-ID: " + UUID + b"\nContent-Type: command/reply\nReply-Text: %2BOK%0A\n\n"
    )


def linger_notice(name: bytes, linger_s: int = -1) -> bytes:
    """As mod_event_socket.c prints it into `char disco_buf[512]`."""
    return (
        b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: " + UUID + b"\n"
        b"Content-Disposition: linger\nChannel-Name: " + name + b"\n"
        b"Linger-Time: %d\nContent-Length: 0\n\n" % linger_s
    )[:NOTICE_BYTES]


def received(data: bytes, step: int) -> tuple[list[Message], bool]:
    """Return the messages of a stream cut every `step` bytes, and whether it failed."""
    framer, messages, failed = Framer(), [], False
    try:
        for start in range(0, len(data), step):
            framer.receive_data(data[start : start + step])
        framer.receive_eof()
    except RemoteProtocolError:
        failed = True
    while (message := framer.next_message()) is not None:
        messages.append(message)
    return messages, failed


names = st.builds(
    lambda parts, tail: b"sofia/internal/" + b"".join(parts) + tail,
    st.lists(
        st.one_of(
            st.sampled_from(FORGED),
            st.binary(max_size=12).map(lambda data: data.replace(b"\0", b"")),
            st.sampled_from(
                [b"\n", b"\r\n", b"%0A", b"%25", b":", "\u202e\u00e9".encode(), b"x" * 300]
            ),
        ),
        max_size=4,
    ),
    st.sampled_from([b"@127.0.0.1", b"", b"\n", b"%0"]),
)


@settings(deadline=None, max_examples=300)
@given(names, st.sampled_from([-1, 3]), st.sampled_from([1, 7, 64, 5000]))
def test_only_what_freeswitch_says_becomes_a_message(name, linger_s, step):
    notice = linger_notice(name, linger_s)
    stream = connect_reply(name) + notice + REPLY + EVENT
    messages, failed = received(stream, step)
    assert not failed
    assert [message.kind for message in messages] == [
        COMMAND_REPLY,
        "text/disconnect-notice",
        COMMAND_REPLY,
        EVENT_PLAIN,
    ]
    assert DisconnectNotice.parse(messages[1]).lingering
    assert [serialise(message) for message in messages[1:]] == [notice, REPLY, EVENT]


@settings(deadline=None, max_examples=60)
@given(names, st.integers(0, NOTICE_BYTES))
def test_a_notice_cut_by_the_end_of_the_stream_still_tells_the_hang_up(name, length):
    notice = linger_notice(name)
    fixed = notice.index(b"Channel-Name")
    cut = notice[: max(fixed, min(length, len(notice)))]
    messages, failed = received(connect_reply(name) + cut, 5000)
    assert not failed
    assert [serialise(message) for message in messages[1:]] == [cut]
    assert DisconnectNotice.parse(messages[1]).lingering


@settings(deadline=None, max_examples=100)
@given(names, names, st.sampled_from([1, 7, 5000]))
def test_after_a_notice_of_another_name_nothing_is_believed(known, printed, step):
    """An operator's `set_name` renames a channel: the hang-up is told, then the stream ends.

    Not told apart is a new name that is the old one and then a whole end of a notice. A caller
    cannot have one: his bytes are in the name from the beginning, and `connect` tells it.
    """
    assume(not printed.startswith(known + b"\nLinger-Time: "))
    notice = linger_notice(printed)
    if notice == linger_notice(known) or switch_url_encode(printed) == switch_url_encode(known):
        return  # told alike: "%0A" may stand for itself
    messages, failed = received(connect_reply(known) + notice + EVENT, step)
    assert failed or len(messages) == 2  # one name begins the other, and the notice is full
    assert DisconnectNotice.parse(messages[1]).lingering
    assert not any(message.kind in (COMMAND_REPLY, EVENT_PLAIN) for message in messages[2:])


@pytest.mark.parametrize("step", [1, 5000])
def test_without_channel_data_nothing_is_believed(step):
    messages, failed = received(linger_notice(b"sofia/x") + EVENT, step)
    assert failed
    assert [message.kind for message in messages] == ["text/disconnect-notice"]
