"""One Event Socket connection: reads commands, writes replies, lets events out on the tick."""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event as Flag

from bridge.errors import RemoteProtocolError
from esl_controller.simulator.switch import commands, event
from esl_controller.simulator.switch.command_reader import Command, CommandReader
from esl_controller.simulator.switch.event import Event
from esl_controller.simulator.switch.subscription import Subscription

if TYPE_CHECKING:
    from esl_controller.simulator.switch.core import Switch
    from esl_controller.simulator.switch.session import Session

# mod_event_socket.c, MAX_QUEUE_LEN: further events are dropped and counted.
_EVENT_LIMIT = 100_000
# The lingering connection outlives its time a little (seen: 3.4 s for `linger 3`).
_LINGER_SLACK_S = 0.4
# The media clock's turns are not exact to the microsecond.
_TICK_SLACK_S = 0.01


class EslPeer:
    """A connection with an application; `session` is the call of an outbound one."""

    def __init__(
        self, switch: Switch, sock: socket.socket, session: Session | None, *, full: bool = True
    ) -> None:
        self.switch = switch
        self.session = session
        self.full = full
        self.subscription = Subscription()
        self.connected = session is None
        """Outbound: `connect` was received."""
        self.authenticated = session is not None
        self.gone = False
        """The application went away or was sent away."""
        self.linger_s: int | None = None
        self.dropped_events = 0
        self._busy = False
        self._events: deque[bytes] = deque()
        self._outgoing: list[bytes] = []
        self._ready = Flag()
        self._notice_due = False
        self._next_flush_at = 0.0
        self._closing = False
        self._socket = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writer = gevent.spawn(self._write)
        self._reader = gevent.spawn(self._read)
        switch.clock.add(self.tick)

    # events

    def queue(self, raised: Event) -> None:
        """An event for this connection; it leaves on the next tick."""
        if len(self._events) >= _EVENT_LIMIT:
            self.dropped_events += 1
            return
        self._events.append(raised.json() if self.subscription.as_json else raised.plain())
        if self.switch.quirks.event_tick_s <= 0:
            self._flush()

    def tick(self, now: float) -> None:
        """Every 20 ms, unless an `api` command is running in this connection's thread."""
        if now < self._next_flush_at or self._busy:
            return
        self._next_flush_at = now + self.switch.quirks.event_tick_s - _TICK_SLACK_S
        if self._events or self._notice_due:
            self._flush()

    def _flush(self) -> None:
        frames = list(self._events)
        self._events.clear()
        if self._notice_due and self.session is not None:
            self._notice_due = False
            channel = self.session.channel
            notice = event.linger_notice(channel.uuid, channel.name, self.linger_s or -1)
            frames.insert(self._notice_place(len(frames)), notice)
        self.send(b"".join(frames))

    def _notice_place(self, count: int) -> int:
        """Mostly last, now and then among the events, seldom first: another thread sends it."""
        if not self.switch.quirks.shuffled_notice or self.switch.chance(0.75):
            return count
        return 0 if self.switch.chance(0.15) else self.switch.rng.randint(0, count)

    # the call

    def session_hung_up(self) -> None:
        """The call is over: send the notice to a lingering connection."""
        self._notice_due = self.linger_s is not None and self.connected

    def session_finished(self) -> None:
        """After CHANNEL_HANGUP_COMPLETE: without `linger` the connection ends here."""
        if self.linger_s is None:
            lost = self.switch.chance(self.switch.quirks.lost_hangup_complete)
            if lost and self._events and b"CHANNEL_HANGUP_COMPLETE" in self._events[-1]:
                self._events.pop()
            self.say_goodbye()
        elif self.linger_s > 0:
            gevent.spawn_later(self.linger_s + _LINGER_SLACK_S, self.say_goodbye)

    def say_goodbye(self) -> None:
        """Disconnect notice, then EOF."""
        if self._closing:
            return
        self._flush()
        self.send(event.disconnect_notice(self.session.uuid if self.session else ""))
        self._closing = True
        self._ready.set()

    def close(self) -> None:
        """Close at once without a word."""
        self._closing = True
        self._drop()

    # bytes

    def send(self, data: bytes) -> None:
        """Queue bytes for the application; order is kept, nothing blocks."""
        if data and not self._closing:
            self._outgoing.append(data)
            self._ready.set()

    def _write(self) -> None:
        try:
            while True:
                self._ready.wait()
                self._ready.clear()
                data, closing = b"".join(self._outgoing), self._closing
                self._outgoing.clear()
                if data:
                    self._socket.sendall(data)
                if closing:
                    break
        except OSError:
            self._drop()
            return
        self._drop()

    def _read(self) -> None:
        reader = CommandReader()
        timeout_s = None if self.connected else self.switch.quirks.connect_timeout_s
        patience = gevent.Timeout.start_new(timeout_s)
        try:
            while True:
                data = self._socket.recv(65536)
                if not data:
                    break
                reader.receive_data(data)
                while not self._closing and (command := reader.next_command()):
                    self._receive(command)
                    if self.connected:
                        patience.close()
        except gevent.Timeout as expired:
            if expired is not patience:
                raise
        except (OSError, RemoteProtocolError):
            pass  # the same as an orderly end: the application is gone
        finally:
            patience.close()
        self._drop()

    def _receive(self, command: Command) -> None:
        self._busy = command.verb == "api"
        try:
            reply = commands.run(self, command)
        finally:
            self._busy = False
        if self.connected:
            self.send(reply)
        self._flush()
        if command.verb == "exit" and self.connected and self.full:
            self.say_goodbye()

    def _drop(self) -> None:
        """The connection is over."""
        if self.gone:
            return
        self.gone = True
        self._closing = True
        if self.session is not None:
            self.session.control.application_left(self.switch.now())
        self.switch.forget_peer(self)
        current = gevent.getcurrent()
        for greenlet in (self._reader, self._writer):
            if greenlet is not current:
                greenlet.kill(block=False)
        self._socket.close()
