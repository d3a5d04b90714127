"""A name that was public when it was judged, and leads inside when it is connected."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from bridge.providers.base import ErrorKind
from bridge.wire import http_channel
from bridge.wire.client_handshake import ConnectError, open_websocket
from bridge.wire.dialling import AddressRefused, Dialler
from bridge.wire.http_channel import HttpChannel
from bridge.wire.keepalive import KeepAlive
from bridge.wire.network import Network
from esl_controller.tenants.hosts import ProviderHosts
from tests.integration.wire.http_peer import HttpPeer, Owner, reply
from tests.integration.wire.provider_peer import Provider, Session, accept
from tests.wire.ws.peers import PATIENCE_S, tls_client_context, tls_server_context

ANY_PUBLIC, NAMED = ProviderHosts(["*"]), ProviderHosts(["*", "tenant.example"])
INSIDE = "tenant.example (127.0.0.1) is not a public address"


class NameServer:
    """Leads every name to the same addresses, and keeps what it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append(host)
        return self.addresses


def under(name: str, url: str) -> str:
    """The address of a test's server, under a name of the tenant's."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{name}:{parts.port}").geturl()


@pytest.fixture
def provider():
    server = Provider(accept)
    yield server
    server.close()


def test_a_name_that_leads_inside_is_not_connected(provider):
    dialler = Dialler(ANY_PUBLIC.refusal, NameServer("127.0.0.1"))
    with pytest.raises(ConnectError) as caught:
        open_websocket(under("tenant.example", provider.url), timeout_s=PATIENCE_S, dialler=dialler)
    assert caught.value.stage == "request"
    assert str(caught.value).startswith(INSIDE)
    assert provider.connections == 0


def test_one_address_inside_is_one_too_many(provider):
    dialler = Dialler(ANY_PUBLIC.refusal, NameServer("203.0.114.7", "127.0.0.1"))
    with pytest.raises(AddressRefused, match=r"tenant\.example \(127\.0\.0\.1\)"):
        dialler.connect("tenant.example", 443, PATIENCE_S)


def test_what_the_operator_named_is_connected_and_keeps_its_name(provider):
    names = NameServer("127.0.0.1")
    opened = open_websocket(
        under("tenant.example", provider.url),
        subprotocols=["realtime"],
        timeout_s=PATIENCE_S,
        dialler=Dialler(NAMED.refusal, names),
    )
    opened.sock.close()
    (request,) = provider.requests
    assert f"\r\nHost: tenant.example:{urlsplit(provider.url).port}\r\n".encode() in request
    assert names.asked == ["tenant.example"]  # once: what was judged is what was connected


def test_a_certificate_is_held_against_the_name():
    server = Provider(accept, tls=tls_server_context())
    names = NameServer("127.0.0.1")
    for name, stage in (("localhost", ""), ("tenant.example", "certificate")):
        try:
            opened = open_websocket(
                under(name, server.url),
                subprotocols=["realtime"],
                timeout_s=PATIENCE_S,
                tls=tls_client_context(),
                dialler=Dialler(resolve=names),
            )
            opened.sock.close()
            seen = ""
        except ConnectError as error:
            seen = error.stage
        assert seen == stage
    server.close()


def test_the_next_address_is_tried_when_one_does_not_take_us(provider):
    # Nobody listens on a second loopback address.
    dialler = Dialler(resolve=NameServer("127.0.0.2", "127.0.0.1"))
    port = urlsplit(provider.url).port
    with dialler.connect("tenant.example", port, PATIENCE_S) as sock:
        assert sock.getpeername() == ("127.0.0.1", port)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    with pytest.raises(socket.gaierror):
        Dialler(resolve=NameServer()).connect("tenant.example", port, PATIENCE_S)


def test_a_provider_s_session_is_not_tried_again_there(provider):
    network = Network(
        dialler=Dialler(ANY_PUBLIC.refusal, NameServer("127.0.0.1")), keepalive=KeepAlive()
    )
    session = Session(under("tenant.example", provider.url), network=network).start()
    failure = session.wait_failure()
    assert (failure.kind, failure.retryable) == (ErrorKind.INVALID_REQUEST, False)
    assert INSIDE in failure.message
    assert provider.connections == 0
    session.host.close()


@pytest.mark.parametrize(("hosts", "requests"), [(ANY_PUBLIC, 0), (NAMED, 1)])
def test_an_http_exchange_goes_there_no_more_than_a_websocket(hosts, requests):
    peer, owner = HttpPeer(reply(200, b"x"), None), Owner()
    HttpChannel(
        "GET",
        under("tenant.example", peer.url),
        (),
        b"",
        owner.listener,
        server_sent_events=False,
        first_byte_s=PATIENCE_S,
        network=Network(dialler=Dialler(hosts.refusal, NameServer("127.0.0.1"))),
    )
    end = owner.wait_end()
    assert len(peer.requests) == requests
    if requests:
        assert (end.code, owner.messages) == (200, [b"x"])
        assert b"\r\nHost: tenant.example:" in peer.requests[0][0]
    else:
        assert end.stage == "request"
        assert end.reason.startswith(INSIDE)
    peer.close()
    http_channel._shared_pool.cache_clear()
