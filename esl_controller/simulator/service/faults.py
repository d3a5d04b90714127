"""What can go wrong at an emulated service, on demand and by the same names at all of them.

A fault is asked for as `NAME[=VALUE][@SECONDS]`: `refuse=503`, `drop@2.5`, `close=1011@6`. The
seconds are from the accepted hand-shake.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

SLOW_S = 4.0
RATE_LIMIT_S = 1.5
SESSION_LIMIT_S = 20.0


class Fault(enum.Enum):
    """The vocabulary. VALUE is what the name's own text says; without any it is the default."""

    SLOW = "slow"
    """The hand-shake is answered VALUE seconds late."""
    REFUSE = "refuse"
    """The hand-shake is answered with HTTP status VALUE."""
    DROP = "drop"
    """The connection is reset."""
    CLOSE = "close"
    """The connection is closed with code VALUE."""
    QUOTA = "quota"
    """The account has no money left."""
    RATE_LIMIT = "rate_limit"
    """Too much is asked of it: "try again in" VALUE seconds, where the service says so."""
    MALFORMED = "malformed"
    """Messages that are none."""
    OUT_OF_ORDER = "out_of_order"
    """An answer's messages come in the wrong order."""
    SESSION_LIMIT = "session_limit"
    """The session ends after VALUE seconds, as the service ends those that are too long."""
    SILENT = "silent"
    """Nothing comes any more; the connection stays."""
    NO_SOUND = "no_sound"
    """Answers have digital silence for sound, behind VALUE seconds of real sound."""
    TEXT_ONLY = "text_only"
    """Answers have words and no sound at all."""


@dataclass(frozen=True, slots=True)
class ConnectionFaults:
    """Times are seconds from the accepted hand-shake."""

    connect_delay_s: float = 0.0
    """The answer to the hand-shake comes so late."""
    refuse_status: int | None = None
    """The hand-shake is answered with this HTTP status (401, 429, 500 …)."""
    refuse_body: str = "refused on demand\n"
    drop_after_s: float | None = None
    """The TCP connection is reset."""
    close_after_s: float | None = None
    close_code: int = 1001
    close_reason: str = ""
    stall_after_s: float | None = None
    """From then on nothing is sent any more; the connection stays."""
    garbage_after_s: float | None = None
    garbage: tuple[bytes, ...] = (b"\x00\xff not json", b"[]", b'{"type":7}', b"{" * 5000)
    """Messages sent as they are, as text frames."""
    oversize_after_s: float | None = None
    oversize_bytes: int = 32 * 1024 * 1024
    session_limit_s: float | None = None
    """Instead of the configured limit."""


@dataclass(frozen=True, slots=True)
class AnswerFaults(ConnectionFaults):
    """What goes wrong with the answers of one connection besides."""

    answers_from_s: float = 0.0
    """From then on; before it answers are well."""
    out_of_quota: bool = False
    """They fail: the account has no money left."""
    try_again_s: float | None = None
    """They fail: too much was asked, try again in so many seconds; then they are well again."""
    wrong_order: bool = False
    """Their messages come in the wrong order."""
    soundless_after_s: float | None = None
    """So much of each has sound, the rest is digital silence."""
    text_only: bool = False
    """They have words and no sound."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One fault as it was asked for."""

    fault: Fault
    value: float | None
    at_s: float

    def or_else(self, default: float) -> float:
        """The value, or what stands for it."""
        return default if self.value is None else self.value


_WANTED = re.compile(r"(?P<name>[a-z_]+)(?:=(?P<value>\d+(?:\.\d+)?))?(?:@(?P<at>\d+(?:\.\d+)?))?")


class UnknownFault(ValueError):
    """It is not in the vocabulary, or this emulator cannot do it; the text says why."""


def wanted(text: str) -> Wanted:
    """Read `NAME[=VALUE][@SECONDS]`.

    Raises:
        UnknownFault: no name of the vocabulary, or nothing like a number.
    """
    found = _WANTED.fullmatch(text)
    names = {fault.value: fault for fault in Fault}
    if found is None or found["name"] not in names:
        known = ", ".join(names)
        raise UnknownFault(f"{text!r} is no fault; NAME[=VALUE][@SECONDS], NAME one of {known}")
    value = None if found["value"] is None else float(found["value"])
    return Wanted(names[found["name"]], value, float(found["at"] or 0))


_F_co = TypeVar("_F_co", covariant=True)


class FaultTable(Generic[_F_co]):
    """What an emulator can do of the vocabulary, and why it cannot do the rest.

    A field of its faults may also be given by its own name: `connect_delay_s=0.5`.
    """

    def __init__(
        self,
        kind: type[_F_co],
        can: Mapping[Fault, Callable[[Wanted], dict[str, Any]]],
        cannot: Mapping[Fault, str],
    ) -> None:
        """`can` gives fields of `kind`."""
        self.kind = kind
        self.can = can
        self.cannot = cannot

    def make(self, *texts: str) -> _F_co:
        """Faults of one connection.

        Raises:
            UnknownFault: with the reason.
        """
        made: dict[str, Any] = {}
        for text in texts:
            made |= self._fields(text)
        return self.kind(**made)

    def _fields(self, text: str) -> dict[str, Any]:
        name, equals, value = text.partition("=")
        if equals and any(field.name == name for field in fields(self.kind)):  # type: ignore[arg-type]
            return {name: _plain(value)}
        one = wanted(text)
        make = self.can.get(one.fault)
        if make is None:
            raise UnknownFault(f"{one.fault.value}: {self.cannot[one.fault]}")
        return make(one)


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def of_connections() -> dict[Fault, Callable[[Wanted], dict[str, Any]]]:
    """Those that are the same at every service."""
    return {
        Fault.SLOW: lambda w: {"connect_delay_s": w.or_else(SLOW_S)},
        Fault.REFUSE: lambda w: {"refuse_status": int(w.or_else(503))},
        Fault.DROP: lambda w: {"drop_after_s": w.at_s},
        Fault.CLOSE: lambda w: {"close_after_s": w.at_s, "close_code": int(w.or_else(1011))},
        Fault.MALFORMED: lambda w: {"garbage_after_s": w.at_s},
        Fault.SESSION_LIMIT: lambda w: {"session_limit_s": w.or_else(SESSION_LIMIT_S)},
        Fault.SILENT: lambda w: {"stall_after_s": w.at_s},
    }


def of_answers() -> dict[Fault, Callable[[Wanted], dict[str, Any]]]:
    """Those that are the same at every service that answers with a voice."""
    return {
        Fault.QUOTA: lambda w: {"out_of_quota": True, "answers_from_s": w.at_s},
        Fault.RATE_LIMIT: lambda w: {
            "try_again_s": w.or_else(RATE_LIMIT_S),
            "answers_from_s": w.at_s,
        },
        Fault.OUT_OF_ORDER: lambda w: {"wrong_order": True, "answers_from_s": w.at_s},
        Fault.NO_SOUND: lambda w: {
            "soundless_after_s": w.or_else(0.0),
            "answers_from_s": w.at_s,
        },
        Fault.TEXT_ONLY: lambda w: {"text_only": True, "answers_from_s": w.at_s},
    }


def at_the_door(answer: dict[str, Any]) -> Callable[[Wanted], dict[str, Any]]:
    """One that is told when a connection is made, or never."""

    def make(one: Wanted) -> dict[str, Any]:
        if one.at_s:
            text = f"{one.fault.value}: this service tells it when it is connected to, not later"
            raise UnknownFault(text)
        return answer

    return make
