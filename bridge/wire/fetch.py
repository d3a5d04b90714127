"""One HTTP exchange for somebody who waits for its answer."""

from __future__ import annotations

from collections.abc import Sequence

import gevent
from gevent.event import AsyncResult

from bridge.errors import RemoteProtocolError
from bridge.wire.channel import ChannelEnd, ChannelListener
from bridge.wire.http_channel import HttpChannel
from bridge.wire.network import Network


def fetch(
    url: str, headers: Sequence[tuple[str, str]] = (), *, network: Network, limit_s: float
) -> bytes:
    """GET an address and return the body of its 2xx answer.

    Waits in a greenlet. Raises RemoteProtocolError, whose text holds nothing that was sent.
    """
    done: AsyncResult[bytes] = AsyncResult()
    body: list[bytes] = []

    def ended(end: ChannelEnd) -> None:
        if body:
            done.set(body[0])
        else:
            done.set_exception(RemoteProtocolError(end.reason or end.stage or "no answer"))

    listener = ChannelListener(lambda: None, body.extend, ended, done.set_exception)
    channel = HttpChannel(
        "GET",
        url,
        headers,
        b"",
        listener,
        server_sent_events=False,
        first_byte_s=limit_s,
        network=network,
        silence_s=limit_s,
    )
    try:
        return done.get(timeout=2 * limit_s) or b""
    except gevent.Timeout as error:
        raise RemoteProtocolError("no answer in time") from error
    finally:
        channel.close()
