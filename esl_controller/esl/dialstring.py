"""The one builder of dial strings: channel variables and endpoints for `originate` and `bridge`.

FreeSWITCH takes a dial string apart several times over, and strips one layer of quoting each time
(switch_utils.c, separate_string_… and cleanup_separated_string; switch_event.c,
switch_event_create_brackets; switch_ivr_originate.c). Values are escaped once for each of those
layers, so a value arrives as it was given; what no escape can carry is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from . import arguments
from .applications import Application
from .errors import LocalProtocolError

Variables = Mapping[str, str]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ENDPOINT = re.compile(r"[A-Za-z][A-Za-z0-9_.+@:/;=~*#%!-]*")
_PART = re.compile(r"[A-Za-z0-9_.+*#~!%-]+")
_NUMBER = re.compile(r"[A-Za-z0-9*#+][A-Za-z0-9_.+*#-]*")
_CONTROL = re.compile("[\0-\x1f\x7f]")

LOOPBACK: Final = "loopback/"
"""How an endpoint begins that runs a dialplan."""
_SPLITS_CALLS: Final = ":_:"
"""switch_ivr_originate looks for it in the whole string before anything else."""
_VARIABLE_SEPARATOR: Final = "\x02"
"""What the commas between [] variables are turned into before legs are split."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One endpoint, such as ``user/1001@example.com``, with variables of its own."""

    endpoint: str
    variables: Variables = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ENDPOINT.fullmatch(self.endpoint) or _SPLITS_CALLS in self.endpoint:
            raise LocalProtocolError(f"not an endpoint: {self.endpoint[:60]!r}")
        for value in _checked(self.variables, "[", "]"):
            if "'" in value or "\\" in value:
                raise LocalProtocolError("quote or backslash in a variable of one leg")


@dataclass(frozen=True, slots=True)
class DialString:
    """`legs` rung together, or one after the other if `in_turn`; `variables` go to all of them.

    Variables with an empty value are left out: FreeSWITCH does not set them.
    """

    legs: Sequence[Leg]
    variables: Variables = field(default_factory=dict)
    in_turn: bool = False

    def __post_init__(self) -> None:
        if not self.legs:
            raise LocalProtocolError("dial string without an endpoint")
        list(_checked(self.variables, "{", "}"))

    def for_originate(self) -> str:
        """Return the first argument of the API command `originate`: one blank-free word."""
        return _escape(self._render(), "")

    def _render(self) -> str:
        separator = "|" if self.in_turn else ","
        legs = separator.join(_render_leg(leg) for leg in self.legs)
        parts = [
            f"{name}={_escape(_escape(value, '='), ',')}"
            for name, value in self.variables.items()
            if value
        ]
        return f"{{{','.join(parts)}}}{legs}" if parts else legs


def user(extension: str, domain: str) -> str:
    """Return the endpoint of a registered extension."""
    return f"user/{_part(extension)}@{_part(domain)}"


def loopback(extension: str, context: str) -> str:
    """Return an endpoint that runs the dialplan for `extension` in `context`."""
    return f"{LOOPBACK}{_part(extension)}/{_part(context)}"


def through_dialplan(*exported: str) -> dict[str, str]:
    """Return variables for a call to a `loopback` endpoint of which we control the near half.

    A loopback speaks L16, and what the dialplan bridges it to is offered what the other leg speaks
    alone, unless that channel's own variable says otherwise (switch_core_media_prepare_codecs). And
    once both halves are bridged it takes itself out (mod_loopback.c, `loopback_bowout`), and the
    half we control with it.

    Args:
        exported: variables of ours that the dialplan's half gets too (`loopback_export`).
    """
    mixed = "media_mix_inbound_outbound_codecs"
    return {
        mixed: "true",
        "export_vars": mixed,
        "loopback_export": ",".join([*exported, mixed, "export_vars"]),
        "loopback_bowout": "false",
        "loopback_bowout_on_execute": "false",
    }


def run(application: Application, argument: str = "") -> str:
    """Return the target of an originate that runs one application on the new call."""
    arguments.refuse_expansion(argument)
    if ")" in argument or _CONTROL.search(argument):
        raise LocalProtocolError("argument would end early")
    return _escape(f"&{Application(application)}({argument})", "")


def extension(number: str, context: str) -> str:
    """Return the target of an originate that sends the new call through the dialplan."""
    return f"{_number(number)} XML {_number(context)}"


def originate(dial: DialString, target: str) -> str:
    """Return the arguments of the API command `originate`; `target` from `run` or `extension`."""
    return f"{dial.for_originate()} {target}"


def _render_leg(leg: Leg) -> str:
    parts = []
    for name, value in leg.variables.items():
        if value:
            for delimiter in ("=", _VARIABLE_SEPARATOR, ",", "|"):
                value = _escape(value, delimiter)
            parts.append(f"{name}={value}")
    return f"[{','.join(parts)}]{leg.endpoint}" if parts else leg.endpoint


def _checked(variables: Variables, opening: str, closing: str) -> Iterable[str]:
    """Yield the values. Raise `LocalProtocolError` for what no escape carries."""
    for name, value in variables.items():
        if not _NAME.fullmatch(name):
            raise LocalProtocolError(f"not a variable name: {name[:40]!r}")
        if _CONTROL.search(value) or _SPLITS_CALLS in value or "${" in value:
            raise LocalProtocolError(f"value of {name} cannot be carried in a dial string")
        if not _balanced(value, opening, closing):
            raise LocalProtocolError(f"value of {name} has unbalanced {opening}{closing}")
        yield value


def _balanced(value: str, opening: str, closing: str) -> bool:
    """Tell whether brackets close in order: FreeSWITCH counts them without regard to quotes."""
    depth = 0
    for character in value:
        depth += (character == opening) - (character == closing)
        if depth < 0:
            return False
    return depth == 0


def _escape(text: str, delimiter: str) -> str:
    """Undo, before it happens, one split at `delimiter` (at blanks if empty) and its clean-up."""
    out = []
    for character in text:
        if character == " ":
            out.append("\\s")
        elif character in ("\\", "'") or character == delimiter:
            out.append("\\" + character)
        else:
            out.append(character)
    return "".join(out)


def _part(text: str) -> str:
    if not _PART.fullmatch(text):
        raise LocalProtocolError(f"not a part of an endpoint: {text[:40]!r}")
    return text


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise LocalProtocolError(f"not one plain word: {text[:40]!r}")
    return text
