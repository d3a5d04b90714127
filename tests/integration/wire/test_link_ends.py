"""How links end, whoever ends them and however badly."""

import logging
import socket
import struct

import gevent
import gevent.socket
import pytest

from bridge.errors import LocalProtocolError
from bridge.wire import frames
from bridge.wire.frames import BINARY, CLOSE, PING, TEXT, Role
from bridge.wire.link import LinkLimits
from bridge.wire.transport import Transport
from tests.wire.ws.peers import (
    PAIRS,
    Owner,
    Peer,
    tcp_pair,
    tls_pair,
    until,
)

# --- ending ---


def test_the_peer_closes(wire):
    link, owner, peer = wire
    peer.send(CLOSE, frames.encode_close(1000, "Normal closure"))
    assert peer.receive() == (CLOSE, b"\x03\xe8")
    peer.wait_end()
    info = owner.wait_closed()
    assert (info.code, info.reason, info.clean) == (1000, "Normal closure", True)
    assert not link.send_binary(b"too late")
    assert (link.dropped, link.is_open) == (1, False)


def test_messages_before_a_close_in_the_same_read_are_delivered(server):
    _, owner, peer = server
    peer.sock.sendall(peer.frame(TEXT, b"last words") + peer.frame(CLOSE) + peer.frame(TEXT, b"no"))
    assert owner.wait_closed().code == frames.NO_STATUS
    assert owner.messages == [(TEXT, b"last words")]


def test_we_close_and_tcp_goes_as_soon_as_the_peer_answers(wire):
    link, owner, peer = wire
    link.close(1001, "drained")
    link.close(1011, "a second close changes nothing")
    assert owner.closed == []
    assert peer.receive() == (CLOSE, b"\x03\xe9drained")
    peer.send(TEXT, b"crossing")
    peer.send(CLOSE, b"\x03\xe9")
    peer.wait_end()
    info = owner.wait_closed()
    assert (info.code, info.reason, info.clean) == (1001, "drained", True)
    assert owner.messages == []


def test_we_close_and_the_peer_never_answers(server):
    link, owner, peer = server
    link.close()
    assert peer.receive() == (CLOSE, b"\x03\xe8")
    peer.wait_end()
    info = owner.wait_closed()
    assert (info.code, info.clean) == (1000, False)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_the_peer_vanishes(server, end):
    link, owner, peer = server
    peer.send(TEXT, b"half a frame follows")
    owner.wait_messages(1)
    peer.sock.sendall(peer.frame(TEXT, b"never complete")[:5])
    peer.sock.close() if end == "close" else peer.reset()
    info = owner.wait_closed()
    assert (info.code, info.clean) == (frames.ABNORMAL, False)
    assert (info.error is None) == (end == "close")
    assert not link.send_text(b"x")


def test_a_tls_peer_that_closes_tcp_without_goodbye():
    client, theirs = tls_pair()
    owner = Owner()
    owner.link(client, Role.CLIENT)
    Peer(theirs).reset()
    assert owner.wait_closed().code == frames.ABNORMAL


def test_a_failed_send_tells_the_owner_later():
    ours, theirs = tcp_pair()
    owner = Owner()
    link = owner.link(ours)
    Peer(theirs).reset()
    # No turn of the hub between: the first write meets the reset.
    while link.send_binary(b"x"):
        assert owner.closed == []
    assert owner.closed == []
    assert owner.wait_closed().code == frames.ABNORMAL


def test_a_transport_tells_its_loss_later():
    ours, theirs = tcp_pair()
    lost = []
    transport = Transport(
        ours, on_data=lambda data: None, on_lost=lost.append, max_buffered_bytes=1000
    )
    Peer(theirs).reset()
    while transport.send(b"x"):
        assert lost == []
    assert (lost, transport.closed) == ([], True)
    until(lambda: lost)
    assert isinstance(lost[0], OSError)


