"""One Event Socket connection: its socket, its one reader, and which reply belongs to whom."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import gevent
from gevent.event import Event as Signal
from gevent.lock import BoundedSemaphore
from gevent.socket import socket

from bridge.short_queue import ShortQueue
from bridge.wire.turns import FairShare, Turn

from .commands import Command
from .errors import (
    CallGone,
    CommandTimeout,
    EslError,
    LocalProtocolError,
    RemoteProtocolError,
)
from .events import Reply
from .framing import API_RESPONSE, COMMAND_REPLY, Framer, Message
from .waiting import Deadline, Waiter

READ_BYTES: Final = 64 * 1024
PIECE_BYTES: Final = 2048
"""Parsed at a time: at most some hundred of the smallest messages there are."""
READERS: Final = FairShare()
"""A socket that always has data would otherwise keep the hub to itself."""
MAX_UNANSWERED_COMMANDS: Final = 256
JOIN_TIMEOUT_S: Final = 1.0

_log = logging.getLogger("esl")


@dataclass(slots=True)
class ConnectionStats:
    """Counters of one connection, for the owner to sample."""

    received_messages: int = 0
    sent_commands: int = 0
    late_replies: int = 0
    malformed_events: int = 0
    unknown_messages: int = 0


class Connection:
    """Owns a connected socket until it is closed.

    `on_message` gets every message that is no reply, `on_lost` one sentence when the connection
    ends; neither may wait. `gone` is set once nothing more will come.
    """

    def __init__(
        self,
        sock: socket,
        on_message: Callable[[Message], None],
        on_lost: Callable[[str], None],
        stats: ConnectionStats,
    ) -> None:
        self.gone = Signal()
        self.reason = ""
        self.stats = stats
        self._sock = sock
        self._on_message = on_message
        self._on_lost = on_lost
        self._framer = Framer()
        self._unanswered: ShortQueue[tuple[Command, Waiter[Message]]] = ShortQueue()
        self._sending = BoundedSemaphore(1)
        self._turn = Turn(READERS)
        self._reader: gevent.Greenlet[[], None] | None = None
        """While there is something to read: one that waits takes 20 kB of each call."""
        self._readable = gevent.get_hub().loop.io(sock.fileno(), 1)
        self._readable.start(self._on_readable)

    def request(self, commands: Sequence[Command], timeout_s: float) -> list[Message]:
        """Send `commands` in one write; return their replies in order.

        Raise `CallGone`, `CommandTimeout`, or `LocalProtocolError` with too many unanswered.
        """
        deadline = Deadline(timeout_s)
        waiters = self.post(commands, timeout_s)
        return [waiter.wait(deadline.left_s) for waiter in waiters]

    def post(self, commands: Sequence[Command], timeout_s: float) -> list[Waiter[Message]]:
        """Send `commands` in one write; return who waits for their replies, in order."""
        deadline = Deadline(timeout_s)
        data = b"".join(command.to_bytes() for command in commands)
        if not self._sending.acquire(timeout=deadline.left_s):
            raise CommandTimeout(f"{commands[0].name}: turn to send", timeout_s)
        try:
            waiters = self._expect(commands)
            self._send(data, deadline)
        finally:
            self._sending.release()
        self.stats.sent_commands += len(commands)
        return waiters

    def fail_waiting(self, reason: str) -> None:
        """Let everybody who waits for a reply go with `CallGone`; the replies are still awaited."""
        for _, waiter in self._unanswered:
            waiter.fail(CallGone(reason))

    def lose(self, reason: str) -> None:
        """Take the connection for ended; never waits. The reader ends by itself."""
        if self.gone.is_set():
            return
        self.reason = reason
        self.gone.set()
        self._readable.stop()
        self._readable.close()
        self._sock.close()
        self.fail_waiting(reason)
        self._unanswered.clear()
        on_lost, self._on_lost, self._on_message = self._on_lost, _nobody, _nobody
        on_lost(reason)

    def close(self, reason: str = "closed by us") -> None:
        """Close the socket and end the reader. Every wait raises `CallGone`. Idempotent."""
        self.lose(reason)
        reader = self._reader
        if reader is not None and gevent.getcurrent() is not reader:
            reader.kill(block=True, timeout=JOIN_TIMEOUT_S)

    def _expect(self, commands: Sequence[Command]) -> list[Waiter[Message]]:
        if self.gone.is_set():
            raise CallGone(self.reason)
        if len(self._unanswered) + len(commands) > MAX_UNANSWERED_COMMANDS:
            raise LocalProtocolError(f"over {MAX_UNANSWERED_COMMANDS} commands without a reply")
        waiters = [Waiter[Message](command.name) for command in commands]
        self._unanswered.extend(zip(commands, waiters, strict=True))
        return waiters

    def _send(self, data: bytes, deadline: Deadline) -> None:
        """Write all of `data`. Whatever interrupts it, half a command may be out: close."""
        expired = gevent.Timeout(deadline.left_s)
        try:
            with expired:
                self._sock.sendall(data)
        except OSError as error:
            self.lose(f"cannot send: {error.strerror or error}")
            raise CallGone(self.reason) from error
        except gevent.Timeout as timeout:
            self.lose("FreeSWITCH does not read")
            if timeout is not expired:
                raise
            raise CallGone(self.reason) from None
        except BaseException:
            self.lose("interrupted while sending")
            raise

    def _on_readable(self) -> None:
        self._readable.stop()
        self._reader = gevent.spawn(self._read)

    def _read(self) -> None:
        """Take what has come, then wait without a greenlet."""
        reason = "connection ended"
        try:
            reason = self._read_once()
        except OSError as error:
            reason = f"connection lost: {error.strerror or error}"
        except EslError as error:
            reason = f"protocol error: {error}"
            _log.warning("event socket: %s", reason)
        finally:
            self._reader = None
            if reason:
                self.lose(reason)
            elif not self.gone.is_set():
                self._readable.start(self._on_readable)

    def _read_once(self) -> str:
        """Return why nothing more will come; empty: more may."""
        data = self._sock.recv(READ_BYTES)
        if not data:
            return self._read_eof()
        turn = self._turn
        turn.begin()
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            turn.spend(self._received(piece), len(piece))
        return ""

    def _read_eof(self) -> str:
        try:
            self._framer.receive_eof()
        finally:
            self._take_messages()
        return "connection closed by FreeSWITCH"

    def _received(self, piece: bytes) -> int:
        """Feed the framer; return how many messages came of it."""
        try:
            self._framer.receive_data(piece)
        except EslError:
            self._take_messages()
            raise
        return self._take_messages()

    def _take_messages(self) -> int:
        count = 0
        while not self.gone.is_set() and (message := self._framer.next_message()) is not None:
            count += 1
            self._handle(message)
        self.stats.received_messages += count
        return count

    def _handle(self, message: Message) -> None:
        if message.kind in (COMMAND_REPLY, API_RESPONSE):
            self._handle_reply(message)
        else:
            self._on_message(message)

    def _handle_reply(self, message: Message) -> None:
        if not self._unanswered:
            raise RemoteProtocolError("reply without a command")
        command, waiter = self._unanswered[0]
        if (message.kind == API_RESPONSE) != command.is_api and not _refused(message):
            raise RemoteProtocolError(f"{message.kind} as the answer to {command.name}")
        self._unanswered.popleft()
        if waiter.done or waiter.given_up:
            self.stats.late_replies += 1
        waiter.resolve(message)


def _nobody(_: object) -> None:
    """Hears of a connection that has ended."""


def _refused(message: Message) -> bool:
    """Tell an API command refused before it ran: a plain reply with -ERR."""
    return message.kind == COMMAND_REPLY and not Reply.parse(message).ok
