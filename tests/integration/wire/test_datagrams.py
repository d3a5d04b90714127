"""Datagrams between FreeSWITCH's `unicast` and us."""

import socket

import gevent
import gevent.socket
import pytest

from bridge.errors import LocalProtocolError
from bridge.wire import datagram
from bridge.wire.datagram import DatagramLink
from tests.wire.ws.peers import (
    until,
)


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


def test_a_deaf_link_still_sends():
    heard: list[bytes] = []

    def hear(data: bytes) -> None:
        heard.append(data)
        link.deafen()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as switch:
        switch.bind(("127.0.0.1", 0))
        switch.settimeout(5)
        link = DatagramLink(on_datagram=hear)
        link.connect(switch.getsockname())
        for _ in range(200):
            assert switch.sendto(bytes(320), link.address) == 320
        until(lambda: heard)
        gevent.sleep(0.05)
        assert len(heard) == 1
        assert link.send(b"\x01" * 320)
        assert switch.recv(1000) == b"\x01" * 320
        link.close()


@pytest.mark.parametrize("option", [datagram._SO_MEMINFO, 9999], ids=["counted", "old_kernel"])
@pytest.mark.parametrize("size", [160, 320, 1920, 5760])
def test_a_deaf_link_is_asked_whether_anything_still_comes(size, option, monkeypatch):
    monkeypatch.setattr(datagram, "_SO_MEMINFO", option)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as switch:
        switch.bind(("127.0.0.1", 0))
        link = DatagramLink(on_datagram=lambda data: None, remote=switch.getsockname())
        link.deafen()
        for _ in range(3):
            for _ in range(13):
                switch.sendto(bytes(size), link.address)
            until(lambda: link.peek() > 0)
            while link.peek():
                pass
            assert link.peek() == 0
    until(lambda: (link.send(bytes(size)), link.peek(), link.refused)[2] > 0)
    link.close()


def test_what_a_deaf_link_keeps_is_no_sign_of_life():
    """Its owner counts looks without one: the kernel's leftovers must not stretch them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as switch:
        switch.bind(("127.0.0.1", 0))
        link = DatagramLink(on_datagram=lambda data: None, remote=switch.getsockname())
        link.deafen()
        for _ in range(2):
            for _ in range(13):
                switch.sendto(bytes(320), link.address)
            assert (link.peek(), link.peek(), link.peek()) == (1, 0, 0)
        link.close()


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
