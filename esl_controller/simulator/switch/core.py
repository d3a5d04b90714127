"""The switch: calls, connections to the application, events, and the clock that moves it all."""

from __future__ import annotations

import socket
import time
import uuid as uuid_module
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import gevent
from gevent.event import Event as Flag

from esl_controller.simulator.switch import api, editions, legs, originate
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import Channel, ChannelOptions
from esl_controller.simulator.switch.clock import MediaClock
from esl_controller.simulator.switch.conference import Room
from esl_controller.simulator.switch.dialplan import DEFAULT_EXTENSIONS, DEFAULT_FAR_ENDS
from esl_controller.simulator.switch.esl_peer import EslPeer
from esl_controller.simulator.switch.event import Event, EventOrigin
from esl_controller.simulator.switch.expansion import expand
from esl_controller.simulator.switch.inbound import InboundListener
from esl_controller.simulator.switch.legs import DialString, FarEnd
from esl_controller.simulator.switch.media import CallEnd
from esl_controller.simulator.switch.originate import Originate
from esl_controller.simulator.switch.quirks import FAITHFUL, Quirks
from esl_controller.simulator.switch.session import Session
from esl_controller.simulator.switch.silent_end import LoopbackEnd, SilentEnd

VERSION = "1.11.1-release-simulated 64bit"


@dataclass(frozen=True, slots=True)
class SwitchConfig:
    """What a switch is made of."""

    quirks: Quirks = FAITHFUL
    seed: int = 1
    """Everything left to chance is drawn from it."""
    extensions: Mapping[str, Sequence[Action]] = field(default_factory=lambda: DEFAULT_EXTENSIONS)
    far_ends: Mapping[str, FarEnd] = field(default_factory=lambda: DEFAULT_FAR_ENDS)
    password: str = "ClueCon"
    speed: float = 1.0
    """Simulated seconds per real one; more than 1 only where no provider is involved."""
    temp_dir: Path = field(default_factory=editions.temp_dir)


@dataclass(slots=True)
class Dial:
    """A connection to the application being made for a call."""

    peer: EslPeer | None = None
    failed: bool = False


