"""Connections to a provider that fail, and the border to websocket-client."""

import contextlib
import gc
import logging
import os
import socket
import ssl

import gevent
import gevent.server
import pytest
from websocket import _handshake

from bridge.providers.base import ErrorKind
from bridge.providers.host import Network
from bridge.wire.channel import retry_after_s
from bridge.wire.client_handshake import ConnectError, Proxy, open_websocket, shared_tls_context
from bridge.wire.keepalive import KeepAlive
from tests.integration.wire.provider_peer import (
    MAIN,
    READY,
    SECRET,
    Provider,
    Session,
    accept,
    drop,
    greeting,
    raw,
    refuse,
    silent,
)
from tests.wire.ws.peers import (
    PATIENCE_S,
    tls_client_context,
    tls_server_context,
    until,
)

# --- connecting that fails ---


@pytest.mark.parametrize(
    ("answer", "kind", "code", "retryable"),
    [
        (refuse(401), ErrorKind.AUTHENTICATION, "http_401", False),
        (refuse(403), ErrorKind.AUTHENTICATION, "http_403", False),
        (
            refuse(401, b'{"error":{"code":"invalid_api_key","message":"sk-s3cret"}}'),
            ErrorKind.AUTHENTICATION,
            "invalid_api_key",
            False,
        ),
        (refuse(429), ErrorKind.RATE_LIMIT, "http_429", True),
        (
            refuse(429, b'{"error":{"type":"insufficient_quota","code":null}}'),
            ErrorKind.QUOTA,
            "insufficient_quota",
            False,
        ),
        (refuse(402), ErrorKind.QUOTA, "http_402", False),
        (refuse(404), ErrorKind.INVALID_REQUEST, "http_404", False),
        (
            refuse(400, b'{"error":{"code":"bad code!"}}'),
            ErrorKind.INVALID_REQUEST,
            "http_400",
            False,
        ),
        (refuse(400, b"\xff<html>"), ErrorKind.INVALID_REQUEST, "http_400", False),
        (refuse(200), ErrorKind.INVALID_REQUEST, "http_200", False),
        (refuse(500), ErrorKind.SERVER, "http_500", True),
        (refuse(503), ErrorKind.SERVER, "http_503", True),
        (refuse(302, Location="ws://127.0.0.1:9/"), ErrorKind.INVALID_REQUEST, "http_302", False),
        (raw(b"garbage\r\n\r\n"), ErrorKind.PROTOCOL, "protocol", False),
        (raw(b"HTTP/1.1 101 S\r\n\r\n"), ErrorKind.PROTOCOL, "protocol", False),
        (raw(b"\xff\xff\r\n\r\n"), ErrorKind.PROTOCOL, "protocol", False),
        (raw(b""), ErrorKind.CONNECTION, "tcp", True),
        (drop, ErrorKind.CONNECTION, "tcp", True),
    ],
)
def test_refusals(make, caplog, answer, kind, code, retryable):
    with caplog.at_level(logging.DEBUG):
        provider, session = make(answer)
        failure = session.wait_failure()
    assert (failure.kind, failure.code, failure.retryable) == (kind, code, retryable)
    assert failure.fatal
    assert provider.connections == (2 if retryable and kind is not ErrorKind.RATE_LIMIT else 1)
    assert session.protocol.opened_at is None
    assert SECRET not in repr(failure) + caplog.text


def test_the_key_does_not_follow_a_redirect(make):
    provider = Provider(lambda provider, sock: refuse(307, Location=provider.url)(provider, sock))
    session = Session(provider.url).start()
    assert session.wait_failure().code == "http_307"
    assert len(provider.requests) == 1
    provider.close()


def test_a_second_attempt_succeeds(make):
    _, session = make(refuse(503), greeting)
    until(lambda: session.events == [READY])
    assert session.host._slots[MAIN].channel.attempts == 2


def test_an_answer_without_end_is_not_collected(make):
    def endless(provider, sock):
        provider.read_request(sock)
        sock.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n")
        try:
            while True:
                sock.sendall(b"x" * 65536)
        except OSError:
            sock.close()

    _, session = make(endless)
    assert session.wait_failure().code == "tcp"


def test_a_server_that_never_answers(make):
    _, session = make(silent, connect_timeout_s=0.05)
    failure = session.wait_failure()
    assert (failure.kind, failure.code) == (ErrorKind.CONNECTION, "timeout")
    assert failure.retryable


def test_a_server_that_drips_its_answer(make):
    def drip(provider, sock):
        provider.read_request(sock)
        try:
            while True:
                sock.sendall(b"H")
                gevent.sleep(0.005)
        except OSError:
            sock.close()

    _, session = make(drip, connect_timeout_s=0.1)
    assert session.wait_failure().code == "timeout"


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    session = Session(f"ws://127.0.0.1:{port}/").start()
    failure = session.wait_failure()
    assert failure.message == "no connection to 127.0.0.1: ECONNREFUSED"


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1/", "request"), ("nonsense", "request"), ("ws://", "request")],
)
def test_urls_that_cannot_be_used(url, code):
    failure = Session(url).start().wait_failure()
    assert (failure.code, failure.kind) == (code, ErrorKind.INVALID_REQUEST)
    assert not failure.retryable


