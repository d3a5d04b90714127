"""The argument of api `originate`, as `originate_function` in mod_commands.c reads it. Pure.

<call url> <exten>|&<application>(<data>) [<dialplan>] [<context>] [<cid name>] [<cid number>]
[<timeout in seconds>]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from esl_controller.simulator.switch import legs
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.legs import DialString

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] "
    "[<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)
_MOST_WORDS = 7
_WORD = re.compile(r"(?:[^ '\\]|\\.|'(?:[^'\\]|\\.)*')+")
_QUOTING = re.compile(r"\\(['\"\\nrts])|'")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


@dataclass(frozen=True, slots=True)
class Originate:
    """What to call, and where the call is sent once answered."""

    call_url: str
    extension: str
    """Empty when an application is named."""
    application: Action | None
    dialplan: str = "XML"
    context: str = "default"
    caller_id_name: str = ""
    caller_id_number: str = ""
    timeout_s: float = 60.0

    def dial_string(self) -> DialString:
        """Whom to call; variables in the call url win over the arguments behind it."""
        dial = legs.parse_dial_string(self.call_url)
        arguments = {
            "origination_caller_id_name": self.caller_id_name,
            "origination_caller_id_number": self.caller_id_number,
            "originate_timeout": f"{self.timeout_s:.0f}",
        }
        given = {name: value for name, value in arguments.items() if value}
        return replace(dial, variables=given | dial.variables)


def parse(argument: str) -> Originate | None:
    """None for what FreeSWITCH answers with its usage."""
    words = [None if word.lower() == "undef" else word for word in split_at_blanks(argument)]
    if not 2 <= len(words) <= _MOST_WORDS:
        return None
    words += [None] * (_MOST_WORDS - len(words))
    url, target, dialplan, context, name, number, timeout = (word or "" for word in words)
    if not (url and target):
        return None
    application = _application(target)
    return Originate(
        call_url=url,
        extension="" if application else target,
        application=application,
        dialplan=dialplan or "XML",
        context=context or "default",
        caller_id_name=name,
        caller_id_number=number,
        timeout_s=float(timeout) if timeout.isdecimal() else 60.0,
    )


def split_at_blanks(text: str) -> list[str]:
    """Words, one layer of quoting taken off each (switch_utils.c: separate_string_blank_delim and
    cleanup_separated_string)."""
    return [_QUOTING.sub(_unquoted, word) for word in _WORD.findall(text)]


def _unquoted(found: re.Match[str]) -> str:
    escaped: str = found[1] or ""
    return _ESCAPED.get(escaped, escaped)


def _application(target: str) -> Action | None:
    """`&park()`: the name ends at the first bracket, the data at the first closing one."""
    if len(target) < 2 or not target.startswith("&"):
        return None
    name, _, data = target[1:].partition(")")[0].partition("(")
    return Action(name, data)
