"""What the protocol objects of hosted providers do alike: begin once, and give what is due."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from bridge.errors import LocalProtocolError
from bridge.providers.actions import Action
from bridge.providers.base import ProviderEvent
from bridge.short_queue import ShortQueue


class _Told(Protocol):
    @property
    def events(self) -> ShortQueue[ProviderEvent]: ...


_State = TypeVar("_State", bound=_Told)
_Inbox = TypeVar("_Inbox")


class Begun(Generic[_State, _Inbox]):
    """Holds a session's state and its receiving half from `start` on, and what goes out."""

    def __init__(self) -> None:
        self.dropped = 0
        """Messages that nobody could take, nearly all of them caller's audio."""
        self._begun: tuple[_State, _Inbox] | None = None
        self._out: list[Action] = []

    @property
    def state(self) -> _State:
        """The session's state and counters. Raises `LocalProtocolError` before `start`."""
        return self._started()[0]

    def next_event(self) -> ProviderEvent | None:
        """Take the next event, or None."""
        if self._begun is None or not self._begun[0].events:
            return None
        return self._begun[0].events.popleft()

    def actions(self) -> list[Action]:
        """Take everything to be done now, in order."""
        out, self._out = self._out, []
        return out

    def _begin(self, state: _State, inbox: _Inbox) -> None:
        self._begun = (state, inbox)

    def _require_new(self) -> None:
        if self._begun is not None:
            raise LocalProtocolError("start was called before")

    def _started(self) -> tuple[_State, _Inbox]:
        if self._begun is None:
            raise LocalProtocolError("the session was not started")
        return self._begun
