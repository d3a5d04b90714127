"""What tests with a real FreeSWITCH share.

They run with `FREESWITCH_ESL=host:port[:password] pytest -m engine`, on FreeSWITCH's own host.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from esl_controller.esl.inbound import InboundClient
from tests.integration.service import wait_for

ENGINE_MARKS = [
    pytest.mark.engine,
    pytest.mark.skipif("FREESWITCH_ESL" not in os.environ, reason="no FREESWITCH_ESL given"),
]
CALL_S = 15.0


def channels(client: InboundClient) -> int:
    """Calls FreeSWITCH has."""
    return int(client.api("show", "channels count").split()[0])


def event_socket() -> tuple[str, int]:
    """Where its Event Socket is."""
    host, port, *_ = os.environ["FREESWITCH_ESL"].split(":")
    return host, int(port)


@contextmanager
def engine_client() -> Iterator[InboundClient]:
    """Its inbound Event Socket; at the end it must have no more calls than at the beginning."""
    _, _, *rest = os.environ["FREESWITCH_ESL"].split(":")
    client = InboundClient(event_socket(), rest[0] if rest else "ClueCon")
    client.connect()
    before = channels(client)
    yield client
    wait_for(lambda: channels(client) <= before, CALL_S, "channels are left")
    client.close()
