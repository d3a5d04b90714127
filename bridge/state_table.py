"""States as data: a table of (state, event) → state, and the diagram that comes from it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Generic, TypeVar

from bridge.errors import LocalProtocolError

S = TypeVar("S", bound=enum.Enum)
E = TypeVar("E", bound=enum.Enum)


class StateTable(Generic[S, E]):
    """All allowed transitions of one thing, and no others."""

    def __init__(self, initial: S, transitions: Mapping[S, Mapping[E, S]]) -> None:
        self.initial = initial
        self.transitions = transitions

    def next(self, state: S, event: E) -> S:
        """Return the state after `event`.

        Raises:
            LocalProtocolError: the table does not allow `event` in `state`.
        """
        try:
            return self.transitions[state][event]
        except KeyError:
            raise LocalProtocolError(f"{event.name} is not allowed in {state.name}") from None

    def allows(self, state: S, event: E) -> bool:
        """Whether `event` may happen in `state`."""
        return event in self.transitions.get(state, {})

    def diagram(self) -> str:
        """The table as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial.name}"]
        for state, row in self.transitions.items():
            grouped: dict[str, list[str]] = {}
            for event, target in row.items():
                grouped.setdefault(target.name, []).append(event.name.lower())
            lines += [f"    {state.name} --> {t}: {', '.join(e)}" for t, e in grouped.items()]
            if not row:
                lines.append(f"    {state.name} --> [*]")
        return "\n".join(lines) + "\n"
