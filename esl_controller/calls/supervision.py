"""What a person does to a call going on: listens, tells the model something, takes the caller over.

All of it is done by the worker that has the call, on the call's own Event Socket: so it reaches the
FreeSWITCH the call is on, whichever of several that is. A caller who talks with a human has none of
ours any more: see `away`.
"""

from __future__ import annotations

import contextlib

import gevent
import structlog

from esl_controller.calls.away import AwayCalls
from esl_controller.calls.call import Call
from esl_controller.calls.listening import (
    ANSWER_S,
    NOT_HEARD,
    RING_S,
    Plays,
    can_be_heard,
    listening,
)
from esl_controller.calls.registry import Calls
from esl_controller.calls.supervised import Act, Action, Later, Result
from esl_controller.database.models import RouteEntry
from esl_controller.esl import commands, dialstring
from esl_controller.esl.errors import CommandFailed, EslError, LocalProtocolError

_log = structlog.get_logger("supervision")


class Supervision:
    """Of one worker."""

    def __init__(self, calls: Calls[Call], away: AwayCalls) -> None:
        self._calls = calls
        self.away = away

    def has(self, domain_uuid: str, call_uuid: str) -> bool:
        """This worker has that call of that domain."""
        return self._calls.find(domain_uuid, call_uuid) is not None

    def do(self, domain_uuid: str, call_uuid: str, act: Act, later: Later) -> Result:
        """Do it now, or begin it; `later` follows ASKED, and nothing else."""
        call = self._calls.find(domain_uuid, call_uuid)
        if call is None or call.talk is None:
            return Result.REFUSED
        if act.action is Action.TELL:
            return _result(call.tell(act.text, respond=act.respond))
        if act.action is Action.HANGUP:
            call.drain()
            return Result.DONE
        if act.action is Action.RECORDING:
            return _result(act.wanted is not None and call.recording(act.wanted, act.actor))
        if act.action is Action.TAKEOVER:
            return _take_over(call, act)
        gevent.spawn(_listen, call, call.talk.entry, call.talk.media, act, later)
        return Result.ASKED


def _result(done: bool) -> Result:
    return Result.DONE if done else Result.REFUSED


def _take_over(call: Call, act: Act) -> Result:
    """The caller goes to the extension after a word of the agent's; the AI is out of the call."""
    if call.talk is None:
        return Result.REFUSED
    entry = call.talk.entry
    wanted = call.site.places.of_number(entry, act.extension)
    why_not = call.site.places.may_dial(entry, wanted)
    if why_not is not None:
        _log.info("supervision.not_dialled", why=why_not)
        return Result.REFUSED
    return _result(call.take_over(act.extension, f"taken over by {act.actor}"))


def _listen(call: Call, entry: RouteEntry, media: Plays, act: Act, later: Later) -> None:
    """Ring the telephone and let it hear both sides; it is heard by nobody. The call may have ended
    by now."""
    if not can_be_heard(media, call.leg.codec):
        return later(Result.FAILED, NOT_HEARD)
    listener_uuid = ""
    try:
        dial, target = listening(call.leg.uuid, entry, act.extension)
        listener_uuid = dial.variables["origination_uuid"]
        argument = dialstring.originate(dial, target)
        call.leg.esl.bgapi("originate", argument, RING_S + ANSWER_S)
    except CommandFailed as error:
        later(Result.FAILED, error.text.removeprefix("-ERR").strip()[:200])
    except (EslError, LocalProtocolError) as error:
        # The call ended while it rang, or FreeSWITCH says nothing.
        with contextlib.suppress(EslError):
            kill = commands.bgapi("uuid_kill", f"{listener_uuid} ORIGINATOR_CANCEL")
            call.leg.esl.send(kill, ANSWER_S)
        later(Result.FAILED, str(error)[:200])
    else:
        later(Result.DONE, "")
