"""The calls of a worker, found by whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Served(Protocol):
    """A call as the registry knows it."""

    @property
    def key(self) -> tuple[str, str] | None:
        """`domain_uuid` and `call_uuid`; None until both are known."""

    @property
    def serving(self) -> bool:
        """It has the caller, and has not begun to let go of him."""


_C = TypeVar("_C", bound=Served)


class Calls(Generic[_C]):
    """Every call from its connection to its end, whatever it is doing."""

    def __init__(self) -> None:
        self._calls: list[_C] = []

    def add(self, call: _C) -> None:
        """It begins."""
        self._calls.append(call)

    def discard(self, call: _C) -> None:
        """It is over."""
        self._calls.remove(call)

    def find(self, domain_uuid: str, call_uuid: str) -> _C | None:
        """The call of that domain that has the caller.

        A channel may come back, through another number, while the call before is still cleaning
        up; so there can be two of a key, of which one serves.
        """
        key = (domain_uuid, call_uuid)
        return next((call for call in self._calls if call.key == key and call.serving), None)

    def __iter__(self) -> Iterator[_C]:
        return iter(tuple(self._calls))

    def __len__(self) -> int:
        return len(self._calls)
