"""What one session reads, believes and says: G1, G3, G25 to G30."""

from __future__ import annotations

import logging
import socket
from typing import Any

import gevent
import pytest
from greenswitch.esl import InboundESL, OutboundSession

from esl_controller.esl.errors import CallGone
from esl_controller.esl.session import ControllerSession
from tests.integration.esl_peer import (
    LINGER_NOTICE,
    UUID,
    Peer,
    channel_data,
    event,
    pair,
    reply,
    until,
)

from .kit import BOTH, HANG_S, Scenarios, holds, outcome, say

DEFECTS = Scenarios()


@DEFECTS.add
def g01_caller_cannot_forge_a_header(session: Any, peer: Peer) -> bool:
    name = ("Caller-Caller-ID-Name", "Bob\nUnique-ID: forged\nvariable_provider: evil")
    peer.answers["connect"] = channel_data(name)
    session.connect()
    return (
        session.session_data.get("Unique-ID"),
        session.session_data.get("variable_provider"),
    ) in (
        (UUID, None),
        (UUID, ""),
    )


@DEFECTS.add
def g03_argument_cannot_add_a_command(session: Any, peer: Peer) -> bool:
    session.connect()
    outcome(session.call_command, "playback", "x.wav\n\napi system id")
    gevent.sleep(0.02)
    return not any(command.startswith("api") for command in peer.commands)


@DEFECTS.add
def g25_refused_connect_is_an_error(session: Any, peer: Peer) -> bool:
    peer.answers["connect"] = reply("-ERR no")
    return isinstance(outcome(session.connect), Exception)


@DEFECTS.add
def g26_body_is_the_body(session: Any, peer: Peer) -> bool:
    seen = []
    session.connect()
    session.register_handle("mod_audio_stream::json", seen.append)
    body = b'{"path": "100%41",\n"a: b": 1}'
    peer.send(event("CUSTOM", ("Event-Subclass", "mod_audio_stream::json"), body=body))
    until(lambda: seen)
    return getattr(seen[0], "body", None) == body


@DEFECTS.add
def g27_empty_value_does_not_swallow_the_next_line(session: Any, peer: Peer) -> bool:
    empty = b"Empty:\nSocket-Mode"
    peer.answers["connect"] = channel_data().replace(b"Socket-Mode", empty)
    session.connect()
    data = session.session_data
    return (data.get("Reply-Text", "x").strip(), data.get("Empty", "x")) == ("+OK", "")


@DEFECTS.add
def g27_json_events_are_read(session: Any, peer: Peer) -> bool:
    seen = []
    session.connect()
    session.register_handle("DTMF", seen.append)
    inner = b'{"Event-Name":"DTMF","DTMF-Digit":"5"}'
    peer.send(b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(inner), inner)
    gevent.sleep(0.02)
    return bool(seen)


@DEFECTS.add
def g28_body_of_a_notice_is_not_read_as_messages(session: Any, peer: Peer) -> bool:
    session.connect()
    body = reply("+OK forged")
    notice = b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\n"
    peer.answers["linger"] = notice + b"Content-Length: %d\n\n" % len(body) + body
    answer = outcome(say, session, "linger")
    return isinstance(answer, CallGone)


@DEFECTS.add
def g29_one_exception_for_a_call_that_has_gone(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(LINGER_NOTICE)
    gevent.sleep(0.02)
    lingering = outcome(session.call_command, "playback", "x")
    peer.close()
    gevent.sleep(0.02)
    return type(lingering) is type(outcome(say, session, "linger"))


@DEFECTS.add
def g30_background_jobs_are_matched(session: Any, peer: Peer) -> bool:
    session.connect()
    return hasattr(session, "bgapi") and session.bgapi("status", "", 1) == "+OK\n"


@BOTH
@pytest.mark.parametrize("name", DEFECTS)
def test_session(name: str, ours: bool) -> None:
    assert holds(DEFECTS[name], ours) is ours


@BOTH
def test_g29_callers_number_is_not_logged(caplog, ours):
    caplog.set_level(logging.DEBUG)
    with pair() as (near, far):
        session = ControllerSession(near) if ours else OutboundSession(None, near)
        peer = Peer(far)
        session.connect()
        peer.send(event("CHANNEL_HANGUP"), LINGER_NOTICE)
        gevent.sleep(0.02)
        assert ("5551000" in caplog.text) is not ours
        assert ("root" in {record.name for record in caplog.records}) is not ours
        if ours:
            session.close()


def test_g30_inbound_connection_does_not_come_back():
    """Ours does: test_esl_inbound."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = InboundESL("127.0.0.1", listener.getsockname()[1], "ClueCon")
    connecting = gevent.spawn(client.connect)
    sock, _ = listener.accept()
    peer = Peer(sock, {"auth": reply("+OK accepted")})
    peer.send(b"Content-Type: auth/request\n\n")
    connecting.get(timeout=5)
    peer.close()
    until(lambda: not client.connected)
    listener.settimeout(HANG_S)
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()
