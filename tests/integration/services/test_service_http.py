"""The client for tenants' own systems against a real server that answers as badly as one can."""

from __future__ import annotations

import gzip
import time

import gevent
import pytest

from esl_controller.services.http import Response, ServiceFailed, ServiceHttp
from esl_controller.tenants.hosts import ServiceHosts
from tests.integration.wire.http_peer import HttpPeer, chunk, reply
from tests.wire.ws.peers import PATIENCE_S, tls_client_context, tls_server_context

TENANT = "11111111-1111-1111-1111-111111111111"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def ask():
    """`ask(answer, …)` makes one request of a server that answers so; `.peer` is the server."""
    made = []

    def request(answer, *, tls=None, method="POST", path="/v1/x?k=s3cret", **options):
        request.peer = HttpPeer(answer, tls)
        http = ServiceHttp(
            lambda _: ["*"],
            ServiceHosts(["127.0.0.1", "localhost"]),
            tls=tls_client_context() if tls == "trusted" else None,
        )
        made.extend([http, request.peer])
        options = {"timeout_s": PATIENCE_S} | options
        return http.request(method, request.peer.url + path, domain_uuid=TENANT, **options)

    yield request
    for thing in made:
        thing.close()


def failed(ask, answer, **options) -> ServiceFailed:
    with pytest.raises(ServiceFailed) as caught:
        ask(answer, **options)
    assert "s3cret" not in caught.value.words
    return caught.value


def test_a_request_goes_out_as_it_was_given(ask):
    answer = ask(reply(201, b'{"id":7}', ETag="a"), json={"nome": "João"}, headers={"X-Key": "k"})
    assert (answer.status, answer.json(), answer.headers["etag"]) == (201, {"id": 7}, "a")
    ((head, body),) = ask.peer.requests
    assert head.startswith(b"POST /v1/x?k=s3cret HTTP/1.1\r\n")
    lines = head.lower().split(b"\r\n")
    assert {b"x-key: k", b"content-type: application/json", b"accept-encoding: identity"} <= {
        *lines
    }
    assert body == '{"nome":"João"}'.encode()


def test_a_refusal_is_an_answer_and_no_redirect_is_followed(ask):
    assert ask(reply(422, b"no")).body == b"no"
    moved = ask(reply(307, b"", Location="http://127.0.0.1:1/"), headers={"X-Key": "k"})
    assert moved.status == 307
    assert len(ask.peer.requests) == 1
    with pytest.raises(ServiceFailed, match="answered 307") as caught:
        moved.json()
    assert (caught.value.reason, caught.value.status) == ("status", 307)


def test_a_connection_is_used_again_after_an_answer_read_to_its_end():
    def twice(sock, head, body):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert sock.recv(4096).startswith(b"GET /second ")
        sock.sendall(CHUNKED + chunk(b"ok2") + b"0\r\n\r\n")

    peer = HttpPeer(twice)
    http = ServiceHttp(lambda _: ["127.0.0.1"], ServiceHosts(["127.0.0.1"]))
    for path, answered in (("/first", b"ok"), ("/second", b"ok2")):
        answer = http.request("GET", peer.url + path, domain_uuid=TENANT, timeout_s=PATIENCE_S)
        assert answer.body == answered
    http.close()
    peer.close()


def drip(sock, head, body):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        sock.sendall(b".")
        gevent.sleep(0.02)


def drip_head(sock, head, body):
    while True:
        sock.sendall(b"H")
        gevent.sleep(0.02)


def say_nothing(sock, head, body):
    sock.recv(1)


def interim(sock, head, body):
    while True:
        sock.sendall(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 100)


def trailers(sock, head, body):
    sock.sendall(CHUNKED + b"0\r\n")
    while True:
        sock.sendall(b"X: y\r\n" * 100)


@pytest.mark.parametrize("answer", [drip, drip_head, say_nothing, trailers])
def test_an_exchange_ends_in_time_whatever_trickles_in(ask, answer):
    began = time.monotonic()
    assert failed(ask, answer, timeout_s=0.15).reason == "timeout"
    assert time.monotonic() - began < PATIENCE_S


