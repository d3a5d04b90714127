"""Moves a provider's bytes: connects, feeds its protocol object, sends what that has to say.

Everything but the connecting happens in callbacks of the hub. Neither headers nor payloads are
ever logged.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gevent

from bridge.errors import LocalProtocolError
from bridge.providers.base import (
    ConversationOptions,
    ErrorKind,
    ProviderEvent,
    ProviderFailure,
    ProviderProtocol,
)
from bridge.wire import frames
from bridge.wire.client_handshake import ConnectError, Opened, Proxy, open_websocket
from bridge.wire.frames import FrameLimits, Message, Role
from bridge.wire.keepalive import KeepAlive
from bridge.wire.link import CloseInfo, LinkLimits, WebSocketLink

_log = logging.getLogger("bridge.providers")

_MAX_MESSAGE_BYTES = 1 << 24
_MAX_BUFFERED_BYTES = 1 << 20

_shared_keepalive = KeepAlive(interval_s=15.0)


class _Abandoned(ConnectionAbortedError, gevent.GreenletExit):
    """Ends the greenlet that connects.

    An OSError too: `_open_socket` of websocket-client (_http.py) closes the socket that is being
    connected on no other error.
    """


@dataclass(frozen=True, slots=True)
class Network:
    """How providers are reached; the same for all of them."""

    proxy: Proxy | None = None
    tls: ssl.SSLContext | None = None
    """None: the process's shared context with the system's certificates."""
    max_attempts: int = 2
    first_backoff_s: float = 0.1
    """Doubles with each attempt; the real wait is a random part of it."""
    limits: LinkLimits = field(
        default_factory=lambda: LinkLimits(
            FrameLimits(_MAX_MESSAGE_BYTES, validate_text=False), _MAX_BUFFERED_BYTES
        )
    )
    keepalive: KeepAlive = _shared_keepalive


OnEvents = Callable[[list[ProviderEvent]], None]
OnClosed = Callable[[ProviderFailure], None]


class ProviderLink:
    """One provider connection of one conversation.

    `on_events` gets the events of one read together. `on_closed` is called once, after the last
    `on_events`, when the connection could not be made or ended; not after `close`. Both run in
    the hub and must not wait. `connect_timeout_s` is for all attempts together.
    """

    def __init__(
        self,
        protocol: ProviderProtocol,
        options: ConversationOptions,
        *,
        on_events: OnEvents,
        on_closed: OnClosed,
        connect_timeout_s: float,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.protocol = protocol
        self.attempts = 0
        """Connections tried."""
        self.connect_s: float | None = None
        """From `start` to the open WebSocket."""
        self.messages_in = 0
        self.messages_out = 0
        self._options = options
        self._on_events = on_events
        self._on_closed = on_closed
        self._connect_timeout_s = connect_timeout_s
        self._network = network or Network()
        self._clock = clock
        self._loop = gevent.get_hub().loop
        self._connecting: gevent.Greenlet[..., None] | None = None
        self._link: WebSocketLink | None = None
        self._closed = False
        self._timer: Any = None
        self._timer_at = 0.0

    # --- what the owner may do ---------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """The WebSocket is up; the session itself may not be ready yet."""
        return self._link is not None and self._link.is_open

    @property
    def round_trip_ms(self) -> float | None:
        """Last measured round trip of a ping."""
        rtt_s = self._link.rtt_s if self._link is not None else None
        return None if rtt_s is None else rtt_s * 1000

    @property
    def link(self) -> WebSocketLink | None:
        """For its counters."""
        return self._link

    def start(self) -> None:
        """Connect in the background. Raises `LocalProtocolError` when called twice."""
        if self._connecting is not None or self._closed:
            raise LocalProtocolError("start was called before")
        self._connecting = gevent.spawn(self._connect)

    def flush(self) -> None:
        """Send what the protocol has to say; to be called after commands.

        Before the connection is up the protocol keeps its messages.
        """
        if self._link is None:
            return
        self.flush_audio()
        deadline = self.protocol.next_deadline()
        if deadline is not None and (self._timer is None or deadline < self._timer_at):
            self._arm(deadline)

    def flush_audio(self) -> None:
        """Send what the protocol has to say after audio, which moves no deadline. The hot path."""
        link = self._link
        if link is None:
            return
        for message in self.protocol.messages_to_send():
            if link.send_text(message):
                self.messages_out += 1

    def close(self) -> None:
        """End it; nothing is told any more."""
        if self._closed:
            return
        self._closed = True
        self._disarm()
        if self._connecting is not None and self._link is None:
            self._connecting.kill(_Abandoned, block=False)
        if self._link is not None:
            self._link.close()

    # --- connecting --------------------------------------------------------------------------

    def _connect(self) -> None:
        """The one greenlet: ends when the WebSocket is up or given up."""
        started = self._clock()
        try:
            opened = self._open(started + self._connect_timeout_s)
        except ConnectError as error:
            self._loop.run_callback(self._end, _failure(error))
            return
        self.connect_s = self._clock() - started
        if self._closed:  # and the last answer was quicker than `close`'s kill
            opened.sock.close()
        else:
            self._adopt(opened)

    def _open(self, deadline: float) -> Opened:
        """Try, and try again where that may help and time is left. Raises `ConnectError`."""
        network, endpoint = self._network, self.protocol.endpoint()
        while True:
            self.attempts += 1
            try:
                return open_websocket(
                    endpoint.url,
                    endpoint.headers,
                    endpoint.subprotocols,
                    timeout_s=max(0.001, deadline - self._clock()),
                    proxy=network.proxy,
                    tls=network.tls,
                )
            except ConnectError as error:
                wait_s = random.random() * network.first_backoff_s * 2 ** (self.attempts - 1)
                late = self._closed or self._clock() + wait_s >= deadline
                if late or self.attempts >= network.max_attempts or not _may_help(error):
                    raise
                _log.debug("provider attempt %d: %s", self.attempts, error)
            gevent.sleep(wait_s)

    def _adopt(self, opened: Opened) -> None:
        # Queued before the link's own start: nothing is received before the protocol has begun.
        self._loop.run_callback(self._guard, self._begin)
        self._link = WebSocketLink(
            opened.sock,
            role=Role.CLIENT,
            on_messages=self._on_messages,
            on_closed=self._on_link_closed,
            limits=self._network.limits,
            initial=opened.initial,
            keepalive=self._network.keepalive,
        )
        self._link.ping()

    def _begin(self) -> None:
        if not self._closed:
            self.protocol.start(self._options, self._clock())
            self._pump()

    # --- talking -----------------------------------------------------------------------------

    def _on_messages(self, messages: list[Message]) -> None:
        self.messages_in += len(messages)
        now = self._clock()
        for _, payload in messages:
            self.protocol.receive_message(payload, now)
        self._pump()

    def _pump(self) -> None:
        """Tell the events, then send what they and their listener brought about."""
        self._tell()
        if not self._closed:
            self.flush()

    def _tell(self) -> ProviderFailure | None:
        """Hand over the events; the fatal failure among them, if any."""
        events: list[ProviderEvent] = []
        failure: ProviderFailure | None = None
        while (event := self.protocol.next_event()) is not None:
            events.append(event)
            if isinstance(event, ProviderFailure) and event.fatal:
                failure = event
        if events and not self._closed:
            self._on_events(events)
        return failure

    # --- deadlines ---------------------------------------------------------------------------

    def _arm(self, deadline: float) -> None:
        """One timer, set anew only for an earlier deadline; a later one is seen when it rings."""
        self._disarm()
        self._timer_at = deadline
        self._timer = self._loop.timer(max(0.0, deadline - self._clock()))
        self._timer.start(self._guard, self._on_timer, update=True)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _on_timer(self) -> None:
        self._disarm()
        if self._closed:
            return
        now = self._clock()
        deadline = self.protocol.next_deadline()
        if deadline is not None and deadline <= now:
            self.protocol.handle_timeout(now)
        self._pump()

    # --- ending ------------------------------------------------------------------------------

    def _on_link_closed(self, info: CloseInfo) -> None:
        self._disarm()
        if self._closed:
            return
        self.protocol.receive_close(info.code, info.reason)
        failure = self._tell()
        self._end(failure or _lost(info))

    def _end(self, failure: ProviderFailure) -> None:
        if not self._closed:
            self._closed = True
            self._on_closed(failure)

    def _guard(self, function: Callable[[], None]) -> None:
        """For the hub's own callbacks: an error of protocol or owner ends this link only."""
        try:
            function()
        except Exception:  # noqa: BLE001 - boundary between the hub and the owner
            _log.exception("provider link failed: closing it")
            if self._link is not None:
                self._link.close(frames.INTERNAL_ERROR, "internal error")


