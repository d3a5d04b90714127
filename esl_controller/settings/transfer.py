"""Settings of where callers may be connected to."""

from __future__ import annotations

from typing import Annotated

from esl_controller.settings.group import Group
from esl_controller.settings.types import doc, pattern


class Transfer(Group, frozen=True):
    """Where callers may be connected to, whatever a tenant has set."""

    outside: Annotated[
        str,
        doc(
            "Numbers outside the tenant's own that callers may be connected to: a regular "
            "expression for the whole number, as `\\+55\\d{10,11}|\\d{10,11}`. Empty: none.",
            check=pattern,
        ),
    ] = ""
    outside_per_hour: Annotated[
        int,
        doc(
            "Calls to such numbers within any hour for each domain, over all workers.",
            ge=0,
            le=100_000,
        ),
    ] = 20
