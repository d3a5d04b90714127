"""Links over real sockets, with every kind of peer."""

import logging
import socket
import struct

import gevent
import gevent.socket
import pytest

from bridge.errors import LocalProtocolError
from bridge.wire import frames
from bridge.wire.datagram import DatagramLink
from bridge.wire.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameLimits, Role
from bridge.wire.keepalive import SLOTS, KeepAlive
from bridge.wire.link import LinkLimits
from tests.wire.ws.peers import (
    PAIRS,
    Owner,
    Peer,
    nothing_left_behind,
    tcp_pair,
    tls_pair,
    until,
)

clean = pytest.fixture(autouse=True)(nothing_left_behind)


@pytest.fixture(params=PAIRS)
def wire(request):
    """A link as client or server, its owner and its peer."""
    ours, theirs = PAIRS[request.param]()
    owner = Owner()
    # A TLS link is a client's in production: providers are reached by wss.
    tls = request.param == "tls"
    link = owner.link(ours, Role.CLIENT if tls else Role.SERVER)
    peer = Peer(theirs, Role.SERVER if tls else Role.CLIENT)
    yield link, owner, peer
    link.abort()
    peer.sock.close()
    owner.wait_closed()


@pytest.fixture
def server():
    """A server's link over TCP."""
    ours, theirs = tcp_pair()
    owner = Owner()
    link = owner.link(ours)
    peer = Peer(theirs)
    yield link, owner, peer
    link.abort()
    peer.sock.close()
    owner.wait_closed()


# --- messages ---


def test_messages_both_ways(wire):
    link, owner, peer = wire
    peer.send(TEXT, b"hello")
    peer.send(BINARY, b"\x00" * 640)
    assert owner.wait_messages(2) == [(TEXT, b"hello"), (BINARY, b"\x00" * 640)]
    assert link.send_text(b"hi")
    assert link.send_binary(b"\x01" * 70_000)
    assert [peer.receive(), peer.receive()] == [(TEXT, b"hi"), (BINARY, b"\x01" * 70_000)]
    assert (link.frames_in, link.frames_out, link.dropped) == (2, 2, 0)
    assert link.bytes_out > 70_000
    assert link.bytes_in > 640


def test_one_call_for_all_messages_of_a_read(server):
    _, owner, peer = server
    peer.sock.sendall(b"".join(peer.frame(BINARY, bytes([i])) for i in range(20)))
    assert owner.wait_messages(20) == [(BINARY, bytes([i])) for i in range(20)]
    assert len(owner.calls) == 1


def test_a_large_message(wire):
    _, owner, peer = wire
    payload = bytes(range(256)) * 4000
    gevent.spawn(peer.send, BINARY, payload)
    assert owner.wait_messages(1) == [(BINARY, payload)]


def test_a_peer_that_sends_byte_by_byte(wire):
    _, owner, peer = wire
    for byte in peer.frame(TEXT, b"slow") + peer.frame(BINARY, b"ly"):
        peer.sock.sendall(bytes([byte]))
        gevent.sleep(0)
    assert owner.wait_messages(2) == [(TEXT, b"slow"), (BINARY, b"ly")]


def test_bytes_read_too_far_by_the_handshake_come_first():
    ours, theirs = tcp_pair()
    owner, peer = Owner(), Peer(theirs)
    whole = peer.frame(TEXT, b"one") + peer.frame(TEXT, b"two")
    peer.sock.sendall(whole[12:])
    link = owner.link(ours, initial=whole[:12])
    assert owner.messages == []
    assert owner.wait_messages(2) == [(TEXT, b"one"), (TEXT, b"two")]
    link.abort()
    owner.wait_closed()
    peer.sock.close()


def test_tls_data_decrypted_before_the_adoption_is_not_forgotten():
    client, theirs = tls_pair()
    owner, peer = Owner(), Peer(theirs, Role.SERVER)
    peer.sock.sendall(b"x" + peer.frame(TEXT, b"same record"))
    assert client.recv(1) == b"x"
    assert client.pending() > 0
    link = owner.link(client, Role.CLIENT)
    assert owner.wait_messages(1) == [(TEXT, b"same record")]
    link.abort()
    owner.wait_closed()
    peer.sock.close()


def test_the_hub_keeps_turning_in_a_flood(server):
    _, owner, peer = server
    burst = peer.frame(BINARY, b"") * 20_000
    flood = gevent.spawn(lambda: [peer.sock.sendall(burst) for _ in range(2)])
    turns = 0
    while not flood.ready() or len(owner.messages) < 40_000:
        gevent.sleep(0)
        turns += 1
    assert turns > 20
    assert max(len(call) for call in owner.calls) <= 16384 // 6 + 1


# --- pings ---


def test_only_the_last_ping_of_a_read_is_answered(server):
    _, owner, peer = server
    pings = b"".join(peer.frame(PING, str(i).encode()) for i in range(100))
    peer.sock.sendall(pings + peer.frame(TEXT, b"after"))
    owner.wait_messages(1)
    peer.send(PING, b"end")
    assert [peer.receive(), peer.receive()] == [(PONG, b"99"), (PONG, b"end")]