@pytest.mark.parametrize(
    ("wire_bytes", "code"),
    [
        (b"\x82\x05hello", 1002),
        (b"\xc2\x80\x01\x02\x03\x04", 1002),
        (b"\x82\xff" + b"\xff" * 8, 1009),
        (b"\x81\x81\x00\x00\x00\x00\xff", 1007),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
def test_a_peer_that_breaks_the_rules_is_told_why(server, wire_bytes, code):
    _, owner, peer = server
    peer.sock.sendall(peer.frame(TEXT, b"good") + wire_bytes + b"\x00" * 100)
    opcode, payload = peer.receive()
    assert (opcode, payload[:2]) == (CLOSE, struct.pack("!H", code))
    peer.wait_end()
    info = owner.wait_closed()
    assert (info.code, info.clean) == (code, False)
    assert info.error is not None
    assert owner.messages == [(TEXT, b"good")]


def test_a_rule_breaker_gets_time_to_read_why(server, monkeypatch):
    monkeypatch.setattr("bridge.wire.link.CLOSE_DEADLINE_S", 60.0)
    link, owner, peer = server
    peer.sock.sendall(b"\xff" * 10)
    until(lambda: not link.is_open)
    peer.sock.sendall(b"\xff" * 10)
    until(lambda: link.bytes_in == 20)
    assert owner.closed == []
    assert peer.receive()[0] == CLOSE
    peer.sock.shutdown(socket.SHUT_WR)
    assert owner.wait_closed().code == 1002


def test_a_rule_breaker_that_goes_on_talking_is_cut_off(server):
    _, owner, peer = server
    peer.sock.sendall(b"\xff" * 10)
    with pytest.raises(OSError):
        while True:
            peer.sock.sendall(b"\xff" * 1000)
            gevent.sleep(0)
    assert owner.wait_closed().code == 1002


def test_a_close_code_that_may_not_be_sent_is_our_mistake(server):
    link, _, _ = server
    with pytest.raises(LocalProtocolError):
        link.close(1006)
    assert link.is_open


# --- peers that do not read ---


@pytest.mark.parametrize("pair", ["tcp", "tls"])
def test_what_the_kernel_does_not_take_is_kept_and_sent_in_order(pair):
    ours, theirs = PAIRS[pair]()
    owner, peer = Owner(), Peer(theirs, Role.SERVER)
    limits = LinkLimits(max_buffered_bytes=1 << 25)
    link = owner.link(ours, Role.CLIENT, limits=limits)
    chunks = [bytes([i]) * 300_000 for i in range(64)]
    for chunk in chunks:
        assert link.send_binary(chunk)
    assert link.buffered_bytes > 1_000_000
    assert [peer.receive()[1] for _ in chunks] == chunks
    until(lambda: link.buffered_bytes == 0)
    assert not link._transport._writer.active  # or the hub would spin
    assert link.send_text(b"and on")
    assert peer.receive() == (TEXT, b"and on")
    link.close()
    assert peer.receive()[0] == CLOSE
    peer.sock.close()
    owner.wait_closed()


def test_a_peer_that_never_reads_is_ended_at_the_limit(server):
    link, owner, _ = server
    sent = 0
    while link.send_binary(b"x" * 1000):
        sent += 1
        assert link.buffered_bytes <= LinkLimits().max_buffered_bytes
        assert sent < 100_000
    assert owner.closed == []
    info = owner.wait_closed()
    assert (info.code, info.clean) == (frames.TRY_AGAIN_LATER, False)
    assert link.dropped == 1
    assert link.buffered_bytes == 0


# --- owners that fail ---


def test_an_owner_that_fails_loses_its_link_only(caplog):
    ours, theirs = tcp_pair()
    owner, peer = Owner(), Peer(theirs)
    owner.on_messages = lambda messages: 1 / 0
    with caplog.at_level(logging.ERROR, "bridge.wire"):
        owner.link(ours)
        peer.send(TEXT, b"a secret payload")
        assert peer.receive() == (CLOSE, frames.encode_close(1011, "internal error"))
        peer.sock.close()
        info = owner.wait_closed()
    assert isinstance(info.error, ZeroDivisionError)
    assert "closing this link" in caplog.text
    assert "secret" not in caplog.text


def test_an_owner_that_fails_at_the_end_does_no_harm(caplog):
    ours, theirs = tcp_pair()
    owner, told = Owner(), []

    def fail(info):
        told.append(info)
        raise RuntimeError("handler")

    owner.on_closed = fail
    owner.link(ours).abort()
    until(lambda: "close handler failed" in caplog.text)
    assert len(told) == 1
    theirs.close()


@pytest.mark.parametrize("way", ["close", "abort"])
def test_closing_from_inside_the_handler(way):
    ours, theirs = tcp_pair()
    owner, peer = Owner(), Peer(theirs)
    seen = []
    owner.on_messages = lambda messages: (seen.append(messages), getattr(link, way)())
    link = owner.link(ours)
    peer.sock.sendall(peer.frame(TEXT, b"a") + peer.frame(PING) + peer.frame(CLOSE))
    owner.wait_closed()
    assert seen == [[(TEXT, b"a")]]
    peer.sock.close()


@pytest.mark.parametrize("pair", PAIRS)
def test_closing_from_inside_the_handler_with_more_to_read(pair):
    ours, theirs = PAIRS[pair]()
    owner, peer = Owner(), Peer(theirs, Role.SERVER)
    seen = []
    owner.on_messages = lambda messages: (seen.append(len(messages)), link.abort())
    whole = peer.frame(BINARY, b"x" * 1000) * 60
    gevent.spawn(peer.sock.sendall, whole).join(0.05)
    link = owner.link(ours, Role.CLIENT)
    owner.wait_closed()
    assert len(seen) == 1
    peer.sock.close()


def test_ending_before_the_link_ever_ran():
    ours, theirs = tcp_pair()
    owner = Owner()
    link = owner.link(ours, initial=b"\x82\x80\x00\x00\x00\x00")
    link.abort(reason="changed my mind")
    assert owner.closed == []
    assert owner.wait_closed().reason == "changed my mind"
    assert owner.messages == []
    theirs.close()
