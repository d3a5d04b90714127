"""A WebSocket after its handshake: messages in by callback, messages out at once.

FreeSWITCH's `uuid_audio_stream … stop` and its hang-up wait until the server has closed TCP after
the closing handshake (observed with mod_audio_stream: 3 ms when closed at once, up to for ever
when left open). So TCP is closed as soon as both Close frames have passed, and after a short
deadline when the peer's does not come.
"""

from __future__ import annotations

import dataclasses
import enum
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gevent

from bridge.errors import RemoteProtocolError
from bridge.wire import frames
from bridge.wire.channel import Ender
from bridge.wire.frames import (
    FrameLimits,
    FrameParser,
    Message,
    Role,
    client_frame,
    server_frame,
)
from bridge.wire.keepalive import KeepAlive
from bridge.wire.mask_keys import next_key
from bridge.wire.transport import READ_BYTES, Transport

_log = logging.getLogger("bridge.wire")

CLOSE_DEADLINE_S = 0.25
"""How long to wait for the peer's Close after ours."""


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Limits of one link."""

    frames: FrameLimits = field(default_factory=FrameLimits)
    max_buffered_bytes: int = 1 << 18
    """Bytes buffered for a slow peer before the link is ended (8 s of L16 at 16 kHz)."""


@dataclass(frozen=True, slots=True)
class CloseInfo:
    """How a link ended."""

    code: int
    """The peer's code when it closed, ours when we did; 1005 none given, 1006 no Close at all."""
    reason: str = ""
    """If the peer closed, its own words, which may be hostile; otherwise ours or the error's."""
    clean: bool = False
    """Both sides sent a Close."""
    error: Exception | None = None
    by: Ender = Ender.US
    """A peer that broke the protocol ended it, although we said so first."""


TakePlain = Callable[[bytes], int]
OnMessages = Callable[[list[Message]], None]
OnClosed = Callable[[CloseInfo], None]


class _State(enum.Enum):
    OPEN = 1
    CLOSING = 2
    """Our Close was sent; waiting for the peer's."""
    FAILED = 3
    """We closed because of a violation; further input is discarded."""
    CLOSED = 4


_TEXT, _BINARY = frames.TEXT, frames.BINARY
_OPEN, _CLOSING, _FAILED, _CLOSED = _State  # as globals: found faster, once per frame


