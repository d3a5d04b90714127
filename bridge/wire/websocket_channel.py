"""A WebSocket to a provider: connects, tries again where that may help, then is a link.

Only connecting has a greenlet. Headers and payloads are never logged.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence

import gevent

from bridge.wire.channel import ChannelEnd, ChannelListener, Ender
from bridge.wire.client_handshake import ConnectError, Opened, open_websocket
from bridge.wire.frames import Message, Role
from bridge.wire.link import CloseInfo, WebSocketLink
from bridge.wire.network import Network
from bridge.wire.whole_messages import splitter

_log = logging.getLogger("bridge.wire")

_PASSING_STATUSES = (408, 425)
_PASSING_STAGES = ("dns", "tcp", "tls", "timeout")


class _Abandoned(ConnectionAbortedError, gevent.GreenletExit):
    """Ends the greenlet that connects.

    An OSError too: `_open_socket` of websocket-client (_http.py) closes the socket that is being
    connected on no other error.
    """


class WebSocketChannel:
    """A `Channel`. `timeout_s` is for all attempts to connect together."""

    def __init__(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        subprotocols: Sequence[str],
        listener: ChannelListener,
        *,
        network: Network,
        timeout_s: float,
    ) -> None:
        self.attempts = 0
        """Connections tried."""
        self.link: WebSocketLink | None = None
        """None until it is open."""
        self.send: Callable[[bytes, bool], bool] = _refuse
        self._url = url
        self._headers = headers
        self._subprotocols = subprotocols
        self._listener = listener
        self._network = network
        self._split = splitter()
        self._loop = gevent.get_hub().loop
        self._closed = False
        self._connecting = gevent.spawn(self._run, timeout_s)

    @property
    def rtt_s(self) -> float | None:
        """Last measured round trip of a ping."""
        return self.link.rtt_s if self.link is not None else None

    def close(self) -> None:
        """Begin the closing handshake, or give up connecting; nothing is told any more."""
        if self._closed:
            return
        self._closed = True
        if self.link is not None:
            self.link.close()
        else:
            self._connecting.kill(_Abandoned, block=False)

    # --- connecting --------------------------------------------------------------------------

    def _run(self, timeout_s: float) -> None:
        """The one greenlet: ends when the WebSocket is up or given up."""
        try:
            opened = self._open(time.monotonic() + timeout_s)
        except ConnectError as error:
            self._loop.run_callback(self._end, connect_end(error))
        except Exception as error:  # noqa: BLE001 - boundary: nobody would hear of it
            self._loop.run_callback(self._fault, error)
        else:
            if self._closed:  # and the last answer was quicker than `close`'s kill
                opened.sock.close()
            else:
                self._adopt(opened)

    def _open(self, deadline: float) -> Opened:
        """Try, and try again where that may help and time is left. Raises `ConnectError`."""
        network = self._network
        while True:
            self.attempts += 1
            try:
                return open_websocket(
                    self._url,
                    self._headers,
                    self._subprotocols,
                    timeout_s=max(0.001, deadline - time.monotonic()),
                    proxy=network.proxy,
                    tls=network.tls,
                    dialler=network.dialler,
                )
            except ConnectError as error:
                wait_s = random.random() * network.first_backoff_s * 2 ** (self.attempts - 1)
                late = self._closed or time.monotonic() + wait_s >= deadline
                if late or self.attempts >= network.max_attempts or not _may_pass(error):
                    raise
                _log.debug("provider attempt %d: %s", self.attempts, error)
            gevent.sleep(wait_s)

    def _adopt(self, opened: Opened) -> None:
        # Queued before the link's own start: nothing is received before `on_open`.
        self._loop.run_callback(self._opened)
        self.link = WebSocketLink(
            opened.sock,
            role=Role.CLIENT,
            on_messages=self._on_messages,
            on_closed=self._on_closed,
            limits=self._network.limits,
            initial=opened.initial,
            keepalive=self._network.keepalive,
        )
        if not self._network.limits.frames.validate_text:
            self.link.offer_reads(self._take_whole)
        self.send = self.link.send
        self.link.ping()

    # --- on the hub --------------------------------------------------------------------------

    def _opened(self) -> None:
        if not self._closed:
            self._listener.on_open()

    def _take_whole(self, data: bytes) -> int:
        """A read that is nothing but whole messages need not be parsed. The hot path."""
        messages = self._split(data)
        if not messages:
            return 0
        self._listener.on_messages(messages)
        return len(messages)

    def _on_messages(self, messages: list[Message]) -> None:
        if not self._closed:
            self._listener.on_messages([payload for _, payload in messages])

    def _on_closed(self, info: CloseInfo) -> None:
        self._end(ChannelEnd(info.by, code=info.code, reason=info.reason))

    def _end(self, end: ChannelEnd) -> None:
        if not self._closed:
            self._closed = True
            self._listener.on_end(end)

    def _fault(self, error: Exception) -> None:
        if not self._closed:
            self._closed = True
            self._listener.on_fault(error)


def _refuse(data: bytes, binary: bool, /) -> bool:
    """Sending before the channel is open."""
    return False


def connect_end(error: ConnectError) -> ChannelEnd:
    """Why a connection could not be had, as the end of its channel."""
    by = Ender.PEER if error.stage in ("http", "protocol", "certificate") else Ender.NETWORK
    return ChannelEnd(
        Ender.US if error.stage == "request" else by,
        error.stage,
        error.status,
        str(error),
        error.body,
        error.retry_after_s,
    )


def _may_pass(error: ConnectError) -> bool:
    """Whether the same connection, tried again at once, may work. A busy server is left alone."""
    if error.stage == "http":
        return error.status in _PASSING_STATUSES or error.status >= 500
    return error.stage in _PASSING_STAGES
