"""Our own connection to FreeSWITCH's Event Socket (port 8021): commands that belong to no call."""

from __future__ import annotations

import contextlib
import logging
import random
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import gevent
from gevent import socket
from gevent.event import Event as Signal
from greenswitch.esl import InboundESL

from . import commands, dialstring
from .commands import Command
from .connection import JOIN_TIMEOUT_S
from .dialstring import DialString
from .errors import CallGone, CommandFailed, CommandTimeout, EslError
from .framing import AUTH_REQUEST, RUDE_REJECTION, Message
from .peer import DEFAULT_TIMEOUT_S, EventSocketPeer
from .waiting import Deadline, Waiter

FIRST_RETRY_S: Final = 0.2
LAST_RETRY_S: Final = 10.0

_log = logging.getLogger("esl")


class InboundClient(EventSocketPeer, InboundESL):  # type: ignore[misc]
    """Stays connected: logs in, subscribes, and does both again after a loss.

    greenswitch's class, with framing, waiting and events underneath replaced. While there is no
    connection every command raises `CallGone` at once. Handlers and subscriptions survive.
    """

    def __init__(
        self,
        address: tuple[str, int],
        password: str,
        *,
        events: Iterable[str] = (),
        custom: Iterable[str] = (),
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        EventSocketPeer.__init__(self)
        self.address = address
        self.logged_in = Signal()
        self.reconnects = 0
        self._password = password
        self._events, self._custom = tuple(events), tuple(custom)
        self._timeout_s = timeout_s
        self._greeting: Waiter[Message] = Waiter("auth/request")
        self._lost = Signal()
        self._local_host = ""
        self._keeper: gevent.Greenlet[[], None] | None = None

    @property
    def local_host(self) -> str:
        """Our address on the connection; empty before there was one."""
        return self._local_host

    @property
    def connected(self) -> bool:
        """Whether commands can be sent now."""
        return self.logged_in.is_set()

    def start(self) -> None:
        """Connect in the background, and again whenever the connection is lost."""
        if self._keeper is None:
            self._keeper = gevent.spawn(self._keep_connected)

    def wait_connected(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Wait until logged in. Raise `CommandTimeout`."""
        if not self.logged_in.wait(timeout_s):
            raise CommandTimeout("login to FreeSWITCH", timeout_s)

    def connect(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Connect, log in and subscribe, once. Raise `EslError`; nothing is left open then."""
        deadline = Deadline(timeout_s)
        self._greeting = Waiter("auth/request")
        self._lost.clear()
        link = self._attach(self._dial(deadline.left_s))
        try:
            self._log_in(deadline)
        except BaseException:
            link.close("login failed")
            raise
        self.logged_in.set()

    def originate(self, dial: DialString, target: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> str:
        """Call out and return the new channel's UUID once it is there (answered, or early media).

        `target` comes from `dialstring.run` or `dialstring.extension`. Raise `CommandFailed` with
        the cause (``-ERR USER_BUSY``), or `CommandTimeout`; the attempt is cancelled then.
        """
        identifier = dial.variables.get("origination_uuid") or str(uuid.uuid4())
        dial = replace(dial, variables={**dial.variables, "origination_uuid": identifier})
        try:
            output = self.bgapi("originate", dialstring.originate(dial, target), timeout_s)
        except CommandTimeout:
            self._cancel(identifier)
            raise
        return output.removeprefix("+OK").strip()

    def close(self) -> None:
        """Log out at once and stay out. Idempotent."""
        if self._keeper is not None:
            self._keeper.kill(block=True, timeout=JOIN_TIMEOUT_S)
        super().close()

    def _keep_connected(self) -> None:
        delay_s = FIRST_RETRY_S
        while True:
            try:
                self.connect(self._timeout_s)
            except EslError as error:
                _log.warning("event socket %s:%d: %s", *self.address, error)
            else:
                delay_s = FIRST_RETRY_S
                self._lost.wait()
                self.reconnects += 1
            gevent.sleep(delay_s * random.uniform(0.5, 1.0))
            delay_s = min(LAST_RETRY_S, delay_s * 2)

    def _dial(self, timeout_s: float) -> socket.socket:
        try:
            sock = socket.create_connection(self.address, timeout=timeout_s)
        except OSError as error:
            raise CallGone(f"cannot connect: {error.strerror or error}") from error
        sock.settimeout(None)
        self._local_host = str(sock.getsockname()[0])
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return sock

    def _log_in(self, deadline: Deadline) -> None:
        self._greeting.wait(deadline.left_s)
        batch: list[Command] = [
            commands.auth(self._password),
            commands.event_plain(("BACKGROUND_JOB", *self._events), self._custom),
        ]
        for command in batch:
            self.send(command, deadline.left_s).require_ok(command.name)
        self._hears_jobs = True

    def _cancel(self, channel_uuid: str) -> None:
        """End a call attempt nobody waits for any more; no answer is awaited."""
        command = commands.bgapi("uuid_kill", f"{channel_uuid} ORIGINATOR_CANCEL")
        with contextlib.suppress(EslError):
            self._connection.post((command,), self._timeout_s)

    def _on_message(self, message: Message) -> None:
        if message.kind == AUTH_REQUEST:
            self._greeting.resolve(message)
        elif message.kind == RUDE_REJECTION:
            self._greeting.fail(CommandFailed("auth", "refused by FreeSWITCH's access list"))
        else:
            super()._on_message(message)

    def _on_lost(self, reason: str) -> None:
        self.logged_in.clear()
        self._greeting.fail(CallGone(reason))
        super()._on_lost(reason)
        self._lost.set()