def test_round_trip_time(server):
    link, _, peer = server
    link.ping()
    opcode, payload = peer.receive()
    assert opcode == PING
    peer.send(PONG, b"not ours")
    peer.send(PONG, payload)
    until(lambda: link.rtt_s is not None)
    first = link.rtt_s
    peer.send(PONG, payload)  # a second pong to the same ping counts for nothing
    peer.send(PING, b"done")
    peer.receive()
    assert link.rtt_s == first
    assert 0 <= first < 5


def test_the_keepalive_gives_up_a_silent_peer_and_keeps_one_that_answers():
    keepalive = KeepAlive(interval_s=0.05, max_missed=2)
    owners, peers, links = [], [], []
    for _ in range(SLOTS + 1):
        ours, theirs = tcp_pair()
        owners.append(Owner())
        links.append(owners[-1].link(ours, keepalive=keepalive))
        peers.append(Peer(theirs))
    assert len(keepalive) == SLOTS + 1
    alive = gevent.spawn(lambda: [peers[0].send(PONG, peers[0].receive()[1]) for _ in range(10)])
    for owner in owners[1:]:
        assert owner.wait_closed().reason == "peer does not answer pings"
    alive.get(timeout=5)
    assert links[0].is_open
    links[0].close()
    owners[0].wait_closed()
    assert len(keepalive) == 0
    for peer in peers:
        peer.sock.close()


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


# --- datagrams ---


@pytest.fixture
def unicast():
    """A datagram link, what it heard, and FreeSWITCH's end."""
    heard: list[bytes] = []
    switch = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    switch.bind(("127.0.0.1", 0))
    switch.settimeout(5)
    link = DatagramLink(on_datagram=heard.append)
    link.connect(switch.getsockname())
    yield link, heard, switch
    link.close()
    switch.close()


def test_datagrams_both_ways(unicast):
    link, heard, switch = unicast
    for i in range(40):
        switch.sendto(bytes([i]) * 320, link.address)
    until(lambda: len(heard) == 40)
    assert [data[0] for data in heard] == list(range(40))
    assert link.send(b"\x01" * 320)
    assert switch.recv(1000) == b"\x01" * 320
    assert (link.datagrams_in, link.datagrams_out, link.bytes_in) == (40, 1, 40 * 320)


def test_only_the_agreed_remote_is_heard():
    heard: list[bytes] = []
    link = DatagramLink(on_datagram=heard.append)
    switch = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    switch.bind(("127.0.0.1", 0))
    stranger.sendto(b"before", link.address)
    link.connect(switch.getsockname())
    stranger.sendto(b"after", link.address)
    switch.sendto(b"agreed", link.address)
    until(lambda: heard)
    gevent.sleep(0)
    assert heard == [b"agreed"]
    assert link.dropped == 1
    for sock in (switch, stranger, link):
        sock.close()


def test_datagrams_that_are_not_sent(unicast):
    link, _, switch = unicast
    with pytest.raises(LocalProtocolError):
        link.send(b"")
    assert not link.send(b"x" * 70_000)
    assert link.dropped == 1
    switch.close()
    until(lambda: link.send(b"x") is False or link.refused, "the host refuses")
    assert link.refused >= 1
    assert not link.closed
    link.close()
    link.close()
    assert not link.send(b"x")


def test_datagrams_too_long_are_dropped(unicast):
    link, heard, switch = unicast
    switch.sendto(b"x" * 9000, link.address)
    switch.sendto(b"fine", link.address)
    until(lambda: heard)
    assert (heard, link.dropped) == ([b"fine"], 1)


def test_a_datagram_owner_that_fails(caplog):
    switch = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    switch.bind(("127.0.0.1", 0))
    link = DatagramLink(on_datagram=lambda data: 1 / 0, remote=switch.getsockname())
    switch.sendto(b"a", link.address)
    switch.sendto(b"b", link.address)
    until(lambda: link.closed)
    assert "datagram handler failed" in caplog.text
    switch.close()


# --- sockets of other makes ---


def test_gevents_own_socket_is_used_up():
    ours, theirs = gevent.socket.socketpair()
    owner = Owner()
    link = owner.link(ours)
    assert ours.fileno() == -1
    link.abort()
    owner.wait_closed()
    theirs.close()


def test_a_limit_on_messages_counts_fragments():
    ours, theirs = tcp_pair()
    owner, peer = Owner(), Peer(theirs)
    owner.link(ours, limits=LinkLimits(FrameLimits(max_message_bytes=100)))
    first = bytearray(peer.frame(BINARY, b"a" * 90))
    first[0] &= 0x7F
    peer.sock.sendall(bytes(first) + peer.frame(frames.CONTINUATION, b"b" * 90))
    assert owner.wait_closed().code == frames.TOO_BIG
    peer.sock.close()
