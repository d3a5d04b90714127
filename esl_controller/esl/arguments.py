"""What may stand in a command: every check that keeps an argument from becoming something else."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from .applications import Application
from .causes import HangupCause
from .errors import LocalProtocolError

FORBIDDEN: Final = re.compile("[\r\n\0]")
"""FreeSWITCH ends a line at CR and at LF, and text at NUL."""
_WORD = re.compile(r"[A-Za-z0-9_.:@+-]+")


def word(text: str) -> str:
    """Return `text` if it is one plain word: names, UUIDs, subclasses."""
    if not _WORD.fullmatch(text):
        raise LocalProtocolError(f"not one plain word: {text[:40]!r}")
    return text


def line(text: str) -> str:
    """Return `text` if it stays on its line."""
    if FORBIDDEN.search(text):
        raise LocalProtocolError("line break or NUL in an argument")
    return text


def encoded(text: str) -> bytes:
    """Return `text` as UTF-8."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise LocalProtocolError("text holds a lone surrogate") from error


def refuse_expansion(text: str) -> None:
    """Refuse what FreeSWITCH expands before an application sees it.

    ``${…}`` reads variables and runs API commands, ``${system …}`` included (switch_channel.c,
    switch_channel_expand_variables_check); ``%[…]`` sets variables (switch_core_session.c,
    switch_core_session_exec).
    """
    if "${" in text:
        raise LocalProtocolError("argument would be expanded by FreeSWITCH: ${…}")
    if text[:1] == "%" and "[" in text[1:3]:
        raise LocalProtocolError("argument begins like scope variables: %[…]")


def application(name: str) -> Application:
    """Return the application of that name."""
    try:
        return Application(name)
    except ValueError as error:
        raise LocalProtocolError(f"not an application of ours: {name[:40]!r}") from error


def cause(name: str) -> HangupCause:
    """Return the hang-up cause of that name."""
    try:
        return HangupCause(name)
    except ValueError as error:
        raise LocalProtocolError(f"not a hang-up cause: {name[:40]!r}") from error


def at_least(number: int, lowest: int) -> int:
    """Return `number` if it is not below `lowest`."""
    if number < lowest:
        raise LocalProtocolError(f"{number} is below {lowest}")
    return number


def port(number: int) -> int:
    """Return `number` if it is a port that can be named."""
    if not 0 < number < 65536:
        raise LocalProtocolError(f"not a port: {number}")
    return number


def address(text: str) -> str:
    """Return `text` if it is an IP address: a name could be resolved to anything."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise LocalProtocolError(f"not an IP address: {text[:40]!r}") from error