class WebSocketLink:
    """One WebSocket on the hub's watchers.

    `on_messages` gets all data messages of one read as `(opcode, payload)`; it must not wait.
    `on_closed` is called exactly once, from the hub, whoever ends the link, and never inside a
    call of ours. An exception in `on_messages` ends this link only. `sock` is used up.
    `initial` are bytes the handshake read too far.
    """

    def __init__(
        self,
        sock: Any,
        *,
        role: Role,
        on_messages: OnMessages,
        on_closed: OnClosed,
        limits: LinkLimits,
        initial: bytes = b"",
        keepalive: KeepAlive | None = None,
    ) -> None:
        self.frames_in = 0
        """Data messages received."""
        self.frames_out = 0
        """Data messages accepted for sending."""
        self.dropped = 0
        """Data messages refused because the link was not open, or not read in time."""
        self.rtt_s: float | None = None
        """Last measured round trip of a ping."""
        self._on_messages = on_messages
        self._take_plain: TakePlain | None = None
        self._at_boundary = True  # the parser waits for a message, and nothing has gone wrong
        self._on_closed = on_closed
        self._masked = role is Role.CLIENT
        self._parser = FrameParser(role, limits.frames)
        self._any_read_is_a_message = limits.frames.max_message_bytes >= READ_BYTES
        self._state = _OPEN
        self._closing_as = CloseInfo(frames.ABNORMAL, by=Ender.NETWORK)
        self._deadline: Any = None
        self._keepalive = keepalive
        self._ping_payload = b""
        self._pinged_at = 0.0
        self._bytes_in_at_ping = -1
        self._silent_rounds = 0
        self._loop = gevent.get_hub().loop
        if initial:
            self._loop.run_callback(self._on_data, initial)
        self._transport = Transport(
            sock,
            on_data=self._on_data,
            on_lost=self._on_lost,
            max_buffered_bytes=limits.max_buffered_bytes,
        )
        if keepalive is not None:
            keepalive.add(self)

    # --- what the owner may do ---------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Messages can be sent."""
        return self._state is _OPEN

    @property
    def bytes_in(self) -> int:
        """Bytes received, frame headers included."""
        return self._transport.bytes_in

    @property
    def bytes_out(self) -> int:
        """Bytes handed to the kernel, frame headers included."""
        return self._transport.bytes_out

    @property
    def buffered_bytes(self) -> int:
        """Bytes buffered for a peer that reads too slowly."""
        return self._transport.buffered_bytes

    def send(self, payload: bytes, binary: bool = False) -> bool:
        """Send UTF-8 text or bytes; False if the link is not open."""
        if not self._masked:
            return self.send_frame(server_frame(_BINARY if binary else _TEXT, payload))
        if self._state is _OPEN and self._write(_BINARY if binary else _TEXT, payload):
            self.frames_out += 1
            return True
        self.dropped += 1
        return False

    def send_frame(self, frame: bytes) -> bool:
        """Send one whole data frame, masked if it must be; False if the link is not open."""
        if self._state is _OPEN:
            try:
                if self._transport.send(frame):
                    self.frames_out += 1
                    return True
            except BufferError as error:
                self._overfull(error)
        self.dropped += 1
        return False

    def offer_reads(self, take: TakePlain) -> None:
        """Offer each read with which a message begins to `take` first: it returns how many data
        frames that was, or 0: then it goes the usual way. Its exceptions end this link only."""
        if self._any_read_is_a_message:
            self._take_plain = take

    def send_text(self, payload: bytes) -> bool:
        """Send UTF-8 text; False if the link is not open."""
        return self.send(payload)

    def send_binary(self, payload: bytes) -> bool:
        """Send bytes; False if the link is not open."""
        return self.send(payload, True)

    def ping(self) -> None:
        """Ask for a pong; `rtt_s` is set when it comes."""
        if self._state is _OPEN:
            self._ping_payload = os.urandom(4)
            self._pinged_at = time.monotonic()
            self._write(frames.PING, self._ping_payload)

    def close(self, code: int = frames.NORMAL, reason: str = "") -> None:
        """Begin the closing handshake. No message is delivered any more.

        Raises `LocalProtocolError` for a code that may not be sent.
        """
        payload = frames.encode_close(code, reason)
        if self._state is not _OPEN:
            return
        self._closing_as = CloseInfo(code, reason)
        self._enter(_CLOSING)
        self._write(frames.CLOSE, payload)

    def abort(self, code: int = frames.ABNORMAL, reason: str = "aborted") -> None:
        """End without a closing handshake. `code` and `reason` are for `CloseInfo` only."""
        self._finish(CloseInfo(code, reason))

    def keepalive(self, max_missed: int, *, only_silent: bool = False) -> None:
        """Ping; end the link after `max_missed` rounds in which not a byte came.

        With `only_silent` no ping is sent after a round in which something came.
        """
        heard = self._transport.bytes_in != self._bytes_in_at_ping
        self._bytes_in_at_ping = self._transport.bytes_in
        self._silent_rounds = 0 if heard else self._silent_rounds + 1
        if self._silent_rounds >= max_missed:
            text = "peer does not answer pings"
            self._finish(CloseInfo(frames.ABNORMAL, text, by=Ender.NETWORK))
        elif not (heard and only_silent):
            self.ping()

    # --- sending -----------------------------------------------------------------------------

    def _write(self, opcode: int, payload: bytes) -> bool:
        if self._masked:
            frame = client_frame(opcode, payload, next_key())
        else:
            frame = server_frame(opcode, payload)
        return self._put(frame)

    def _put(self, frame: bytes) -> bool:
        try:
            return self._transport.send(frame)
        except BufferError as error:
            self._overfull(error)
            return False

    def _overfull(self, error: BufferError) -> None:
        self._finish(CloseInfo(frames.TRY_AGAIN_LATER, str(error), error=error))

    # --- receiving ---------------------------------------------------------------------------

    def _on_data(self, data: bytes) -> None:
        take = self._take_plain
        if take is not None and self._at_boundary and self._state is _OPEN:
            try:
                taken = take(data)
            except Exception as error:  # noqa: BLE001 - boundary between the hub and the owner
                self._on_fault(error)
                return
            if taken:
                self.frames_in += taken
                return
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        if self._state is _FAILED or self._state is _CLOSED:
            return
        try:
            messages = self._parser.receive_data(data)
        except RemoteProtocolError as error:
            self._fail(error)
            return
        self._at_boundary = self._parser.at_boundary
        if messages:
            self._deliver(messages)
        if self._parser.failure is not None:
            self._fail(self._parser.failure)

    def _deliver(self, messages: list[Message]) -> None:
        """Pass data messages to the owner in one call and handle the rare control frames."""
        for opcode, _ in messages:
            if opcode > frames.BINARY:
                data = [message for message in messages if message[0] <= frames.BINARY]
                self._hand_over(data)
                self._on_control(messages)
                return
        self._hand_over(messages)

    def _hand_over(self, messages: list[Message]) -> None:
        if not messages or self._state is not _OPEN:
            return
        self.frames_in += len(messages)
        try:
            self._on_messages(messages)
        except Exception as error:  # noqa: BLE001 - boundary between the hub and the owner
            self._on_fault(error)

    def _on_fault(self, error: Exception) -> None:
        """The owner's fault must not reach the hub, where it would be printed and forgotten."""
        _log.error("message handler failed: closing this link", exc_info=error)
        self.close(frames.INTERNAL_ERROR, "internal error")
        self._closing_as = CloseInfo(frames.INTERNAL_ERROR, "internal error", error=error)

    def _on_control(self, messages: list[Message]) -> None:
        """Answer only the last ping (RFC 6455 section 5.5.3), so that a flood is not amplified."""
        ping: bytes | None = None
        for opcode, payload in messages:
            if opcode == frames.PING:
                ping = payload
            elif opcode == frames.PONG:
                self._on_pong(payload)
            elif opcode == frames.CLOSE:
                self._on_close(payload)
                return
        if ping is not None and self._state is _OPEN:
            self._write(frames.PONG, ping)

    def _on_pong(self, payload: bytes) -> None:
        if self._ping_payload and payload == self._ping_payload:
            self.rtt_s = time.monotonic() - self._pinged_at
            self._ping_payload = b""

    def _on_close(self, payload: bytes) -> None:
        """The peer's Close: echo it unless it answers ours, then close TCP at once."""
        if self._state is _CLOSING:
            ours = self._closing_as
            self._finish(dataclasses.replace(ours, clean=True))
            return
        code, reason = frames.decode_close(payload)
        self._write(frames.CLOSE, payload[:2])
        self._finish(CloseInfo(code, reason, clean=True, by=Ender.PEER))

    def _fail(self, error: RemoteProtocolError) -> None:
        """Send our Close and give the peer a moment to read it before TCP is closed."""
        if self._state is not _OPEN:
            self._finish(self._closing_as)
            return
        self._closing_as = CloseInfo(error.close_code, str(error), error=error, by=Ender.PEER)
        self._enter(_FAILED)
        self._write(frames.CLOSE, frames.encode_close(error.close_code, str(error)))

    # --- ending ------------------------------------------------------------------------------

    def _enter(self, state: _State) -> None:
        """Start the timer that ends the wait."""
        self._state = state
        self._deadline = self._loop.timer(CLOSE_DEADLINE_S)
        self._deadline.start(self._on_deadline)

    def _on_deadline(self) -> None:
        self._finish(self._closing_as)

    def _on_lost(self, error: Exception | None) -> None:
        if self._state is _OPEN:
            text = "connection closed without Close" if error is None else str(error)
            self._finish(CloseInfo(frames.ABNORMAL, text, error=error, by=Ender.NETWORK))
        else:
            self._finish(self._closing_as)

    def _finish(self, info: CloseInfo) -> None:
        """Close TCP and tell the owner at the hub's next turn; only the first call counts."""
        if self._state is _CLOSED:
            return
        self._state, self._take_plain = _CLOSED, None
        self._transport.close()
        if self._deadline is not None:
            self._deadline.stop()
            self._deadline.close()
            self._deadline = None
        if self._keepalive is not None:
            self._keepalive.discard(self)
        self._loop.run_callback(self._tell_closed, info)

    def _tell_closed(self, info: CloseInfo) -> None:
        on_closed, self._on_closed, self._on_messages = self._on_closed, _nobody, _nobody
        try:
            on_closed(info)
        except Exception:  # noqa: BLE001 - boundary between the hub and the owner
            # As in `_hand_over`: the hub is no place for the owner's errors.
            _log.exception("close handler failed")


def _nobody(_: object) -> None:
    """Hears of a link that has ended."""
