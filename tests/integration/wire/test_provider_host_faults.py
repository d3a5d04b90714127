"""A fault in a protocol, or in whoever owns its host, ends that host alone."""

import pytest

from bridge.providers.base import ErrorKind, ProviderFailure, Usage
from bridge.wire.frames import TEXT
from tests.integration.wire.provider_peer import Session, up
from tests.wire.ws.peers import until

BROKEN = ProviderFailure(ErrorKind.PROTOCOL, "internal_error", "internal error", True, True)


@pytest.mark.parametrize("fault", ["receive", "open", "timeout", "command", "audio", "end"])
def test_an_error_of_the_protocol_ends_this_host_only(make, caplog, fault):
    provider, session = make()
    protocol = session.protocol
    if fault == "open":
        protocol.receive_open = lambda channel, now: 1 / 0
    until(lambda: provider.peers)
    until(lambda: protocol.opened_at or session.failures)
    peer = provider.peers[0]
    if fault == "receive":
        peer.send(TEXT, b"fail")
    elif fault == "timeout":
        protocol.handle_timeout = lambda now: 1 / 0
        protocol.deadline = session.host._clock()
        session.host.flush()
    elif fault == "command":
        protocol.next_deadline = lambda: 1 / 0
        session.host.flush()
    elif fault == "audio":
        protocol.actions = lambda: 1 / 0
        session.host.flush_audio()
    elif fault == "end":
        protocol.receive_end = lambda channel, end, now: 1 / 0
        peer.reset()
    assert session.wait_failure() == BROKEN
    assert Usage("test", audio_seconds=7.0) in session.events
    assert "Traceback" in caplog.text


def test_an_error_of_the_owner_ends_this_host_only(make, caplog):
    provider, session = up(make())
    told = []

    def on_events(events):
        told.append(events)
        if len(told) == 1:
            raise RuntimeError("owner failed")

    session.host._on_events = on_events
    provider.peers[0].send(TEXT, b"speech")
    until(lambda: len(told) == 2)
    assert told[1][-1] == BROKEN
    assert "owner failed" in caplog.text


@pytest.mark.parametrize("moment", ["start", "connect"])
def test_an_error_before_the_connection_is_told_once(make, monkeypatch, caplog, moment):
    if moment == "connect":
        monkeypatch.setattr("bridge.wire.websocket_channel.open_websocket", lambda *a, **o: 1 / 0)
    session = Session("ws://127.0.0.1:9/")
    if moment == "start":
        session.protocol.start = lambda conversation, now: 1 / 0
    session.start()
    assert session.failures == []
    assert session.wait_failure() == BROKEN
    assert "ZeroDivisionError" in caplog.text
