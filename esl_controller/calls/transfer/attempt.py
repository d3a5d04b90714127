"""One attempt to connect a caller with one human, in a greenlet of its own.

It rings, briefs, hears the verdict and has the call join the two. Whatever happens, and whenever,
the human's leg is either joined with the caller or ended: nothing is left behind.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Protocol

import gevent
import structlog
from gevent.event import Event as Signal
from gevent.queue import Empty, Queue

from esl_controller.calls.door import LegDoor
from esl_controller.calls.leg import Leg
from esl_controller.calls.transfer.destination import Destination
from esl_controller.calls.transfer.dialling import dial_string
from esl_controller.calls.transfer.outcomes import Outcome, cause_in, of_cause
from esl_controller.calls.transfer.states import (
    FINAL,
    TRANSFER_TABLE,
    TransferEvent,
    TransferState,
)
from esl_controller.database.models import RouteEntry
from esl_controller.esl import commands, dialstring
from esl_controller.esl.errors import CommandFailed, EslError, LocalProtocolError
from esl_controller.routes.identity import CallIdentity

_S, _E = TransferState, TransferEvent

ANNOUNCE_S = 8.0
"""Longest wait for the caller to have heard whom we ring."""
QUIET_S = 0.4
"""Nobody speaks for so long: it was heard."""
LOOK_S = 0.1
VERDICT_S = 40.0
"""From the human's answer to a yes or no."""
JOIN_S = 8.0
"""For the call to stop the caller's music and bridge."""
CANCEL_S = 3.0
"""For a leg that is being ended to be gone."""
DOOR_S = 3.0
"""From the human's answer to his leg at our door: it only has to connect."""
LATE_ORIGINATE_S = 5.0
"""FreeSWITCH counts `originate_timeout` in whole seconds of the clock."""
ACCEPT, DECLINE = "1", "2"

_log = structlog.get_logger("transfer")


class Talk(Protocol):
    """The private talk with the human."""

    def begin(self) -> None:
        """Bring it; may wait. Raises EslError when the human has gone."""

    def close(self) -> None:
        """End it and give everything up."""


@dataclass(frozen=True, slots=True)
class CallerSide:
    """The call, as an attempt sees it. Nothing here waits."""

    leg: Leg
    entry: RouteEntry
    identity: CallIdentity
    quiet: Callable[[], bool]
    """Neither the caller nor the agent speaks."""
    hold: Callable[[], None]
    """Part caller and agent."""
    join: Callable[[Leg], None]
    """Bridge the caller with this leg, and answer with BRIDGED or BRIDGE_REFUSED."""
    brief: Callable[[Leg, Callable[[TransferEvent, str], None]], Talk]
    """Make the talk with the human on his leg; he is to say ACCEPTED or DECLINED, and why."""
    over: Callable[[Attempt], None]
    """It has ended, and nothing of it is left."""


