"""One controlled call: the far end of an outbound Event Socket connection."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any, Final

from gevent.event import Event as Signal
from gevent.socket import socket
from greenswitch.esl import OutboundSession

from . import commands
from .applications import Application
from .causes import HangupCause
from .errors import CallGone, CommandFailed, CommandTimeout, EslError, LocalProtocolError
from .events import ChannelData, DisconnectNotice, Event
from .greenswitch_api import GreenswitchApi
from .peer import DEFAULT_TIMEOUT_S
from .pending import Pending, PendingExecute
from .waiting import Deadline, Waiter

MAX_PENDING_EXECUTES: Final = 128
"""FreeSWITCH closes the socket, without a word, past 256 queued messages on one call."""
SETTLE_TIMEOUT_S: Final = 1.0
"""FreeSWITCH parks about a millisecond after `connect`; events are up to 20 ms late."""
_PROOF: Final = "controller-leaves"
_RUN_WHILE_PARKED: Final = frozenset(
    {"CHANNEL_PARK", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"}
)


class ControllerSession(GreenswitchApi, OutboundSession):  # type: ignore[misc]
    """A call FreeSWITCH handed to us with its `socket` application.

    greenswitch's class, with framing, waiting and events underneath replaced. After the hang-up
    nothing can be executed any more, but commands are still answered while the socket lingers.
    """

    def __init__(self, sock: socket, client_address: Any = None) -> None:
        GreenswitchApi.__init__(self)
        self.gone = Signal()
        self.gone_reason = ""
        self.client_address = client_address
        self.channel: ChannelData | None = None
        self.hungup = False
        self.hangup_cause = ""
        self.lingering = False
        self._parked = Signal()
        self._executes = Pending[Event](MAX_PENDING_EXECUTES)
        self._hangup_complete = Waiter[Event]("CHANNEL_HANGUP_COMPLETE")
        self._local_host: str = _host_of(sock)
        self._attach(sock)

    @property
    def connected(self) -> bool:
        """Whether commands can still be sent."""
        return not self.gone.is_set()

    @property
    def local_host(self) -> str:
        """Our address as FreeSWITCH reaches it: the one it has connected to."""
        return self._local_host

    @property
    def far_host(self) -> str:
        """FreeSWITCH's address as we reach it: the one it has connected from, or a proxy of its
        own host for it. Empty when there is no such address."""
        return str(self.client_address[0]) if self.client_address else ""

    def connect(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> ChannelData:
        """Return the channel data; ask for them the first time. Raise `CommandFailed` if refused.

        FreeSWITCH does nothing for a call, and lets nobody else do it, before it has seen this.
        """
        if self.channel is None:
            reply = self._connection.request((commands.connect(),), timeout_s)[0]
            self.channel = ChannelData.parse(reply)
        return self.channel

    def execute(
        self,
        application: Application,
        argument: str = "",
        *,
        event_lock: bool = True,
        event_uuid: str = "",
        expand: bool = False,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> PendingExecute:
        """Queue an application; return once FreeSWITCH has taken it, not when it has ended.

        Its end is known only with `myevents` or CHANNEL_EXECUTE_COMPLETE subscribed. Raise
        `CallGone` after the hang-up: FreeSWITCH would answer ``+OK`` and do nothing.
        """
        self.require_call()
        identifier = event_uuid or str(uuid.uuid4())
        command = commands.execute(
            application, argument, event_uuid=identifier, event_lock=event_lock, expand=expand
        )
        waiter = self._executes.add(identifier, f"execute {application}")
        try:
            self.send(command, timeout_s).require_ok(command.name)
        except (CommandFailed, CommandTimeout, LocalProtocolError):
            self._executes.discard(identifier)
            raise
        return PendingExecute(identifier, application, waiter)

    def answer(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Answer the call and wait until it is answered. Needs `myevents`."""
        deadline = Deadline(timeout_s)
        self.execute(Application.ANSWER, timeout_s=timeout_s).wait(deadline.left_s)

    def hangup(
        self,
        cause: HangupCause = HangupCause.NORMAL_CLEARING,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        """Hang up, past everything queued; no error if the call is gone already."""
        if self.hungup or self.gone.is_set():
            return
        try:
            self.send(commands.hangup(cause), timeout_s).require_ok("hangup")
        except CallGone:
            return

    def wait_hangup_complete(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Event:
        """Return CHANNEL_HANGUP_COMPLETE. Raise `CallGone` if the socket ends without it."""
        return self._hangup_complete.wait(timeout_s)

    def settle(self, timeout_s: float = SETTLE_TIMEOUT_S) -> None:
        """Return once FreeSWITCH has parked the call, so that it can be left.

        `socket` waits for `connect` and then parks the call until this connection ends
        (mod_event_socket.c, socket_function). If the connection has ended *before* it parks,
        nothing ever ends the parking: the caller would stay, with nobody in control. An
        application that runs proves that it has parked, for the park loop runs it.
        """
        channel = self.channel
        if channel is None or not channel.asynchronous or self.hungup or self._parked.is_set():
            return
        deadline = Deadline(timeout_s)
        proof = commands.execute(Application.UNSET, "none", event_uuid=_PROOF, event_lock=False)
        self.pipeline((commands.myevents(), proof), deadline.left_s)
        if not self._parked.wait(deadline.left_s):
            raise CommandTimeout("parking of the call", timeout_s)

    def exit(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Leave the call to the dialplan and close, at the latest after `timeout_s`."""
        deadline = Deadline(timeout_s)
        try:
            with contextlib.suppress(EslError):
                self.settle(min(SETTLE_TIMEOUT_S, deadline.left_s))
            with contextlib.suppress(EslError):
                self.send(commands.exit_(), deadline.left_s)
            self.gone.wait(deadline.left_s)
        finally:
            self.close()

    def require_call(self) -> None:
        """Raise `CallGone` if the call was hung up or the connection lost."""
        if self.hungup or self.gone.is_set():
            raise CallGone(self.gone_reason or "the call was hung up")

    def _correlate(self, event: Event) -> None:
        super()._correlate(event)
        name = event.name
        if name in _RUN_WHILE_PARKED and self._is_ours(event):
            self._note_parked(event)
        if name == "CHANNEL_EXECUTE_COMPLETE":
            self._executes.resolve(event.application_uuid, event)
        elif name == "CHANNEL_HANGUP" and self._is_ours(event):
            self._on_hangup(event.hangup_cause)
        elif name == "CHANNEL_HANGUP_COMPLETE" and self._is_ours(event):
            self._on_hangup(event.hangup_cause)
            self._hangup_complete.resolve(event)

    def _note_parked(self, event: Event) -> None:
        """Note that the park loop runs; the application `socket` itself is outside of it."""
        if event.application != "socket":
            self._parked.set()

    def _is_ours(self, event: Event) -> bool:
        """Tell our own channel from others that somebody subscribed to."""
        return self.channel is None or event.unique_id == self.channel.uuid

    def _on_notice(self, notice: DisconnectNotice) -> None:
        """Go on after a notice that says `linger`: events and replies still come."""
        if notice.lingering:
            self.lingering = True
            self._on_hangup("")
        else:
            super()._on_notice(notice)

    def _on_hangup(self, cause: str) -> None:
        """Note the hang-up, of which up to three messages tell, in any order."""
        self.hangup_cause = cause or self.hangup_cause
        if not self.hungup:
            self.hungup = True
            self._parked.set()
            self._fail_waiting("the call was hung up")

    def _fail_waiting(self, reason: str) -> None:
        super()._fail_waiting(reason)
        self._executes.fail_all(reason)

    def _on_lost(self, reason: str) -> None:
        super()._on_lost(reason)
        self._hangup_complete.fail(CallGone(reason))
        self.gone_reason = reason
        self._parked.set()
        self.gone.set()


def _host_of(sock: socket) -> str:
    """Of our side; empty for a socket that has ended already."""
    try:
        return str(sock.getsockname()[0])
    except (OSError, IndexError):
        return ""