def test_a_certificate_nobody_signed(make):
    network = Network(keepalive=KeepAlive())  # the system's certificates
    _, session = make(tls=tls_server_context(), network=network)
    failure = session.wait_failure()
    assert (failure.code, failure.retryable) == ("certificate", False)
    assert "self-signed certificate" in failure.message


def test_a_port_that_speaks_no_tls():
    provider = Provider(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    provider.read_request = lambda sock: sock.recv(100)
    url = provider.url.replace("ws://127.0.0.1", "wss://localhost")
    session = Session(
        url, network=Network(tls=tls_client_context(), max_attempts=1), connect_timeout_s=1
    )
    assert session.start().wait_failure().code in ("tls", "tcp")
    provider.close()


# --- the border to websocket-client ---


def test_a_header_cannot_be_forged(make):
    provider, _ = make()
    with pytest.raises(ConnectError) as raised:
        open_websocket(provider.url, [("Authorization", f"{SECRET}\r\nX: y")], timeout_s=1)
    assert raised.value.stage == "request"
    assert SECRET not in str(raised.value)


def test_cookies_do_not_join_tenants(make):
    provider, first = make()
    until(lambda: first.protocol.opened_at)
    assert _handshake.CookieJar.jar == {}
    second = Session(provider.url).start()
    until(lambda: second.protocol.opened_at)
    assert b"Cookie" not in provider.requests[1]
    second.link.abort()
    until(lambda: second.failures)


def test_through_a_proxy():
    seen = []

    def proxy(provider, sock):
        seen.append(provider.read_request(sock))
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        accept(provider, sock)

    server = Provider(proxy)
    port = server._server.address[1]
    opened = open_websocket(
        "ws://provider.example/v1",
        [("X", "y")],
        ["realtime"],
        timeout_s=PATIENCE_S,
        proxy=Proxy("127.0.0.1", port, "user", "pass"),
    )
    assert seen[0].startswith(b"CONNECT provider.example:80 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" in seen[0]
    assert b"X: y" not in seen[0]
    opened.sock.close()
    server.close()


def test_a_proxy_that_refuses():
    server = Provider(refuse(407))
    proxy = Proxy("127.0.0.1", server._server.address[1], "user", "s3cret")
    with pytest.raises(ConnectError) as raised:
        open_websocket("ws://provider.example/v1", timeout_s=PATIENCE_S, proxy=proxy)
    assert raised.value.stage == "proxy"
    assert "s3cret" not in repr(proxy) + str(raised.value)
    server.close()


def test_there_is_one_tls_context():
    assert shared_tls_context() is shared_tls_context()
    assert shared_tls_context().verify_mode == ssl.CERT_REQUIRED
    assert shared_tls_context().check_hostname


def test_a_name_nobody_knows(monkeypatch):
    def fail(*args):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ConnectError) as raised:
        open_websocket("ws://nowhere.invalid/?key=s3cret", timeout_s=1)
    assert (raised.value.stage, str(raised.value)) == ("dns", "nowhere.invalid has no address")


def test_a_connection_that_is_given_up_while_it_is_made_leaves_no_socket():
    """No garbage collection is needed for it: a worker collects seldom."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):  # its queue is full: whoever comes now waits for an answer to SYN
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        before = len(os.listdir("/proc/self/fd"))
        gc.disable()
        stack.callback(gc.enable)
        session = Session(f"ws://127.0.0.1:{listener.getsockname()[1]}/v1").start()
        until(lambda: len(os.listdir("/proc/self/fd")) > before)
        session.host.close()
        until(lambda: len(os.listdir("/proc/self/fd")) == before)
        assert session.failures == []


def test_a_refusal_keeps_its_body_and_the_time_to_wait(make):
    body = b'{"error":{"code":"429","message":"x"}}' + b" " * 9000
    provider, session = make(refuse(429, body, **{"Retry-After": "6"}))
    failure = session.wait_failure()
    (end,) = session.protocol.ends
    assert (end.stage, end.code, end.retry_after_s, len(end.body)) == ("http", 429, 6.0, 4096)
    assert failure.retry_in_s == 6.0
    assert provider.connections == 1


@pytest.mark.parametrize("value", ["soon", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "\u0661"])
def test_a_time_to_wait_that_is_no_number_is_ignored(value):
    assert retry_after_s(value) is None


def test_a_key_that_is_sent_back_is_not_passed_on(make, caplog):
    body = f'{{"error":{{"code":"{SECRET}","message":"Incorrect key: {SECRET}"}}}}'.encode()
    with caplog.at_level(logging.DEBUG):
        _, session = make(refuse(401, body))
        failure = session.wait_failure()
    assert SECRET.encode() not in session.protocol.ends[0].body
    assert SECRET not in repr(failure) + repr(session.protocol.ends) + caplog.text
    assert failure.kind is ErrorKind.AUTHENTICATION
