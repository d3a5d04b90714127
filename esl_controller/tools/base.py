"""What a function of the AI looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.providers.base import Tool
from esl_controller.database.models import RouteEntry


class CallActions(Protocol):
    """What a function may do with its call. None of it waits."""

    def transfer(self, destination: str, reason: str) -> None:
        """Hand the caller over once the agent's last words have been heard."""

    def end_call(self, reason: str) -> None:
        """Hang up once the agent's last words have been heard."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Whose call it is."""

    entry: RouteEntry
    caller_id_number: str
    actions: CallActions


class FunctionFailed(Exception):
    """The function could not do it; the text is told to the model."""


class CallTool(Protocol):
    """One function: what the model is told about it, and what it does."""

    def describe(self, entry: RouteEntry) -> Tool | None:
        """The function as offered for this number; None when it makes no sense there."""

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Do it and return the result for the model. May wait; a deadline is kept outside.

        Raises:
            FunctionFailed: with words for the model.
        """
