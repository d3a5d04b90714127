"""What a row of the tables of columns says."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from esl_controller.tenants.checks import Rule, Words


class Use(enum.Enum):
    """What a wrong value costs."""

    OPTIONAL = "optional"
    """The field: something else is used, and a warning says so."""
    NEEDED = "needed"
    """The row: a secretary does not answer, a provider is not used."""
    UNUSED = "unused"
    """Nothing reads it: a value other than the default is answered with a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column."""

    rule: Rule
    meaning: Words
    default: Any = None
    """Used for NULL."""
    use: Use = Use.OPTIONAL
    instead: Any = None
    """Used for a wrong value, where not the default."""
    may_be_empty: bool = False
    """NEEDED only where it is set."""
    because: str = ""
    """Why it is not used: the end of a sentence."""

    @property
    def when_wrong(self) -> Any:
        """What is used in place of a wrong value."""
        return self.default if self.instead is None else self.instead
