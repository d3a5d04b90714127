"""Blind transfer and the other ways of handing a call to the dialplan."""

from __future__ import annotations

import re

from esl_controller.esl import commands
from esl_controller.esl.session import ControllerSession

_DIALABLE = re.compile(r"[0-9*#+A-Za-z._][0-9*#+A-Za-z._-]{0,31}\Z")
"""No leading hyphen: `uuid_transfer` would read `-bleg` as an option (mod_commands.c)."""
_CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}\Z")


class NotDialable(ValueError):
    """The destination or its context holds what no dialplan number has."""


def blind_transfer(
    esl: ControllerSession, call_uuid: str, extension: str, context: str, timeout_s: float
) -> None:
    """Send the caller to `extension` of a dialplan context; the call then is the dialplan's.

    Raises:
        NotDialable: a name that must not reach FreeSWITCH.
        EslError: FreeSWITCH refused, or the call is gone.
    """
    if not _DIALABLE.match(extension) or not _CONTEXT.match(context):
        raise NotDialable(f"cannot dial {extension[:40]!r} in {context[:40]!r}")
    esl.api("uuid_transfer", f"{call_uuid} {extension} XML {context}", timeout_s)


def hand_back(esl: ControllerSession, call_uuid: str, outcome: str, timeout_s: float) -> None:
    """Let the dialplan go on behind `socket`, with `voice_ai_outcome` telling it why."""
    esl.pipeline(
        [commands.api("uuid_setvar", f"{call_uuid} voice_ai_outcome {outcome}")], timeout_s
    )