def endless(sock, head, body):
    sock.sendall(CHUNKED)
    while True:
        sock.sendall(chunk(b"x" * 8000))


def endless_head(sock, head, body):
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        sock.sendall(b"X-Y: " + b"z" * 1000 + b"\r\n")


@pytest.mark.parametrize(
    "answer", [endless, endless_head, interim, reply(200, b"x" * 5001)], ids=lambda a: a.__name__
)
def test_too_much_of_anything_is_left_unread(ask, answer):
    assert failed(ask, answer, max_bytes=5000).reason == "too_large"


def test_crumbs_do_not_keep_the_hub(ask):
    """The smallest chunks there are: others are served meanwhile."""
    turns = []
    other = gevent.spawn(lambda: [turns.append(gevent.sleep(0)) for _ in range(100_000)])

    def crumbs(sock, head, body):
        sock.sendall(CHUNKED + chunk(b"x") * 20_000 + b"0\r\n\r\n")

    assert len(ask(crumbs).body) == 20_000
    assert len(turns) > 20
    other.kill()


def test_a_bomb_is_not_unpacked(ask):
    bomb = gzip.compress(b"0" * 10_000_000)
    seen = failed(ask, reply(200, bomb, **{"Content-Encoding": "gzip"}))
    assert (seen.reason, "compressed" in seen.words) == ("malformed", True)


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        CHUNKED + b"zz\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhel",
        b"",
    ],
)
def test_half_an_answer_is_none(ask, bytes_sent):
    seen = failed(ask, lambda sock, head, body: sock.sendall(bytes_sent))
    assert seen.reason in ("malformed", "unreachable")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "b\r\nX-Evil: 1"}, {"X-A\r\nX-Evil": "1"}, {"X A": "1"}, {"": "1"}, {"X-A": "é"},
        {"Host": "other.example"}, {"content-length": "0"}, {"Transfer-Encoding": "chunked"},
        {"Proxy-Authorization": "x"}, {"Connection": "close"},
    ],
)  # fmt: skip
def test_headers_cannot_change_the_message(ask, headers):
    assert failed(ask, reply(200), headers=headers).reason == "refused"
    assert ask.peer.requests == []


def test_methods_and_sizes_are_limited(ask):
    assert failed(ask, reply(200), method="GET /x HTTP/1.1\r\nX:").reason == "refused"
    assert failed(ask, reply(200), method="CONNECT").reason == "refused"
    assert failed(ask, reply(200), body=b"x" * (1 << 20) + b"x").reason == "refused"
    assert ask.peer.requests == []


def test_certificates_are_verified(ask, monkeypatch):
    server = tls_server_context()
    assert failed(ask, reply(200, b"x"), tls=server).reason == "unreachable"
    assert ask.peer.requests == []


def test_a_ca_of_the_operator_is_trusted_and_a_certificate_is_held_against_the_name():
    peer = HttpPeer(reply(200, b"x"), tls_server_context())
    for host, reached in (("localhost", True), ("crm.example", False)):
        http = ServiceHttp(
            lambda _: ["*"],
            ServiceHosts(["localhost", "crm.example"]),
            tls=tls_client_context(),
            resolve=lambda host, port: ["127.0.0.1"],
        )
        url = f"https://{host}:{peer.port}/"
        try:
            answer = http.request("GET", url, domain_uuid=TENANT, timeout_s=PATIENCE_S)
            assert answer == Response(200, answer.headers, b"x")
            assert reached
        except ServiceFailed as error:
            assert (error.reason, reached) == ("unreachable", False)
        finally:
            http.close()
    assert len(peer.requests) == 1
    peer.close()


def test_whoever_asked_may_have_a_deadline_of_their_own(ask):
    with pytest.raises(gevent.Timeout) as caught, gevent.Timeout(0.1) as theirs:
        ask(say_nothing)
    assert caught.value is theirs


def test_an_answer_that_is_no_json_is_malformed():
    for body in (b"", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(ServiceFailed) as caught:
            Response(200, {}, body).json()
        assert caught.value.reason == "malformed"