class Switch:
    """A FreeSWITCH in software. Close it when done; `with Switch() as switch` does."""

    version: str = VERSION

    def __init__(self, config: SwitchConfig | None = None) -> None:
        self.config = config or SwitchConfig()
        self.quirks = self.config.quirks
        self.password = self.config.password
        self.temp_dir = self.config.temp_dir
        self.rng = Random(self.config.seed)
        self.clock = MediaClock(self.config.speed)
        self.sessions: dict[str, Session] = {}
        self.rooms: dict[str, Room] = {}
        """Conferences by name."""
        self.globals: dict[str, str] = {"hostname": "fs-sim", "domain": "127.0.0.1"}
        self.started = self.now()
        self.calls_made = 0
        self.peak_calls = 0
        self.crashed = ""
        """Why the whole switch went down; empty while it runs."""
        self.origin: EventOrigin = EventOrigin(core_uuid=self.new_uuid())
        self._peers: dict[EslPeer, None] = {}
        self._listening: dict[EslPeer, None] = {}
        self._listening_to: dict[str, dict[EslPeer, None]] = {}
        self._inbound: InboundListener | None = None
        self._closed = Flag()
        self._epoch_us = time.time_ns() // 1000 - round(self.now() * 1_000_000)

    def __enter__(self) -> Switch:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # calls

    def originate_to_controller(
        self,
        host: str,
        port: int,
        *,
        caller: CallEnd | None = None,
        channel: ChannelOptions | None = None,
        actions_after: Sequence[Action] = (),
        actions_before: Sequence[Action] = (),
        full: bool = True,
    ) -> Session:
        """A caller dials an extension whose `socket` action leads to the application.

        `actions_before` and `actions_after` stand around the `socket` action in the dialplan.
        """
        mode = "async full" if full else "async"
        program = [*actions_before, Action("socket", f"{host}:{port} {mode}"), *actions_after]
        return self.start_call(program, caller=caller, channel=channel)

    def start_call(
        self,
        program: Sequence[Action],
        *,
        caller: CallEnd | None = None,
        channel: ChannelOptions | None = None,
    ) -> Session:
        """A call that runs `program` as its dialplan."""
        return self._add_session(program, caller or SilentEnd(), channel or ChannelOptions())

    def _add_session(
        self, program: Sequence[Action], end: CallEnd, options: ChannelOptions
    ) -> Session:
        if self.crashed:
            raise ConnectionError(f"the switch is down: {self.crashed}")
        self.calls_made += 1
        data = Channel(options, self.rng, self.now_us(), self.calls_made)
        session = Session(self, data, program, end)
        end.attach(session)
        self.sessions[session.uuid] = session
        self.peak_calls = max(self.peak_calls, len(self.sessions))
        self.clock.add(session.tick, data.ptime_ms)
        session.fire("CHANNEL_CREATE", ("switch_core_session.c", "switch_core_session_run", 1))
        return session

    def living(self, uuid: str) -> Session | None:
        """The call with this uuid, unless it has been hung up."""
        session = self.sessions.get(uuid)
        return None if session is None or session.hung_up else session

    def session_finished(self, session: Session) -> None:
        """Everything about the call is done; its own socket never hears of CHANNEL_DESTROY."""
        self.clock.remove(session.tick)
        source = ("switch_core_session.c", "switch_core_session_perform_destroy", 1626)
        session.fire("CHANNEL_DESTROY", source)
        if session.peer is not None:
            session.peer.session_finished()
        if session.peer is None or session.peer.gone or session.peer.linger_s is None:
            self.sessions.pop(session.uuid, None)
        session.ended.set()

    def extension(self, number: str) -> Sequence[Action]:
        """The dialplan of a number; empty for one that does not exist."""
        return self.config.extensions.get(number, ())

    # second legs

    def call_far_end(self, dial: DialString, caller: Session | None) -> tuple[Session | None, str]:
        """Start calling; the leg, or None and the cause when nothing can be called."""
        far_end, cause = self._far_end(dial)
        if far_end is None:
            return None, cause
        options = ChannelOptions(
            uuid=dial.variables.get("origination_uuid", ""),
            caller_id_name=dial.variables.get("origination_caller_id_name", dial.target),
            caller_id_number=dial.variables.get("origination_caller_id_number", dial.target),
            destination_number=dial.target,
            direction="outbound",
            variables=dial.variables,
        )
        if caller is not None:
            options = replace(options, codec=caller.channel.codec)
        end = far_end.end() if far_end.end else SilentEnd(far_end.hangs_up_after_s)
        leg = self._add_session([Action("park")], end, options)
        leg.prelude = legs.ring(far_end)
        return leg, ""

    def _far_end(self, dial: DialString) -> tuple[FarEnd | None, str]:
        if dial.endpoint == "error":
            return None, dial.target.upper()
        far_end = self.config.far_ends.get(dial.target)
        if dial.endpoint not in ("sofia", "user", "loopback"):
            return None, "CHAN_NOT_IMPLEMENTED"
        if far_end is None:
            missing = {"user": "SUBSCRIBER_ABSENT"}
            return None, missing.get(dial.endpoint, "NORMAL_TEMPORARY_FAILURE")
        return far_end, ""

    def originate(self, argument: str) -> str:
        """api `originate`: blocks until the far end answers or refuses."""
        wanted = originate.parse(argument)
        if wanted is None:
            return originate.USAGE
        dial = wanted.dial_string()
        program = self._runs(dial)
        if program:
            asked, ours = self._loopback(dial, program)
        else:
            leg, cause = self.call_far_end(dial, None)
            if leg is None:
                return f"-ERR {cause}\n"
            asked = ours = leg
        self._send_on(ours, wanted)
        return self._wait_for_answer(asked, ours, dial.timeout_s)

    def _send_on(self, leg: Session, wanted: Originate) -> None:
        """Once answered the leg runs an application, or the dialplan for another number."""
        if wanted.application is not None:
            leg.replace_program([wanted.application])
        else:
            assert leg.prelude is not None  # who is called rings first
            program = self.extension(wanted.extension)
            leg.prelude = legs.then_transfer(leg.prelude, wanted.extension, wanted.context, program)

    def _runs(self, dial: DialString) -> Sequence[Action]:
        """What the far half of a loopback runs: an extension, or one application
        (`loopback/app=name:data`, mod_loopback.c); nothing of other endpoints."""
        if dial.endpoint != "loopback":
            return ()
        name, _, data = dial.target.removeprefix("app=").partition(":")
        return [Action(name, data)] if "app=" in dial.target else self.extension(dial.target)

    def _loopback(self, dial: DialString, program: Sequence[Action]) -> tuple[Session, Session]:
        """Both halves of a loopback channel: the one that runs the extension, and ours."""
        variables = dial.variables
        near_end, far_end = LoopbackEnd.pair()
        options = ChannelOptions(
            uuid=variables.get("origination_uuid", ""),
            caller_id_name=variables.get("origination_caller_id_name", ""),
            caller_id_number=variables.get("origination_caller_id_number", "0000000000"),
            destination_number=dial.target,
            variables=variables,
        )
        other = self._add_session(list(program), far_end, replace(options, uuid=""))
        near = self._add_session([], near_end, replace(options, direction="outbound"))
        near.prelude = legs.follow(other)
        return other, near

    def _wait_for_answer(self, asked: Session, ours: Session, timeout_s: float) -> str:
        gevent.wait([asked.answered, asked.ended], timeout=timeout_s, count=1)
        if asked.answered.is_set():
            return f"+OK {ours.uuid}\n"
        cause = asked.channel.hangup_cause or "NO_ANSWER"
        for session in (asked, ours):
            session.hang_up("NO_ANSWER")
        return f"-ERR {cause}\n"

    # the application

    def dial_application(self, session: Session, host: str, port: int, *, full: bool) -> Dial:
        """Connect to the application's outbound socket for `session`, aside."""
        dial = Dial()
        gevent.spawn(self._dial, dial, session, host, port, full)
        return dial

    def _dial(self, dial: Dial, session: Session, host: str, port: int, full: bool) -> None:
        try:
            sock = socket.create_connection((host, port), timeout=2)
        except OSError as error:
            session.unreachable = error.strerror or str(error)
            dial.failed = True
            return
        if self.crashed or self._closed.is_set():
            sock.close()
            return
        sock.settimeout(None)
        session.peer = dial.peer = self.add_peer(EslPeer(self, sock, session, full=full))
        if session.hung_up:
            dial.peer.say_goodbye()

    def add_peer(self, peer: EslPeer) -> EslPeer:
        """A new Event Socket connection."""
        self._peers[peer] = None
        return peer

    def listen_inbound(self, port: int = 0) -> int:
        """Open the inbound Event Socket on 127.0.0.1; returns its port."""
        self._inbound = InboundListener(self, port)
        return self._inbound.port

    def close_inbound(self) -> None:
        """Close it again; who is connected stays so."""
        if self._inbound is not None:
            self._inbound.close()
            self._inbound = None

    def listen(self, peer: EslPeer) -> None:
        """The peer wants events; index it by the call it restricts itself to."""
        self._unlisten(peer)
        own = peer.subscription.own_uuid
        group = self._listening_to.setdefault(own, {}) if own else self._listening
        group[peer] = None

    def forget_peer(self, peer: EslPeer) -> None:
        """The connection is over."""
        self.clock.remove(peer.tick)
        self._peers.pop(peer, None)
        self._unlisten(peer)
        session = peer.session
        if session is not None and session.ended.is_set():
            self.sessions.pop(session.uuid, None)

    def _unlisten(self, peer: EslPeer) -> None:
        self._listening.pop(peer, None)
        own = peer.subscription.own_uuid
        if own in self._listening_to:
            self._listening_to[own].pop(peer, None)
            if not self._listening_to[own]:
                del self._listening_to[own]

    # events

    def wanted(self, name: str, subclass: str, uuid: str) -> bool:
        """Does anybody listen to this kind of event of this call?"""
        return any(peer.subscription.wants(name, subclass) for peer in self._audience(uuid))

    def fire(self, event: Event) -> None:
        """Give an event to everyone who subscribed to it."""
        for peer in tuple(self._audience(event.uuid or event.owner_uuid)):
            own = peer.session is not None and peer.session.uuid == event.uuid
            if own and event.name == "CHANNEL_DESTROY":
                continue
            if peer.subscription.passes(event):
                peer.queue(event)

    def _audience(self, uuid: str) -> Iterator[EslPeer]:
        yield from self._listening
        yield from self._listening_to.get(uuid, ())

    # small things

    def now(self) -> float:
        """Seconds on the media clock."""
        return self.clock.now()

    def now_us(self) -> int:
        """Microseconds since 1970, never going back."""
        return self._epoch_us + round(self.now() * 1_000_000)

    def expand(self, text: str, channel: Channel) -> str:
        """`text` with a channel's variables, profile fields and api calls put in."""
        return expand(text, channel.get, lambda name, argument: api.run(self, name, argument))

    def new_uuid(self) -> str:
        """From the switch's own seed."""
        return str(uuid_module.UUID(int=self.rng.getrandbits(128), version=4))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return probability > 0 and self.rng.random() < probability

    def hang_for_ever(self) -> None:
        """Block the caller until the switch is closed."""
        self._closed.wait()

    def crash(self, reason: str) -> None:
        """FreeSWITCH dies: every call and connection is gone without a word."""
        self.crashed = reason
        gevent.spawn(self._drop_everything)

    def _drop_everything(self) -> None:
        self.clock.stop()
        if self._inbound is not None:
            self._inbound.close()
        for peer in tuple(self._peers):
            peer.close()
        for session in tuple(self.sessions.values()):
            session.media.drop()
            session.ended.set()
        self.sessions.clear()

    def close(self) -> None:
        """End everything; no greenlet, socket or file stays behind."""
        self._closed.set()
        self._drop_everything()
