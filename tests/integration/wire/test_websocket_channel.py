"""When a WebSocket that cannot be had is tried again, and what is told of it."""

from types import SimpleNamespace

import gevent
import pytest

from bridge.wire import websocket_channel
from bridge.wire.channel import ChannelEnd, Ender
from bridge.wire.client_handshake import ConnectError
from bridge.wire.keepalive import KeepAlive
from bridge.wire.link import CloseInfo
from bridge.wire.network import Network
from bridge.wire.websocket_channel import WebSocketChannel
from tests.integration.wire.http_peer import Owner


@pytest.fixture
def refused(monkeypatch):
    """`refused(error, …)` gives the end, the number of attempts and the waits between them."""

    def build(error, timeout_s=5.0, **network):
        waits = []

        def fail(*args, **options):
            assert 0 < options["timeout_s"] <= timeout_s
            raise error

        def sleep(seconds):
            waits.append(seconds)

        monkeypatch.setattr(websocket_channel, "open_websocket", fail)
        monkeypatch.setattr(websocket_channel.random, "random", lambda: 1.0)
        fake = SimpleNamespace(sleep=sleep, spawn=gevent.spawn, get_hub=gevent.get_hub)
        monkeypatch.setattr(websocket_channel, "gevent", fake)
        owner = Owner()
        channel = WebSocketChannel(
            "ws://x",
            (),
            (),
            owner.listener,
            network=Network(keepalive=KeepAlive(), **network),
            timeout_s=timeout_s,
        )
        return owner.wait_end(), channel.attempts, waits

    return build


UNAVAILABLE = ConnectError("http", "x answered 503", status=503, body=b"body", retry_after_s=2.0)


def test_waits_double(refused):
    end, attempts, waits = refused(UNAVAILABLE, max_attempts=4, first_backoff_s=0.1)
    assert (attempts, waits) == (4, [0.1, 0.2, 0.4])
    assert end == ChannelEnd(Ender.PEER, "http", 503, "x answered 503", b"body", 2.0)


def test_no_attempt_is_begun_too_late(refused):
    _, attempts, waits = refused(UNAVAILABLE, timeout_s=0.15, max_attempts=9, first_backoff_s=0.1)
    assert (attempts, waits) == (2, [0.1])


@pytest.mark.parametrize(
    ("error", "attempts", "by"),
    [
        (ConnectError("dns", "x"), 2, Ender.NETWORK),
        (ConnectError("timeout", "x"), 2, Ender.NETWORK),
        (ConnectError("http", "x", status=425), 2, Ender.PEER),
        (ConnectError("http", "x", status=429), 1, Ender.PEER),
        (ConnectError("http", "x", status=401), 1, Ender.PEER),
        (ConnectError("certificate", "x"), 1, Ender.PEER),
        (ConnectError("proxy", "x"), 1, Ender.NETWORK),
        (ConnectError("request", "x"), 1, Ender.US),
    ],
    ids=str,
)
def test_only_what_may_pass_is_tried_again(refused, error, attempts, by):
    end, tried, _ = refused(error)
    assert (tried, end.by) == (attempts, by)


def test_an_end_is_told_once(refused, monkeypatch):
    owner = Owner()
    monkeypatch.setattr(websocket_channel, "open_websocket", lambda *a, **o: gevent.sleep(9))
    channel = WebSocketChannel(
        "ws://x", (), (), owner.listener, network=Network(keepalive=KeepAlive()), timeout_s=1.0
    )
    loop = gevent.get_hub().loop
    for _ in range(2):
        loop.run_callback(channel._on_closed, CloseInfo(1006, by=Ender.NETWORK))
    assert owner.wait_end().code == 1006
    channel._connecting.kill()
