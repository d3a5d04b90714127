"""Keeps a working provider under one conversation.

Connects the tenant's first choice, retries or moves on when it fails, takes what was said along,
and crosses a provider's session limit in a pause, so that the caller notices nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gevent

from bridge.audio.formats import AudioFormat
from bridge.playout.heard import HeardPosition
from bridge.providers import base as p
from bridge.providers.ahead import Ahead
from bridge.providers.audio_way import AudioWay
from bridge.providers.conversation import Brief, Conversation, Opening
from bridge.providers.host import Network, ProviderHost
from bridge.session.candidates import NOT_TRIED, Candidate, Candidates, Served
from bridge.session.connection import (
    Connection,
    Crossing,
    Moment,
    SeatListener,
    Start,
    in_words,
)
from bridge.session.retries import HOPELESS

MAX_COMMANDS = 32
"""Kept for a provider that is to come; what is more is dropped and counted."""
_NOT_ITS_FAULT = (p.ErrorKind.OURS, p.ErrorKind.SESSION_EXPIRED)
_NOT_TRIED = p.ProviderFailure(
    p.ErrorKind.SERVER, NOT_TRIED, "failed too often in other calls; not tried", True, True
)


class ProviderSeat:
    """Owns the provider's connection. Every command is carried out, in order, when it can be."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        brief: Brief,
        listener: SeatListener,
        *,
        formats: Callable[[p.Capabilities], tuple[AudioFormat, AudioFormat]],
        connect_timeout_s: float,
        network: Network | None,
        clock: Callable[[], float],
        ahead: Ahead | None = None,
    ) -> None:
        self._ahead = ahead
        self._candidates = Candidates(candidates)
        self.brief = brief
        """Of connections to come."""
        self._listener = listener
        self._formats = formats
        self._connect_timeout_s = connect_timeout_s
        self._network = network
        self._clock = clock
        self._made = 0
        self._now: Connection | None = None
        self._standby: Connection | None = None
        self.crossing: Crossing | None = None
        """A session limit ahead."""
        self._commands: list[Callable[[p.ProviderProtocol, float], None]] = []
        """For the provider that is to come."""
        self._waiting: gevent.Greenlet[..., None] | None = None
        self._closed = False
        self._use(candidates[0])
        self.events_in = 0
        """All that was told by any connection: signs of more than life."""
        self.prefix = ""
        """Of the ids of the connection in use; `on_audio` gets them without it."""

    # --- what the session asks ------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """The provider has taken the settings."""
        return self._now is not None and self._now.ready is not None

    @property
    def capabilities(self) -> p.Capabilities:
        """Of the provider that serves, or is being connected."""
        return self._protocol.capabilities

    @property
    def round_trip_ms(self) -> float | None:
        """Last measured round trip to the provider."""
        return self._now.host.round_trip_ms if self._now is not None else None

    @property
    def messages_in(self) -> int:
        """Messages that came on the connection in use."""
        return self._now.host.messages_in if self._now is not None else 0

    @property
    def alternatives(self) -> bool:
        """Whether another provider could be asked."""
        return self._candidates.others(self.name)

    def start(self) -> None:
        """Connect the first candidate that may be tried, in the background."""
        first = self._candidates.first()
        if first is None:
            self._listener.on_exhausted(_NOT_TRIED)
            return
        self._use(first)
        self._connect()

    def send_audio(self, data: bytes) -> None:
        """Caller audio in the provider's format. The hot path."""
        if self._now is not None:
            self._protocol.send_audio(data)
            self._now.host.flush_audio()

    def audio_way(self) -> AudioWay | None:
        """Where a message of caller audio can go at once; None: `send_audio` does it."""
        return self._now.host.audio_way() if self._now is not None else None

    def heard(self) -> None:
        """An answer of this provider reaches the caller: it is well."""
        if self._now is not None and not self._now.heard:
            self._now.heard = True
            self._gate.heard()

    def give_up(self, failure: p.ProviderFailure) -> None:
        """The provider is of no use any more although its connection is up."""
        if self._now is not None:
            self._lose(self._now, failure, given_up=True)

    def stop(self) -> None:
        """End all connections; the last usage is still told."""
        if self._closed:
            return
        self._closed = True
        if self._waiting is not None:
            self._waiting.kill(block=False)
        if self._ahead is not None:
            self._ahead.close()
        leaving = (self._standby, self._now)
        self._now = self._standby = None
        for connection in filter(None, leaving):
            connection.host.stop()

    # --- commands -------------------------------------------------------------------------------

    def begin_turn(self) -> None:
        """The caller speaks (`Turns.OURS`)."""
        if self._now is not None:
            self._order(lambda protocol, now: protocol.begin_turn(now))

    def end_turn(self, *, answer: bool = True) -> None:
        """The caller has spoken (`Turns.OURS`)."""
        if self._now is not None:
            self._order(lambda protocol, now: protocol.end_turn(now, answer=answer))

    def send_text(self, text: str) -> None:
        """A turn of the caller in words."""
        self._order(lambda protocol, now: protocol.send_text(text, now))

    def inform(self, text: str, *, respond: bool) -> None:
        """Something the caller did not say."""
        self._order(lambda protocol, now: protocol.inform(text, respond=respond, now=now))

    def say(self, text: str, token: str) -> None:
        """Have the agent say exactly this."""
        self._order(lambda protocol, now: protocol.say(text, token, now))

    def answer(self) -> None:
        """Answer what the conversation holds."""
        self._order(lambda protocol, now: protocol.answer(now))

    def probe(self) -> None:
        """Ask for a sign of life."""
        self._order(lambda protocol, now: protocol.probe(now))

    def cut(self, heard: Sequence[HeardPosition]) -> None:
        """The agent was cut off; items of other connections are nothing to this one."""
        ours = [
            p.Heard(item_id[len(self.prefix) :], heard_ms)
            for item_id, heard_ms in heard
            if self._is_ours(item_id)
        ]
        if self._now is not None:
            self._order(lambda protocol, now: protocol.cut(ours, now))

    def disregard(self, turn_id: str, unheard: Sequence[str], *, words: bool) -> None:
        """A turn of this connection's was none."""
        ours = [one[len(self.prefix) :] for one in (turn_id, *unheard) if self._is_ours(one)]
        if self._now is not None and len(ours) == 1 + len(unheard):
            turn, items = ours[0], ours[1:]
            self._order(lambda protocol, now: protocol.disregard(turn, items, words=words, now=now))

    def send_function_result(self, call_id: str, output: str, *, failed: bool) -> bool:
        """Give a result; False when it was another connection that asked for it."""
        if self._now is None or not self._is_ours(call_id):
            return False
        own_id = call_id[len(self.prefix) :]
        self._order(
            lambda protocol, now: protocol.send_function_result(
                own_id, output, failed=failed, now=now
            )
        )
        return True

    # --- a session limit ------------------------------------------------------------------------

    def cross(self, moment: Moment) -> None:
        """Cross a session limit ahead, if this is the moment; to be called a few times a second.

        The session that takes over is prepared in one pause and takes over in the same or a later
        one. Close to the limit any moment will do.
        """
        crossing, now = self.crossing, self._clock()
        if crossing is None or self._now is None:
            return
        if self._standby is None:
            if crossing.may_prepare(moment, now):
                self._prepare(crossing, now)
        elif self._standby.ready is not None and crossing.may_change(moment, now):
            self._change_over(self._standby)

    def _prepare(self, crossing: Crossing, now: float) -> None:
        crossing.tried(now)
        history = tuple(self._listener.history())
        self._standby = self._open(self._protocol.successor(), Start(Opening.LISTEN, history))

    def _change_over(self, connection: Connection) -> None:
        old, self._standby, self.crossing = self._now, None, None
        ready = connection.ready
        assert ready is not None
        self._take_seat(connection)
        connection.heard = old is not None and old.heard
        self._candidates.replacements += 1
        self._catch_up(connection)
        if old is not None:
            old.host.stop()
        self._listener.on_crossed(ready)

    def _catch_up(self, connection: Connection) -> None:
        """Tell what was said since the connection was begun."""
        unknown = connection.unknown(tuple(self._listener.history()))
        if unknown:
            told = "\n".join(in_words(entry) for entry in unknown)
            self.inform(f"[Meanwhile in the conversation:\n{told}]", respond=False)

    def _drop_standby(self) -> None:
        standby, self._standby = self._standby, None
        if standby is not None:
            standby.host.close()

    # --- inside ---------------------------------------------------------------------------------

    def _order(self, command: Callable[[p.ProviderProtocol, float], None]) -> None:
        if self._closed:
            return
        if self._now is not None:
            command(self._protocol, self._clock())
            self._now.host.flush()
        elif len(self._commands) < MAX_COMMANDS:
            self._commands.append(command)

    def _is_ours(self, name: str) -> bool:
        if self.prefix:
            return name.startswith(self.prefix)
        return not any(name.startswith(f"{number}:") for number in range(2, self._made + 1))

    def _connect(self) -> None:
        self._waiting = None
        start = self._listener.start()
        self._take_seat(self._open(self._protocol, start))
        commands, self._commands = self._commands, []
        for command in commands:
            self._order(command)

    def _open(self, protocol: p.ProviderProtocol, start: Start) -> Connection:
        self._made += 1
        audio_in, audio_out = self._formats(protocol.capabilities)
        conversation = Conversation(
            audio_in, audio_out, self.brief, start.opening, start.history, start.opening_token
        )
        connection: Connection
        host = ProviderHost(
            protocol,
            conversation,
            on_events=lambda events: self._on_events(connection, events),
            connect_timeout_s=self._connect_timeout_s,
            network=self._network,
            clock=self._clock,
            ahead=self._ahead,
        )
        self._ahead = None  # it was for the first connection alone
        prefix = f"{self._made}:" if self._made > 1 else ""
        connection = Connection(host, prefix, self._clock(), tuple(start.history), self.name)
        host.start()
        return connection

    def _take_seat(self, connection: Connection) -> None:
        self._now, self.crossing = connection, None
        self._protocol = connection.host.protocol
        self.prefix = connection.prefix

    def _on_events(self, connection: Connection, events: Sequence[p.ProviderEvent]) -> None:
        self.events_in += len(events)
        for event in events:
            if connection is not self._now:
                self._on_aside(connection, event)
            elif type(event) is p.Audio:
                self._listener.on_audio(event)
            else:
                self._on_event(connection, event)

    def _on_event(self, connection: Connection, event: p.ProviderEvent) -> None:
        if isinstance(event, p.SessionReady):
            connection.ready = event
            self._catch_up(connection)
            self._listener.on_ready(event)
        elif isinstance(event, p.GoingAway):
            if self.crossing is None:
                self.crossing = Crossing(self._clock() + event.in_s)
        elif isinstance(event, p.ProviderFailure) and event.fatal:
            self._lose(connection, event)
        else:
            self._listener.on_event(connection.named(event))

    def _on_aside(self, connection: Connection, event: p.ProviderEvent) -> None:
        """Of a connection that is being left, or is to take over."""
        if isinstance(event, p.Usage):
            self._listener.on_event(connection.named(event))
        elif connection is not self._standby:
            return
        elif isinstance(event, p.SessionReady):
            connection.ready = event
        elif isinstance(event, p.Ended) or (isinstance(event, p.ProviderFailure) and event.fatal):
            self._drop_standby()

    def _lose(
        self, connection: Connection, failure: p.ProviderFailure, *, given_up: bool = False
    ) -> None:
        """Move on. What cannot get better with the same provider skips its second try."""
        self._now = self.crossing = None
        if given_up:
            connection.host.stop()
        else:
            connection.host.close()
        if failure.kind not in _NOT_ITS_FAULT:
            self._gate.failed(failure.kind)
        if not given_up and failure.kind not in HOPELESS and self._step_in(connection, failure):
            return
        self._drop_standby()
        took_s = self._clock() - connection.opened_at
        served = Served(connection.ready is not None, connection.heard, given_up, took_s)
        following = self._candidates.after(self.name, failure, served)
        if following is None:
            self._listener.on_exhausted(failure)
            return
        pause_s, candidate = following
        self._listener.on_lost(failure)
        if self._closed:
            return
        self._use(candidate)
        self._waiting = gevent.spawn_later(pause_s, self._connect)

    def _use(self, candidate: Candidate) -> None:
        """The one to be connected next."""
        self.name, self.kind, self._gate = candidate.name, candidate.kind, candidate.gate
        self._protocol = candidate.make()

    def _step_in(self, lost: Connection, failure: p.ProviderFailure) -> bool:
        """A session that was to take over anyway does so now; False when there is none of use."""
        standby = self._standby
        if standby is None or standby.ready is None:
            return False
        if standby.unknown(tuple(self._listener.history())) is None:
            return False
        self._standby = None
        self._listener.on_lost(failure)
        if self._closed:
            standby.host.close()
            return True
        self._candidates.replacements += 1
        start = self._listener.start()
        self._take_seat(standby)
        standby.heard = lost.heard
        self._catch_up(standby)
        commands, self._commands = self._commands, []
        for command in commands:
            self._order(command)
        self._listener.on_ready(standby.ready)
        if start.opening is Opening.ANSWER:
            self.answer()
        return True
