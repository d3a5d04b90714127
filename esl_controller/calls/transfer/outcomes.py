"""What became of one attempt to connect a caller. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping


class Outcome(enum.Enum):
    """How an attempt ended."""

    ANSWERED = "answered"
    """Caller and human talked."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    """By the telephone, by a key or by voice."""
    UNREACHABLE = "unreachable"
    """Not registered, unknown, or the way there is down."""
    NO_VERDICT = "no_verdict"
    """Answered, and never said yes or no: a mailbox, a mobile in a pocket."""
    HUMAN_LEFT = "human_left"
    """Hung up in the briefing."""
    CALLER_GONE = "caller_gone"
    CALLED_OFF = "called_off"
    FAILED = "failed"
    """Something of ours or of FreeSWITCH's broke."""


OF_CAUSE: Mapping[str, Outcome] = {
    "USER_BUSY": Outcome.BUSY,
    "BUSY_EVERYWHERE": Outcome.BUSY,
    "NO_ANSWER": Outcome.NO_ANSWER,
    "NO_USER_RESPONSE": Outcome.NO_ANSWER,
    "PROGRESS_TIMEOUT": Outcome.NO_ANSWER,
    "ALLOTTED_TIMEOUT": Outcome.NO_ANSWER,
    "ORIGINATOR_CANCEL": Outcome.NO_ANSWER,
    "RECOVERY_ON_TIMER_EXPIRE": Outcome.UNREACHABLE,
    "CALL_REJECTED": Outcome.DECLINED,
    "DECLINE": Outcome.DECLINED,
    "UNWANTED": Outcome.DECLINED,
    "SUBSCRIBER_ABSENT": Outcome.UNREACHABLE,
    "USER_NOT_REGISTERED": Outcome.UNREACHABLE,
    "UNALLOCATED_NUMBER": Outcome.UNREACHABLE,
    "NO_ROUTE_DESTINATION": Outcome.UNREACHABLE,
    "NUMBER_CHANGED": Outcome.UNREACHABLE,
    "INVALID_NUMBER_FORMAT": Outcome.UNREACHABLE,
    "DESTINATION_OUT_OF_ORDER": Outcome.UNREACHABLE,
    "NORMAL_TEMPORARY_FAILURE": Outcome.UNREACHABLE,
    "NETWORK_OUT_OF_ORDER": Outcome.UNREACHABLE,
    "NORMAL_CIRCUIT_CONGESTION": Outcome.UNREACHABLE,
    "SWITCH_CONGESTION": Outcome.UNREACHABLE,
    "SERVICE_UNAVAILABLE": Outcome.UNREACHABLE,
    "CHAN_NOT_IMPLEMENTED": Outcome.UNREACHABLE,
    "GATEWAY_DOWN": Outcome.UNREACHABLE,
    # A dialplan that came to its end (switch_core_state_machine.c): an outbound route of FusionPBX
    # goes on after most failures, so that what its gateway said is not told.
    "NORMAL_CLEARING": Outcome.UNREACHABLE,
}
"""What `originate` answers behind `-ERR` (switch_channel.c, CAUSE_CHART)."""
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")


def cause_in(text: str) -> str:
    """The hang-up cause that `originate` answers with; empty: it answers something else."""
    cause = text.strip().removeprefix("-ERR").strip()
    return cause if _CAUSE.fullmatch(cause) else ""


def of_cause(text: str) -> Outcome:
    """The outcome behind what `originate` answers."""
    return OF_CAUSE.get(cause_in(text), Outcome.FAILED)


STATUS: Mapping[Outcome, str] = {
    Outcome.ANSWERED: "completed",
    Outcome.CALLER_GONE: "cancelled",
    Outcome.CALLED_OFF: "cancelled",
}
"""What the row says, where it is another word."""


def status_of(outcome: Outcome) -> str:
    """`status` of the row of v_voice_transfers_realtime."""
    return STATUS.get(outcome, outcome.value)
