"""The agent between caller and human: both in a conference, and it introduces them and leaves.

It comes in over a loopback of its own, whose near half is a leg of ours like any other: `unicast`
plays on it and hears the room.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing

import structlog
from gevent.event import Event as Signal

from esl_controller.calls.door import TOKEN, LegDoor
from esl_controller.calls.leg import Leg
from esl_controller.calls.transfer.briefing import Briefing
from esl_controller.calls.transfer.states import TransferEvent
from esl_controller.esl import dialstring
from esl_controller.esl.dialstring import DialString
from esl_controller.esl.errors import EslError
from esl_controller.esl.session import ControllerSession

ROOM_S = 3.0
"""For the agent's own way into the room."""
LONGEST_S = 30.0

_log = structlog.get_logger("transfer")


def open_room(
    caller: ControllerSession,
    door: LegDoor,
    introduce: Callable[[Leg, Callable[[TransferEvent, str], None]], Briefing],
) -> str:
    """A conference with the agent in it, which leaves when it has introduced the others.

    Returns its name; empty when FreeSWITCH has no conferences, or it did not come about in time.
    """
    room = f"voice_ai_{uuid.uuid4().hex}"
    here = Signal()

    def came(leg: Leg) -> None:
        heard = Signal()
        leg.watch(_Follows(heard))
        here.set()
        try:
            with closing(introduce(leg, lambda event, words: heard.set())) as briefing:
                briefing.begin()
                heard.wait(LONGEST_S)
            leg.hang_up()
        except EslError as error:
            _log.info("transfer.introduction_over", error=str(error))

    expected = door.expect(came)
    endpoint = dialstring.Leg(f"loopback/app=conference:{room}@default")
    # The two halves must stay two: what we play goes into the one, and the room is in the other.
    dial = DialString([endpoint], {TOKEN: expected.token, "loopback_bowout": "false"})
    try:
        caller.bgapi("originate", dialstring.originate(dial, door.target_for(caller)), ROOM_S)
        return room if here.wait(ROOM_S) else ""
    except EslError as error:
        _log.warning("transfer.no_room", error=str(error))
        return ""
    finally:
        door.forget(expected)


class _Follows:
    """What happens to the agent's leg."""

    def __init__(self, over: Signal) -> None:
        self._over = over

    def on_lost(self) -> None:
        """The room has ended."""
        self._over.set()

    def on_digit(self, digit: str) -> None:
        """Of no meaning there."""

    def on_hold(self, held: bool) -> None:
        """Of no meaning there."""
