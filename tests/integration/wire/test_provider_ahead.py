"""Channels that are opened before their conversation is known."""

import gevent

from bridge.providers.ahead import Ahead
from bridge.providers.host import Network
from bridge.wire.frames import TEXT, server_frame
from bridge.wire.keepalive import KeepAlive
from tests.integration.wire.provider_peer import (
    READY,
    TALK,
    Protocol,
    Provider,
    Session,
    accept,
    greeting,
    refuse,
)
from tests.wire.ws.peers import PATIENCE_S, until


def ahead_of(provider, url=""):
    return Ahead(
        Protocol(url or provider.url),
        TALK,
        connect_timeout_s=PATIENCE_S,
        network=Network(first_backoff_s=0.001, keepalive=KeepAlive(), max_attempts=1),
    )


def served(provider, ahead):
    session = Session(provider.url, ahead=ahead)
    session.start()
    return session


def test_what_was_opened_serves_and_nothing_is_sent_before():
    provider = Provider(greeting)
    ahead = ahead_of(provider)
    until(lambda: provider.peers)
    gevent.sleep(0.05)  # what the other side has said by now must not be lost
    session = served(provider, ahead)
    until(lambda: session.events == [READY])
    frames = [provider.peers[0].receive() for _ in range(2)]
    assert (TEXT, b"session.update") in frames
    assert provider.connections == 1
    session.host.close()
    provider.close()


def test_a_refusal_that_came_early_is_a_refusal():
    provider = Provider(refuse(503))
    ahead = ahead_of(provider)
    until(lambda: provider.connections == 1)
    gevent.sleep(0.05)
    session = served(provider, ahead)
    assert session.wait_failure().code == "http_503"
    provider.close()


def test_what_leads_elsewhere_or_is_not_wanted_is_closed():
    provider, other = Provider(greeting), Provider(greeting)
    ahead, unused = ahead_of(other), ahead_of(other)
    until(lambda: other.connections == 2)
    session = served(provider, ahead)
    unused.close()
    until(lambda: session.events == [READY])
    assert provider.connections == 1
    session.host.close()
    provider.close()
    other.close()


def test_a_provider_that_talks_without_end_before_it_is_asked_is_left():
    """What it says is kept, and a call may look up its caller for seconds."""
    floods = [True]

    def talks(provider, sock):
        accept(provider, sock, server_frame(TEXT, b"ready") * (300 if floods else 1))

    provider = Provider(talks)
    ahead = ahead_of(provider)
    (opened,) = ahead._relays.values()
    until(lambda: opened[1].channel is None)
    floods.clear()
    session = served(provider, ahead)
    until(lambda: session.events == [READY])
    assert provider.connections == 2, "it is asked once more"
    session.host.close()
    provider.close()
