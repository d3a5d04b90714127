"""Recorded conversations played to a real session: each command gets its own reply."""

from __future__ import annotations

import gevent
import pytest

from esl_controller.esl.commands import Command
from esl_controller.esl.errors import CallGone
from esl_controller.esl.session import ControllerSession
from tests.wire.esl.conversations import received, sent
from tests.wire.esl.test_captured_commands import split

from .esl_peer import pair

RECEIVED, SENT = received(), sent()
# One socket closed before any command, and one whose first command was not `connect`.
CALLS = [name for name in RECEIVED if SENT.get(name, b"").startswith(b"connect\n\n")]
TEXTS = {
    "linger": "+OK will linger",
    "myevents": "+OK Events Enabled",
    "event plain": "+OK event listener enabled plain",
    "exit": "+OK bye",
}


def play(sock, commands_length: int, answer: bytes) -> None:
    while commands_length > 0:
        commands_length -= len(sock.recv(65536))
    sock.sendall(answer)
    sock.close()


@pytest.mark.parametrize("name", CALLS)
def test_replies_match_their_commands(name):
    batch = [Command(tuple(text.split("\n")), body) for text, body in split(SENT[name])]
    hung_up = b"Event-Name: CHANNEL_HANGUP" in RECEIVED[name]
    with pair() as (ours, theirs):
        session = ControllerSession(ours)
        player = gevent.spawn(play, theirs, len(SENT[name]), RECEIVED[name])
        waiters = session._connection.post(batch, 5)
        assert session.gone.wait(5)
        player.get(timeout=5)
        session.close()
    noticed = b"Disconnected, goodbye." in RECEIVED[name]
    expected = "FreeSWITCH disconnected" if noticed else "connection closed by FreeSWITCH"
    assert session.gone_reason == expected
    assert session.hungup == hung_up
    assert session.stats.malformed_events == 0
    assert session.stats.unknown_messages == 0
    for command, waiter in zip(batch, waiters, strict=True):
        try:
            message = waiter.wait(0)
        except CallGone:
            continue  # the call was hung up first, or the recording ends here
        expected = next((TEXTS[key] for key in TEXTS if command.lines[0].startswith(key)), None)
        text = message.headers.get("Reply-Text")
        if text == "-ERR command not found":
            continue  # recorded so: no such command, or a socket without full control
        assert text.startswith(expected or "")
        assert (message.kind == "api/response") == command.is_api