def _may_help(error: ConnectError) -> bool:
    """Whether the same connection, tried again, may work."""
    if error.stage == "http":
        return error.status in (408, 425) or error.status >= 500 or _is_rate_limit(error)
    return error.stage in ("dns", "tcp", "tls", "timeout")


def _is_rate_limit(error: ConnectError) -> bool:
    return error.status == 429 and "quota" not in error.code


def _kind(error: ConnectError) -> ErrorKind:
    if error.stage == "http":
        return _kind_of_status(error)
    if error.stage == "request":
        return ErrorKind.INVALID_REQUEST
    return ErrorKind.PROTOCOL if error.stage == "protocol" else ErrorKind.CONNECTION


def _kind_of_status(error: ConnectError) -> ErrorKind:
    if error.status in (401, 403):
        return ErrorKind.AUTHENTICATION
    if error.status in (402, 429):
        return ErrorKind.RATE_LIMIT if _is_rate_limit(error) else ErrorKind.QUOTA
    return ErrorKind.SERVER if error.status >= 500 else ErrorKind.INVALID_REQUEST


def _failure(error: ConnectError) -> ProviderFailure:
    code = error.code or (f"http_{error.status}" if error.status else error.stage)
    return ProviderFailure(_kind(error), code, str(error), True, _may_help(error))


def _lost(info: CloseInfo) -> ProviderFailure:
    """For a protocol that had nothing to say about the end."""
    text = f"connection ended with {info.code}"
    return ProviderFailure(ErrorKind.CONNECTION, f"close_{info.code}", text, True, True)
