"""Second legs: who can be called from the switch, `originate`, `bridge`, `uuid_bridge`."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.event import Header

if TYPE_CHECKING:
    from esl_controller.simulator.switch.media import CallEnd
    from esl_controller.simulator.switch.session import Session

Steps = Generator[None, None, None]
_VARIABLES = re.compile(r"^\s*[{\[]([^}\]]*)[}\]]")
_DIAL_STATUS = {"USER_BUSY": "BUSY", "CALL_REJECTED": "DONTCALL", "NO_ANSWER": "NOANSWER"}
_DEFAULT_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class FarEnd:
    """A phone or gateway that the switch can call, and what it does with a call."""

    answers_after_s: float = 0.02
    cause: str = ""
    """Refuses with this cause instead of answering."""
    rings: bool = False
    """Never answers."""
    hangs_up_after_s: float | None = None
    """Leaves this long after it answered."""
    end: Callable[[], CallEnd] | None = None
    """Creates the party at the far end; silent by default."""


@dataclass(frozen=True, slots=True)
class DialString:
    """`{variables}endpoint/…`, taken apart."""

    variables: dict[str, str]
    endpoint: str
    """`sofia`, `user`, `loopback`, `error` …"""
    target: str
    """The number, user, or for `error` the cause."""

    @property
    def timeout_s(self) -> float:
        """`originate_timeout`."""
        text = self.variables.get("originate_timeout", "")
        return float(text) if text.isdigit() else _DEFAULT_TIMEOUT_S


def parse_dial_string(text: str) -> DialString:
    """`{a=b,c=d}sofia/gateway/gw/1004` → its variables, endpoint kind and target."""
    variables: dict[str, str] = {}
    while found := _VARIABLES.match(text):
        text = text[found.end() :]
        pairs = (pair.partition("=") for pair in found.group(1).split(",") if "=" in pair)
        variables |= {name.strip(): value.strip("'") for name, _, value in pairs}
    kind, _, rest = text.strip().partition("/")
    parts = rest.split("/")
    target = parts[0] if kind in ("user", "loopback", "error") else parts[-1]
    return DialString(variables, kind, target.partition("@")[0])


def ring(far_end: FarEnd) -> Callable[[Session], Steps]:
    """What a called session does before its application: ring, then answer or refuse."""

    def prelude(session: Session) -> Steps:
        if far_end.cause:
            yield
            session.hang_up(far_end.cause, by_caller=True)
        began = session.now
        while not session.interrupted:
            if not far_end.rings and session.now - began >= far_end.answers_after_s:
                session.answer()
                return
            yield

    return prelude


def follow(other: Session) -> Callable[[Session], Steps]:
    """What the near half of a loopback does: it is answered when the other half is."""

    def prelude(session: Session) -> Steps:
        while not session.interrupted:
            if other.answered.is_set():
                session.answer()
                return
            if other.hung_up:
                session.hang_up(other.channel.hangup_cause)
            yield

    return prelude


def then_transfer(
    prelude: Callable[[Session], Steps], number: str, context: str, program: Sequence[Action]
) -> Callable[[Session], Steps]:
    """What a called session does that the dialplan of `number` takes over once it is answered."""

    def both(session: Session) -> Steps:
        yield from prelude(session)
        if not session.interrupted:
            session.transfer(number, program, context)

    return both


def bridge(session: Session, data: str) -> Steps:
    """`bridge`: call `data`, then join both legs until one leaves."""
    channel = session.channel
    dial = parse_dial_string(data)
    leg, cause = session.switch.call_far_end(dial, session)
    if leg is not None:
        deadline = session.now + dial.timeout_s
        while not (leg.answered.is_set() or leg.hung_up or session.interrupted):
            if session.now >= deadline:
                leg.hang_up("NO_ANSWER")
            yield
        cause = "SUCCESS" if leg.answered.is_set() else leg.channel.hangup_cause
    channel.set("originate_disposition", cause)
    channel.set("DIALSTATUS", _DIAL_STATUS.get(cause, cause))
    if leg is not None and session.interrupted:
        leg.hang_up("ORIGINATOR_CANCEL")
    elif leg is None or cause != "SUCCESS":
        channel.set("originate_failed_cause", cause)
        if channel.get("continue_on_fail") != "true":
            session.hang_up(cause)
    else:
        session.answer()
        yield from join(session, leg)
        channel.set("bridge_hangup_cause", leg.channel.hangup_cause or "NORMAL_CLEARING")
        leg.hang_up("NORMAL_CLEARING")
        if channel.get("hangup_after_bridge") == "true":
            session.hang_up("NORMAL_CLEARING")


def join(session: Session, other: Session) -> Steps:
    """Both talk with each other until one leaves."""
    session.media.end_unicast()
    if other.hung_up:  # left while they were being joined (uuid_bridge_on_soft_execute)
        return session.hang_up("ORIGINATOR_CANCEL")
    session.partner = other
    if other.partner is None:
        other.partner = session
    describe(session, other)
    legs = [("Bridge-A-Unique-ID", session.uuid), ("Bridge-B-Unique-ID", other.uuid)]
    source = ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1650)
    session.fire("CHANNEL_BRIDGE", source, legs)
    while session.partner is not None and not session.interrupted:
        yield
    source = ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1820)
    session.fire("CHANNEL_UNBRIDGE", source, legs)
    if session.partner is not None:
        session.partner.partner_left()
        session.partner = None


def describe(session: Session, other: Session) -> None:
    """Headers and variables about the other leg."""
    options = other.channel.options
    fields: list[Header] = [
        ("Direction", options.direction),
        ("Caller-ID-Name", options.caller_id_name),
        ("Caller-ID-Number", options.caller_id_number),
        ("Destination-Number", other.channel.destination),
        ("Unique-ID", other.uuid),
        ("Channel-Name", other.channel.name),
    ]
    headers = [(f"Other-Leg-{name}", value) for name, value in fields]
    session.channel.other_leg = [("Other-Type", "originatee"), *headers]
    for name, value in (
        ("bridge_channel", other.channel.name),
        ("bridge_uuid", other.uuid),
        ("signal_bond", other.uuid),
    ):
        session.channel.set(name, value)


def talk(session: Session, other: Session) -> Steps:
    """After `uuid_bridge`: until one side leaves; then park or hang up."""
    for state in ("CS_HIBERNATE", "CS_RESET", "CS_SOFT_EXECUTE"):
        session.enter(state)
    session.fire(
        "CHANNEL_EXECUTE",
        ("switch_ivr_bridge.c", "uuid_bridge_on_soft_execute", 1101),
        [("Application", "uuid_bridge"), ("Application-Data", other.uuid)],
    )
    yield from join(session, other)
    if session.interrupted:
        return
    after = session.channel.get("transfer_after_bridge") or ""
    if session.channel.get("park_after_bridge") == "true":
        session.enter("CS_PARK")
        yield from session.park()
    elif after:
        # ext[:dialplan[:context]] (switch_ivr_bridge.c, transfer_after_bridge)
        number, _, rest = after.partition(":")
        session.transfer(number, session.switch.extension(number), rest.partition(":")[2])
    else:
        session.enter("CS_EXECUTE")
        session.hang_up("NORMAL_CLEARING")
