"""What a person does to a call going on: listens, tells the model something, takes the caller over.

All of it is done by the worker that has the call, on the call's own Event Socket: so it reaches the
FreeSWITCH the call is on, whichever of several that is.
"""

from __future__ import annotations

import contextlib
import enum
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import gevent
import structlog

from esl_controller.calls.call import Call
from esl_controller.calls.registry import Calls
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.esl import commands, dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.esl.errors import CommandFailed, EslError, LocalProtocolError
from esl_controller.tools.base import Recording

RING_S = 30
"""Longest ringing of the telephone of who wants to listen."""
ANSWER_S = 5.0
"""FreeSWITCH's own answer after that."""
LISTENER = "Voice AI"

_log = structlog.get_logger("supervision")


class Action(enum.Enum):
    """What can be done."""

    LISTEN = "listen"
    TELL = "tell"
    TAKEOVER = "takeover"
    HANGUP = "hangup"
    RECORDING = "recording"


class Result(enum.Enum):
    """What became of it."""

    DONE = "done"
    ASKED = "asked"
    """Begun: how it went is told later."""
    REFUSED = "refused"
    """The call is not in a state for it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing somebody wants done to a call."""

    action: Action
    actor: str
    extension: str = ""
    """Who listens, or takes over."""
    text: str = ""
    respond: bool = False
    """Whether the model says something about the text at once."""
    wanted: Recording | None = None

    @property
    def detail(self) -> str:
        """For the audit."""
        wanted = "" if self.wanted is None else self.wanted.value
        return self.extension or self.text or wanted


Later = Callable[[Result, str], None]
"""Told how something that was begun went, with FreeSWITCH's words where it failed."""


class Supervision:
    """Of one worker."""

    def __init__(self, calls: Calls[Call]) -> None:
        self._calls = calls

    def has(self, domain_uuid: str, call_uuid: str) -> bool:
        """This worker has that call of that domain."""
        return self._calls.find(domain_uuid, call_uuid) is not None

    def do(self, domain_uuid: str, call_uuid: str, act: Act, later: Later) -> Result:
        """Do it now, or begin it; `later` follows ASKED, and nothing else."""
        call = self._calls.find(domain_uuid, call_uuid)
        if call is None:
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
        gevent.spawn(_listen, call, act, later)
        return Result.ASKED


def _result(done: bool) -> Result:
    return Result.DONE if done else Result.REFUSED


def _take_over(call: Call, act: Act) -> Result:
    """The caller goes to the extension after a word of the agent's; the AI is out of the call."""
    if call.talk is None:
        return Result.REFUSED
    entry = call.talk.entry
    wanted = Destination(Kind.EXTENSION, act.extension, act.extension, announceable=False)
    why_not = call.places.may_dial(entry, wanted)
    if why_not is not None:
        _log.info("supervision.not_dialled", why=why_not)
        return Result.REFUSED
    call.transfer(TransferPlan((wanted,), reason=f"taken over by {act.actor}"))
    return Result.DONE


def _listen(call: Call, act: Act, later: Later) -> None:
    """Ring the telephone and let it hear both sides; it is heard by nobody."""
    listener_uuid = str(uuid.uuid4())
    try:
        dial, target = _to_listener(call, act, listener_uuid)
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


def _to_listener(call: Call, act: Act, listener_uuid: str) -> tuple[DialString, str]:
    assert call.talk is not None
    entry = call.talk.entry
    variables = {
        "origination_uuid": listener_uuid,
        "originate_timeout": str(RING_S),
        "origination_caller_id_name": LISTENER,
        "origination_caller_id_number": entry.extension,
        "domain_uuid": entry.domain_uuid,
        "domain_name": entry.domain_name,
        "ignore_early_media": "true",
        # Keys would let the listener speak to either side (mod_dptools.c, eavesdrop_function).
        "eavesdrop_enable_dtmf": "false",
    }
    dial = DialString([Leg(dialstring.user(act.extension, entry.domain_name))], variables)
    return dial, dialstring.run(Application.EAVESDROP, call.leg.uuid)
