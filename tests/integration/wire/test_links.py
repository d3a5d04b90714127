"""Links over real sockets: messages, pings, and sockets of every make."""

import select
import time
from types import SimpleNamespace

import gevent
import gevent.socket

from bridge.wire import frames
from bridge.wire.frames import BINARY, PING, PONG, TEXT, FrameLimits, Role
from bridge.wire.keepalive import SLOTS, KeepAlive
from bridge.wire.link import LinkLimits
from bridge.wire.transport import CALLBACK_S, READ_BYTES, Transport
from tests.wire.ws.peers import (
    Owner,
    Peer,
    tcp_pair,
    tls_pair,
    until,
)

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


def test_a_slow_reader_gives_its_turn_away_after_each_read(monkeypatch):
    """The smallest frames take milliseconds a read: four in one go would be heard."""
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("bridge.wire.transport.time", clock)
    order = []

    def on_data(data):
        now[0] += CALLBACK_S
        order.append("read")
        gevent.get_hub().loop.run_callback(order.append, "others")

    ours, theirs = tcp_pair()
    theirs.sendall(bytes(3 * READ_BYTES))
    transport = Transport(ours, on_data=on_data, on_lost=print, max_buffered_bytes=1)
    until(lambda: order.count("others") == transport.bytes_in / READ_BYTES == 3)
    transport.close()
    theirs.close()
    assert order == ["read", "others"] * 3


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


def test_a_peer_that_is_heard_all_the_time_is_pinged_only_when_it_is_not():
    keepalive = KeepAlive(interval_s=0.05, max_missed=3, only_silent=True)
    ours, theirs = tcp_pair()
    owner, peer = Owner(), Peer(theirs)
    link = owner.link(ours, keepalive=keepalive)
    began = time.monotonic()
    while time.monotonic() - began < 0.3:
        peer.send(BINARY, b"frame")
        gevent.sleep(0.005)
    assert select.select([peer.sock], [], [], 0)[0] == []
    assert peer.receive()[0] == PING
    assert owner.wait_closed().reason == "peer does not answer pings"
    assert not link.is_open
    peer.sock.close()


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