class Attempt:
    """`run` returns when it is over; `outcome` then says how."""

    def __init__(
        self, caller: CallerSide, door: LegDoor, destination: Destination, ring_s: float
    ) -> None:
        self.destination = destination
        self.state = TRANSFER_TABLE.initial
        self.outcome = Outcome.FAILED
        self.words = ""
        """What the human said about why not."""
        self.cause = ""
        """FreeSWITCH's, of a leg that was not answered or has hung up."""
        self._caller = caller
        self._door = door
        self._ring_s = ring_s
        self._events: Queue[tuple[TransferEvent, Any]] = Queue()
        self._leg: Leg | None = None
        self._leg_uuid = str(uuid.uuid4())
        self._dialled = self._caller_gone = False
        self._came_or_over = Signal()
        """The leg is at our door, or is not wanted any more."""
        self._left = Signal()
        """The human's leg may be left by the greenlet that brought it."""
        self._quiet_since: float | None = None
        self._until = 0.0
        self._held = ExitStack()
        self._briefing: Talk | None = None

    def post(self, event: TransferEvent, what: Any = None) -> None:
        """Something happened. Never waits."""
        self._events.put_nowait((event, what))

    def run(self) -> None:
        """From the announcement to a final state, or to JOINED."""
        try:
            with self._held:
                self._held.callback(self._left.set)
                self._held.callback(self._came_or_over.set)
                self._enter(self.state)
                while self.state not in FINAL and self.state is not _S.JOINED:
                    self._take(*self._next())
        except Exception:  # noqa: BLE001 - the caller must have somebody, whatever we did wrong
            _log.exception("transfer.failed")
            self.outcome, self.state = Outcome.FAILED, _S.BACK
        self._caller.over(self)

    # --- events ----------------------------------------------------------------------------------

    def _next(self) -> tuple[TransferEvent, Any]:
        """What has happened, or what it means that nothing has."""
        if self.state is _S.ANNOUNCING:
            return self._announcing()
        try:
            return self._events.get(timeout=max(0.0, self._until - time.monotonic()))
        except Empty:
            return self._late()

    def _announcing(self) -> tuple[TransferEvent, Any]:
        while True:
            try:
                return self._events.get(timeout=LOOK_S)
            except Empty:
                now = time.monotonic()
            if not self._caller.quiet():
                self._quiet_since = None
            elif self._quiet_since is None:
                self._quiet_since = now
            heard = self._quiet_since is not None and now - self._quiet_since >= QUIET_S
            if heard or now >= self._until:
                return _E.HEARD, None

    def _late(self) -> tuple[TransferEvent, Any]:
        if self.state is _S.DIALLING:
            return _E.CALLED_OFF, Outcome.NO_ANSWER
        if self.state is _S.BRIEFING:
            return _E.VERDICT_LATE, None
        if self.state is _S.JOINING:
            return _E.BRIDGE_REFUSED, "no answer in time"
        return self._ended(), None

    def _take(self, event: TransferEvent, what: Any) -> None:
        if event is _E.CALLER_GONE:
            self._caller_gone = True
        if not TRANSFER_TABLE.allows(self.state, event):
            _log.debug("transfer.ignored", event_=event.value, state=self.state.value)
            return
        self._note(event, what)
        before, self.state = self.state, TRANSFER_TABLE.next(self.state, event)
        _log.info("transfer.moved", state=self.state.value, by=event.value)
        if event is _E.LEG_CAME:
            self._leg = what
        if event is _E.DIAL_FAILED:
            self._dialled = False
        if self.state is not before:
            self._enter(self.state)
        if self.state is _S.CANCELLING and event in (_E.LEG_CAME, _E.DIAL_FAILED, _E.LEG_GONE):
            self._end_leg()

    def _note(self, event: TransferEvent, what: Any) -> None:
        """Why: the first reason counts, but for the caller's own going."""
        if event is _E.CALLER_GONE:
            self.outcome = Outcome.CALLER_GONE
        elif self.state is _S.CANCELLING:
            return
        elif event is _E.DIAL_FAILED:
            self.outcome, self.cause = of_cause(str(what)), cause_in(str(what))
        elif event in _OUTCOME:
            self.outcome = what if isinstance(what, Outcome) else _OUTCOME[event]
            if event is _E.LEG_GONE and self._leg is not None:
                self.cause = self._leg.hangup_cause
        if event is _E.DECLINED and isinstance(what, str):
            self.words = what

    # --- states ----------------------------------------------------------------------------------

    def _enter(self, state: TransferState) -> None:
        wait_s, act = {
            _S.ANNOUNCING: (ANNOUNCE_S, None),
            _S.DIALLING: (self._ring_s + LATE_ORIGINATE_S, self._dial),
            _S.BRIEFING: (VERDICT_S, self._brief),
            _S.JOINING: (JOIN_S, self._join),
            _S.CANCELLING: (CANCEL_S, self._end_leg),
        }.get(state, (0.0, None))
        self._until = time.monotonic() + wait_s
        if act is not None:
            act()

    def _dial(self) -> None:
        self._caller.hold()
        expected = self._door.expect(self._came)
        self._held.callback(self._door.forget, expected)
        caller = self._caller
        try:
            dial = dial_string(
                self.destination,
                caller.entry,
                caller.identity,
                uuid=self._leg_uuid,
                token=expected.token,
                ring_s=self._ring_s,
            )
            target = self._door.target_for(caller.leg.esl)
        except LocalProtocolError as error:
            _log.warning("transfer.not_dialable", error=str(error))
            return self.post(_E.DIAL_FAILED, "INVALID_NUMBER_FORMAT")
        self._dialled = True
        gevent.spawn(self._originate, dialstring.originate(dial, target))

    def _originate(self, argument: str) -> None:
        """Answered is told by the leg itself, at our door."""
        try:
            timeout_s = self._ring_s + LATE_ORIGINATE_S
            self._caller.leg.esl.bgapi("originate", argument, timeout_s)
        except CommandFailed as error:
            self.post(_E.DIAL_FAILED, error.text)
        except EslError as error:  # the caller has gone, or it takes too long: told otherwise
            _log.info("transfer.originate_unanswered", error=str(error))
        else:
            if not self._came_or_over.wait(DOOR_S):
                door = self._door.address_for(self._caller.leg.esl)
                _log.error("transfer.leg_did_not_come", door=door)
                self.post(_E.DIAL_FAILED, "answered, and did not come to our door")

    def _came(self, leg: Leg) -> None:
        """In the door's greenlet: the leg is ours until this returns."""
        self._came_or_over.set()
        leg.watch(_HumanEvents(self))
        self.post(_E.LEG_CAME, leg)
        self._left.wait()

    def _brief(self) -> None:
        assert self._leg is not None
        talk = self._caller.brief(self._leg, self.post)
        self._briefing = self._held.enter_context(closing(talk))
        try:
            talk.begin()
        except EslError:
            self.post(_E.LEG_GONE)

    def _join(self) -> None:
        assert self._leg is not None and self._briefing is not None
        self._briefing.close()
        self._caller.join(self._leg)

    # --- the human's leg is not wanted ------------------------------------------------------------

    def _end_leg(self) -> None:
        """End it wherever it is; where nobody says that it ended, the time does."""
        leg, esl = self._leg, self._caller.leg.esl
        ended = not self._dialled
        try:
            if leg is not None:
                leg.hang_up()
                ended = True
            elif self._dialled:
                # Commands are still answered on the socket of a caller who has hung up.
                kill = commands.api("uuid_kill", f"{self._leg_uuid} ORIGINATOR_CANCEL")
                ended = esl.send(kill).text.startswith("+OK")
        except EslError as error:
            _log.info("transfer.leg_not_ended", error=str(error))
        if ended:
            self.post(self._ended())

    def _ended(self) -> TransferEvent:
        return _E.ENDED_ALONE if self._caller_gone else _E.ENDED


_OUTCOME = {
    _E.DECLINED: Outcome.DECLINED,
    _E.VERDICT_LATE: Outcome.NO_VERDICT,
    _E.LEG_GONE: Outcome.HUMAN_LEFT,
    _E.BRIDGED: Outcome.ANSWERED,
    _E.BRIDGE_REFUSED: Outcome.FAILED,
    _E.CALLED_OFF: Outcome.CALLED_OFF,
}


class _HumanEvents:
    """What happens to the human's leg."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    def on_lost(self) -> None:
        """Hung up, or cut off."""
        self._attempt.post(_E.LEG_GONE)

    def on_digit(self, digit: str) -> None:
        """The verdict by a key."""
        if digit == ACCEPT:
            self._attempt.post(_E.ACCEPTED)
        elif digit == DECLINE:
            self._attempt.post(_E.DECLINED)

    def on_hold(self, held: bool) -> None:
        """He asks somebody beside him: the time for the verdict goes on."""

    def on_reoffer(self) -> None:
        """As a hold."""
