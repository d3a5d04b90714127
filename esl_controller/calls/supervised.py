"""What a person may want done to a call going on, and what becomes of it. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from esl_controller.tools.base import Recording


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
