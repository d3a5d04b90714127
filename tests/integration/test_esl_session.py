from __future__ import annotations

from collections.abc import Iterator

import pytest

from esl_controller.esl.session import ControllerSession

from .esl_peer import Peer, pair


@pytest.fixture
def call() -> Iterator[tuple[ControllerSession, Peer]]:
    with pair() as (ours, theirs):
        session, peer = ControllerSession(ours), Peer(theirs)
        try:
            yield session, peer
        finally:
            session.close()
            peer.close()


def test_whole(call):
    session, _peer = call
    assert session.connect(1).uuid
    assert session.api("status", "", 1) == "+OK\n"
    assert session.bgapi("status", "", 1) == "+OK\n"
    session.exit(1)
    assert session.gone.is_set()
