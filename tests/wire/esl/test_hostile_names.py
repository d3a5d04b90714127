"""Callers whose name is made to break the stream, as FreeSWITCH 1.11.1 sent it.

Each conversation is `connect`, `linger`, `myevents`, the answer, the caller's BYE, `exit`. The user
part of the From address held, percent-encoded, what the name of the file says: forged lines, a
forged event, a forged end of the notice with a forged reply, 480 digits (mod_sofia cuts the name at
255 bytes), and escapes as text. The machine's own addresses were replaced at equal length; nothing
else was touched.
"""

from __future__ import annotations

import pathlib
import tarfile

import pytest

from esl_controller.esl.events import DisconnectNotice, Event
from esl_controller.esl.framing import (
    COMMAND_REPLY,
    DISCONNECT_NOTICE,
    EVENT_PLAIN,
    Framer,
    Message,
    serialise,
)

with tarfile.open(pathlib.Path(__file__).with_name("hostile_names.tar.xz")) as archive:
    CONVERSATIONS = {
        member.name.removesuffix(".bin"): file.read()
        for member in archive
        if (file := archive.extractfile(member)) is not None
    }


def messages(data: bytes, step: int) -> list[Message]:
    framer, found = Framer(), []
    for start in range(0, len(data), step):
        framer.receive_data(data[start : start + step])
        while (message := framer.next_message()) is not None:
            found.append(message)
    framer.receive_eof()
    return found


@pytest.mark.parametrize("step", [1, 13, 65536])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_only_freeswitchs_own_messages_are_taken(name: str, step: int) -> None:
    data = CONVERSATIONS[name]
    found = messages(data, step)
    assert b"".join(map(serialise, found)) == data
    events = [Event.parse(message) for message in found if message.kind == EVENT_PLAIN]
    assert events[-1].name == "CHANNEL_HANGUP_COMPLETE"
    assert {event.hangup_cause for event in events if event.hangup_cause} == {"NORMAL_CLEARING"}
    assert len({event.unique_id for event in events}) == 1
    assert [event.name for event in events].count("CHANNEL_HANGUP") == 1
    replies = [m.headers["Reply-Text"] for m in found if m.kind == COMMAND_REPLY]
    assert len(replies) == 5  # connect, linger, myevents, sendmsg, exit
    assert all(reply.startswith("+OK") for reply in replies)
    linger, goodbye = (m for m in found if m.kind == DISCONNECT_NOTICE)
    assert DisconnectNotice.parse(linger).lingering
    assert not DisconnectNotice.parse(goodbye).lingering
