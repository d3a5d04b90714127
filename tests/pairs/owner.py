"""The call around a session of the pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.providers import base as p
from bridge.session.session import Session
from tests.unit.bridge.doubles import StrictListener
from tests.unit.bridge.session_kit import PHRASE


class CallOwner(StrictListener):
    """A call as the controller is one: covers waits with a phrase, runs functions, restarts."""

    def __init__(
        self,
        session: Callable[[], Session],
        post: Callable[[float, Callable[[], None]], None],
    ) -> None:
        super().__init__()
        self._session = session
        self._post = post
        self.functions: dict[str, Callable[[p.FunctionCall], str]] = {}
        """By name; any other answers `{}`."""

    def answer_late(self) -> None:
        super().answer_late()
        self._session().announce(*PHRASE)

    def phrase_due(self, phrase: Any) -> None:
        super().phrase_due(phrase)
        self._post(0.01, lambda: self._session().announce(*PHRASE))

    def function_called(self, call: p.FunctionCall) -> None:
        super().function_called(call)
        run = self.functions.get(call.name, lambda call: "{}")
        self._session().send_function_result(call.call_id, run(call))
