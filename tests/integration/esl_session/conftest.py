"""A session with a scripted FreeSWITCH, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from esl_controller.esl.session import ControllerSession
from tests.integration.esl_peer import Peer, nothing_left, pair

Call = tuple[ControllerSession, Peer]


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with nothing_left():
        yield


@pytest.fixture
def call() -> Iterator[Call]:
    with pair() as (ours, theirs):
        session, peer = ControllerSession(ours), Peer(theirs)
        try:
            yield session, peer
        finally:
            session.close()
            peer.close()
