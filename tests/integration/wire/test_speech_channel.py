"""Channels to the local speech process, over a real socket."""

import gevent
import gevent.event
import pytest

from bridge.speech.channel import MAX_BUFFERED_BYTES, SpeechChannel
from bridge.speech.frames import MAX_PAYLOAD_BYTES, Kind
from bridge.wire.channel import ChannelEnd, Ender
from tests.integration.wire.http_peer import Owner, SpeechPeer
from tests.wire.ws.peers import PATIENCE_S, until


@pytest.fixture
def talk():
    """`talk(serve)` gives the process, the owner and the channel."""
    made = []

    def build(serve, timeout_s=5.0):
        peer = SpeechPeer(serve)
        owner = Owner()
        options = {"voice": "pt"}
        channel = SpeechChannel(peer.path, "piper", options, owner.listener, timeout_s=timeout_s)
        made.extend([channel, peer])
        return peer, owner, channel

    yield build
    for thing in made:
        thing.close()


def echo(peer, service, options):
    peer.send(Kind.READY)
    peer.send(Kind.TEXT, f"{service} {options['voice']}".encode())
    while True:
        kind, payload = peer.receive()
        peer.send(kind, payload)


def test_messages_both_ways(talk):
    _, owner, channel = talk(echo)
    assert channel.send(b"too early", False) is False
    until(lambda: owner.messages == [b"piper pt"])
    assert owner.opened == 1
    assert channel.send(b"words", False)
    assert channel.send(b"", True)
    until(lambda: owner.messages[1:] == [b"words", b""])
    assert channel.send(b"x" * (MAX_PAYLOAD_BYTES + 1), True) is False


def test_a_service_that_refuses(talk):
    def refuse(peer, service, options):
        peer.send(Kind.REFUSED, b"no voice pt")

    _, owner, _ = talk(refuse)
    assert owner.wait_end() == ChannelEnd(Ender.PEER, "protocol", reason="no voice pt")
    assert owner.opened == 0


def test_a_process_that_goes(talk):
    def leave(peer, service, options):
        peer.send(Kind.READY)

    _, owner, channel = talk(leave)
    end = owner.wait_end()
    assert (end.by, end.stage) == (Ender.NETWORK, "")
    assert channel.send(b"x", False) is False


def test_a_process_that_is_never_ready(talk):
    _, owner, _ = talk(lambda peer, service, options: peer.receive(), timeout_s=0.05)
    end = owner.wait_end()
    assert (end.by, end.stage) == (Ender.NETWORK, "timeout")


def test_nonsense_ends_the_channel(talk):
    def babble(peer, service, options):
        peer.sock.sendall(b"\xff" * 100)
        peer.receive()

    _, owner, _ = talk(babble)
    end = owner.wait_end()
    assert (end.by, end.stage) == (Ender.PEER, "protocol")


def test_a_process_that_does_not_read_is_our_limit(talk):
    seen = gevent.event.Event()

    def deaf(peer, service, options):
        peer.send(Kind.READY)
        seen.wait(PATIENCE_S)

    _, owner, channel = talk(deaf)
    until(lambda: owner.opened)
    for _ in range(8):
        channel.send(b"x" * (MAX_BUFFERED_BYTES // 2), True)
    assert owner.wait_end().by is Ender.US
    seen.set()


def test_no_process_at_all(tmp_path):
    owner = Owner()
    channel = SpeechChannel(None, "piper", {}, owner.listener, timeout_s=1.0)
    assert owner.wait_end() == ChannelEnd(Ender.US, "request", reason="no speech process")
    channel.close()
    missing = Owner()
    channel = SpeechChannel(str(tmp_path / "x"), "piper", {}, missing.listener, timeout_s=1.0)
    assert missing.wait_end().reason == "no speech process: ENOENT"
    channel.close()


def test_a_process_that_is_starting_is_waited_for(tmp_path):
    owner = Owner()
    path = tmp_path / "socket"
    channel = SpeechChannel(str(path), "piper", {"voice": "pt"}, owner.listener, timeout_s=5.0)
    gevent.sleep(0.15)
    assert owner.ends == []
    peer = SpeechPeer(echo)
    path.symlink_to(peer.path)
    until(lambda: owner.opened == 1)
    channel.close()
    peer.close()


def test_last_words_leave_before_the_channel_does(talk):
    heard = []

    def listen(peer, service, options):
        peer.send(Kind.READY)
        heard.append(peer.receive())
        heard.append(peer.sock.recv(1))

    _, owner, channel = talk(listen)
    until(lambda: owner.opened)
    channel.send(b"stop", False)
    channel.close()
    channel.close()
    until(lambda: heard == [(Kind.TEXT, b"stop"), b""])
    assert owner.ends == []


def test_closing_before_it_is_open(talk):
    _, owner, channel = talk(echo)
    channel.close()
    gevent.sleep(0.01)
    assert (owner.opened, owner.ends, owner.faults) == (0, [], [])
