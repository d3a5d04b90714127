"""HTTP exchanges with a provider, over a real server."""

import logging
import socket

import gevent
import pytest

from bridge.wire import http_channel
from bridge.wire.channel import ChannelEnd, Ender
from bridge.wire.client_handshake import Proxy
from bridge.wire.http_channel import MAX_BODY, MESSAGES_AT_ONCE, HttpChannel
from bridge.wire.network import Network
from tests.integration.wire.http_peer import STREAM_HEAD, HttpPeer, Owner, chunk, reply
from tests.wire.ws.peers import tls_client_context, tls_server_context, until

KEY = "gsk-s3cret-s3cret"


@pytest.fixture
def talk():
    """`talk(answer, …)` gives the server, the owner and the channel."""
    made = []

    def build(answer, *, tls=None, url=None, network=None, **options):
        peer = HttpPeer(answer, tls)
        owner = Owner()
        settings = {
            "server_sent_events": False,
            "first_byte_s": 5.0,
            "network": network or Network(tls=tls_client_context() if tls else None),
        } | options
        channel = HttpChannel(
            "POST",
            (url or peer.url) + "/v1/chat?k=s3cret",
            (("Authorization", f"Bearer {KEY}"),),
            b'{"stream":true}',
            owner.listener,
            **settings,
        )
        made.extend([channel, peer])
        return peer, owner, channel

    yield build
    for thing in made:
        thing.close()
    http_channel._shared_pool.cache_clear()  # connections kept for the next request


def test_a_whole_answer_is_one_message(talk):
    peer, owner, channel = talk(reply(200, b'{"signed_url":"wss://x"}'))
    assert owner.wait_end() == ChannelEnd(Ender.PEER, code=200)
    assert (owner.opened, owner.messages) == (1, [b'{"signed_url":"wss://x"}'])
    ((head, body),) = peer.requests
    assert head.startswith(b"POST /v1/chat?k=s3cret HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}".encode() in head
    assert b"ookie" not in head
    assert body == b'{"stream":true}'
    assert channel.send(b"x", False) is False


def test_over_tls(talk):
    _, owner, _ = talk(reply(200, b"x"), tls=tls_server_context())
    owner.wait_end()
    assert owner.messages == [b"x"]


def test_events_come_as_they_are_sent(talk):
    go_on = gevent.event.Event()

    def answer(sock, head, body):
        sock.sendall(STREAM_HEAD + chunk(b"data: one\n\nda"))
        go_on.wait(5)
        sock.sendall(chunk(b"ta: two\n\n: x\n\ndata: [DONE]\n\n") + chunk(b""))

    _, owner, _ = talk(answer, server_sent_events=True)
    until(lambda: owner.messages == [b"one"])
    assert owner.ends == []
    go_on.set()
    assert owner.wait_end() == ChannelEnd(Ender.PEER, code=200)
    assert owner.messages == [b"one", b"two", b"[DONE]"]


def test_a_flood_of_events_leaves_the_hub_time(talk):
    def answer(sock, head, body):
        sock.sendall(STREAM_HEAD + chunk(b"data: x\n\n" * 5000) + chunk(b""))

    _, owner, _ = talk(answer, server_sent_events=True)
    owner.wait_end()
    assert len(owner.messages) == 5000
    assert max(len(call) for call in owner.calls) <= MESSAGES_AT_ONCE


def test_a_refusal_keeps_its_body_and_the_time_to_wait(talk):
    body = b'{"error":{"code":"rate_limit_exceeded"}}' + b" " * 9000
    _, owner, _ = talk(reply(429, body, **{"Retry-After": "3"}))
    end = owner.wait_end()
    assert (end.by, end.stage, end.code, end.retry_after_s) == (Ender.PEER, "http", 429, 3.0)
    assert (end.body, owner.opened) == (body[:4096], 0)


def test_a_redirect_is_not_followed(talk):
    peer, owner, _ = talk(reply(307, b"", Location="/elsewhere"))
    assert owner.wait_end().code == 307
    assert len(peer.requests) == 1


def silent(sock, head, body):
    sock.recv(1)


def drip(sock, head, body):
    while True:
        sock.sendall(b"H")
        gevent.sleep(0.005)


@pytest.mark.parametrize("answer", [silent, drip])
def test_no_first_byte_in_time(talk, answer):
    _, owner, _ = talk(answer, first_byte_s=0.1)
    end = owner.wait_end()
    assert (end.by, end.stage) == (Ender.NETWORK, "timeout")


def test_an_answer_that_stops_in_the_middle(talk):
    def answer(sock, head, body):
        sock.sendall(STREAM_HEAD + chunk(b"data: one\n\n"))
        sock.recv(1)

    _, owner, _ = talk(answer, server_sent_events=True, silence_s=0.1)
    end = owner.wait_end()
    assert (end.by, end.stage, end.code) == (Ender.NETWORK, "", 0)
    assert owner.messages == [b"one"]


def test_a_connection_that_breaks_in_the_middle(talk):
    def answer(sock, head, body):
        sock.sendall(STREAM_HEAD + chunk(b"data: one\n\n"))

    _, owner, _ = talk(answer, server_sent_events=True)
    assert owner.wait_end().by is Ender.NETWORK


@pytest.mark.parametrize("events", [True, False])
def test_what_is_too_large_ends_the_exchange(talk, events):
    def answer(sock, head, body):
        sock.sendall(STREAM_HEAD)
        for _ in range(2 * MAX_BODY // 65536 + 1):
            sock.sendall(chunk(b"x" * 65536))

    _, owner, _ = talk(answer, server_sent_events=events)
    end = owner.wait_end()
    assert (end.by, owner.messages) == (Ender.PEER, [])
    assert "bytes" in end.reason


@pytest.mark.parametrize(
    ("data", "stage"), [(b"garbage\r\n\r\n", "tcp"), (b"", "tcp"), (b"SSH-2.0-x\r\n", "tcp")]
)
def test_a_port_that_speaks_no_http(talk, data, stage):
    _, owner, _ = talk(lambda sock, head, body: sock.sendall(data))
    assert owner.wait_end().stage == stage


def test_nobody_listens(talk):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    _, owner, _ = talk(reply(200), url=url)
    end = owner.wait_end()
    assert (end.stage, end.reason) == ("tcp", "no connection: ECONNREFUSED")


def test_a_certificate_nobody_signed(talk):
    _, owner, _ = talk(reply(200), tls=tls_server_context(), network=Network())
    end = owner.wait_end()
    assert (end.by, end.stage) == (Ender.PEER, "certificate")
    assert "self-signed" in end.reason


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "nonsense", "http://"])
def test_urls_that_cannot_be_used(talk, url):
    _, owner, _ = talk(reply(200), url=url)
    assert owner.wait_end().stage == "request"


