"""Connections to a server, and everything taken away after each test."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from tests.integration.esl_peer import Peer

from .kit import SERVERS, Dial


@pytest.fixture(autouse=True)
def _swept() -> Iterator[None]:
    """Plain greenswitch leaves greenlets and sockets behind: take them away after each test."""
    gc.freeze()
    yield
    while SERVERS:
        SERVERS.pop().stop(0)
    things = gc.get_objects()
    left = [thing for thing in things if isinstance(thing, gevent.Greenlet)]
    gevent.killall(left, block=False)
    gevent.sleep(0)
    gevent.killall(left, timeout=5)  # greenswitch swallows the first GreenletExit: G17
    for thing in things:
        if isinstance(thing, gevent.socket.socket):
            thing._real_close()  # close() would wait for greenswitch's forgotten makefile()
    gc.unfreeze()


@pytest.fixture
def dial() -> Iterator[Dial]:
    peers: list[Peer] = []

    def call(address: Any, answers: dict[str, bytes] | None = None) -> Peer:
        peers.append(Peer(socket.create_connection(address), answers))
        return peers[-1]

    yield call
    for peer in peers:
        peer.close()
