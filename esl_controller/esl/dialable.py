"""What may be dialled: one rule for settings, functions and commands. Pure."""

from __future__ import annotations

import re

DIALABLE = re.compile(r"[0-9*#+A-Za-z._][0-9*#+A-Za-z._-]{0,31}")
"""No leading hyphen: `uuid_transfer` would read `-bleg` as an option (mod_commands.c)."""
KEYS = re.compile(r"[0-9*#A-D]{1,32}")
"""Keys pressed on a line at once."""
CONTEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class NotDialable(ValueError):
    """The destination or its context holds what no dialplan number has."""


def require_dialable(extension: str, context: str) -> None:
    """Raises NotDialable for a name that must not reach FreeSWITCH."""
    if not DIALABLE.fullmatch(extension) or not CONTEXT.fullmatch(context):
        raise NotDialable(f"cannot dial {extension[:40]!r} in {context[:40]!r}")
