"""What an outbound session and an inbound client share: commands, background jobs, handlers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Final

from gevent.socket import socket

from . import commands
from .commands import Command
from .connection import JOIN_TIMEOUT_S, Connection, ConnectionStats
from .dispatcher import Dispatcher, Handler
from .errors import CallGone, RemoteProtocolError
from .events import DisconnectNotice, Event, Reply
from .framing import DISCONNECT_NOTICE, EVENT_JSON, EVENT_PLAIN, Message
from .pending import Pending
from .waiting import Deadline

DEFAULT_TIMEOUT_S: Final = 5.0
MAX_BACKGROUND_JOBS: Final = 256


class EventSocketPeer:
    """The far end of one Event Socket connection.

    Every method that talks to FreeSWITCH has a deadline and raises `CallGone` when the other side
    goes, `CommandTimeout` when it is silent, `CommandFailed` where it promises success.
    """

    def __init__(self) -> None:
        self.stats = ConnectionStats()
        self._dispatcher = Dispatcher()
        self._jobs = Pending[Event](MAX_BACKGROUND_JOBS)
        self._hears_jobs = False
        self._link: Connection | None = None

    def _attach(self, sock: socket) -> Connection:
        """Take over a connected socket; its reader starts."""
        self._hears_jobs = False
        self._link = Connection(sock, self._on_message, self._on_lost, self.stats)
        return self._link

    @property
    def _connection(self) -> Connection:
        if self._link is None:
            raise CallGone("not connected to FreeSWITCH")
        return self._link

    @property
    def dropped_events(self) -> int:
        """Events no handler saw because the handlers were too slow."""
        return self._dispatcher.dropped_events

    @property
    def handler_errors(self) -> int:
        """Handlers that raised."""
        return self._dispatcher.handler_errors

    def on(self, event: str, handler: Handler) -> Callable[[], None]:
        """Call `handler` with each event of that name or CUSTOM subclass; return its removal.

        Handlers of a connection run in a greenlet of their own, in order, one event at a time.
        """
        return self._dispatcher.on(event, handler)

    def send(self, command: Command, timeout_s: float = DEFAULT_TIMEOUT_S) -> Reply:
        """Send one command and return its reply, whatever it says."""
        return self.pipeline((command,), timeout_s)[0]

    def pipeline(
        self, batch: Sequence[Command], timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> list[Reply]:
        """Send several commands in one write; return their replies in order."""
        return [Reply.parse(message) for message in self._connection.request(batch, timeout_s)]

    def api(
        self,
        command: str,
        argument: str = "",
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        check: bool = True,
    ) -> str:
        """Run a *quick* API command in the connection's own thread and return its output.

        Nothing else is read or delivered on this connection until it ends: use `bgapi` for all
        that can wait. Without `check` an answer of ``-ERR`` is returned, not raised.
        """
        reply = self.send(commands.api(command, argument), timeout_s)
        return (reply.require_ok(f"api {command}") if check else reply).text

    def bgapi(
        self,
        command: str,
        argument: str = "",
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        check: bool = True,
    ) -> str:
        """Run an API command aside and return its output, the body of its BACKGROUND_JOB event."""
        deadline = Deadline(timeout_s)
        job_uuid = str(uuid.uuid4())
        waiter = self._jobs.add(job_uuid, f"bgapi {command}")
        try:
            batch = [commands.bgapi(command, argument, job_uuid=job_uuid)]
            if not self._hears_jobs:
                batch.insert(0, commands.event_plain(("BACKGROUND_JOB",)))
            for reply in self.pipeline(batch, deadline.left_s):
                reply.require_ok(f"bgapi {command}")
            self._hears_jobs = True
            output = Reply(waiter.wait(deadline.left_s).text)
        finally:
            self._jobs.discard(job_uuid)
        return (output.require_ok(f"bgapi {command}") if check else output).text

    def close(self) -> None:
        """Close at once: no command is sent, every wait raises `CallGone`. Idempotent."""
        if self._link is not None:
            self._link.close()
        self._dispatcher.close(JOIN_TIMEOUT_S)

    def _on_message(self, message: Message) -> None:
        if message.kind in (EVENT_PLAIN, EVENT_JSON):
            self._on_event_message(message)
        elif message.kind == DISCONNECT_NOTICE:
            self._on_notice(DisconnectNotice.parse(message))
        else:
            self.stats.unknown_messages += 1

    def _on_event_message(self, message: Message) -> None:
        """Match an event with who waits for it, then queue it for the handlers.

        The frame around a malformed event is sound, so the event is counted and left out.
        """
        try:
            event = Event.parse(message)
        except RemoteProtocolError:
            self.stats.malformed_events += 1
            return
        self._correlate(event)
        self._dispatcher.put(event, len(message.body))

    def _correlate(self, event: Event) -> None:
        """Give `event` to whoever waits for it. Runs in the reader; must not wait."""
        if event.name == "BACKGROUND_JOB":
            self._jobs.resolve(event.job_uuid, event)

    def _on_notice(self, _notice: DisconnectNotice) -> None:
        """Act on a disconnect notice: nothing follows it."""
        self._connection.lose("FreeSWITCH disconnected")

    def _on_lost(self, reason: str) -> None:
        self._fail_waiting(reason)

    def _fail_waiting(self, reason: str) -> None:
        if self._link is not None:
            self._link.fail_waiting(reason)
        self._jobs.fail_all(reason)