def test_a_header_cannot_be_forged(talk, caplog):
    owner = Owner()
    channel = HttpChannel(
        "GET",
        "http://127.0.0.1:9/",
        (("X", f"{KEY}\r\nY: z"),),
        b"",
        owner.listener,
        server_sent_events=False,
        first_byte_s=1.0,
        network=Network(),
    )
    assert owner.wait_end().stage == "request"
    assert KEY not in repr(owner.ends) + caplog.text
    channel.close()


def test_through_a_proxy_with_a_password(talk):
    proxy = HttpPeer(reply(200, b"by proxy"))
    network = Network(proxy=Proxy("127.0.0.1", proxy.port, "user", "pass word"))
    _, owner, _ = talk(reply(200), url="http://provider.example", network=network)
    owner.wait_end()
    assert owner.messages == [b"by proxy"]
    head = proxy.requests[0][0]
    assert head.startswith(b"POST http://provider.example/v1/chat")
    assert b"dXNlcjpwYXNzIHdvcmQ=" in head
    proxy.close()


def test_some_hosts_need_no_proxy(talk):
    network = Network(proxy=Proxy("127.0.0.1", 9, no_proxy=("127.0.0.1",)))
    _, owner, _ = talk(reply(200, b"direct"), network=network)
    owner.wait_end()
    assert owner.messages == [b"direct"]


def test_after_closing_nothing_is_told(talk):
    ended = []

    def answer(sock, head, body):
        sock.sendall(STREAM_HEAD + chunk(b"data: one\n\n"))
        ended.append(sock.recv(1))

    _, owner, channel = talk(answer, server_sent_events=True)
    until(lambda: owner.messages)
    channel.close()
    channel.close()
    until(lambda: ended == [b""], "the connection is dropped")
    assert (owner.ends, owner.faults) == ([], [])


def test_closing_before_the_answer(talk):
    peer, owner, channel = talk(silent)
    until(lambda: peer.requests)
    channel.close()
    gevent.sleep(0.01)
    assert (owner.opened, owner.ends, owner.faults) == (0, [], [])


def test_no_text_holds_a_secret(talk, caplog):
    with caplog.at_level(logging.DEBUG):
        for answer in (reply(500, b"x"), lambda sock, head, body: sock.sendall(b"x")):
            _, owner, _ = talk(answer)
            owner.wait_end()
            assert KEY not in repr(owner.ends)
            assert "s3cret" not in repr(owner.ends)
    assert KEY not in caplog.text
