"""Runs the functions the model asks for: each in its own greenlet, with a deadline and an audit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
import msgspec
from gevent.pool import Group

from bridge.providers.base import FunctionCall, Tool
from esl_controller.database.models import RouteEntry
from esl_controller.telemetry.log import call_logger
from esl_controller.tools.base import CallTool, FunctionFailed, ToolContext
from esl_controller.tools.end_call import EndCall
from esl_controller.tools.transfer_call import TransferCall

MAX_ARGUMENT_BYTES = 64 * 1024
MAX_RUNNING = 8
"""Functions of one call at once; a model that loops must not take the worker along."""

TOOLS: Mapping[str, CallTool] = {"transfer_call": TransferCall(), "end_call": EndCall()}
"""Every function there is, by the name the model uses."""


@dataclass(frozen=True, slots=True)
class FunctionOutcome:
    """One finished function."""

    call: FunctionCall
    status: str
    """completed | failed | timeout | refused"""
    result: Mapping[str, Any]
    """What the model is told."""
    arguments: Any
    error: str
    started_at: float
    """Unix time."""
    duration_s: float

    @property
    def output(self) -> str:
        """The result as the text the provider takes."""
        return msgspec.json.encode(self.result).decode()


def offered_tools(entry: RouteEntry) -> tuple[Tool, ...]:
    """The functions a secretary's model is told about: ours need no switch."""
    described = (tool.describe(entry) for tool in TOOLS.values())
    return tuple(tool for tool in described if tool is not None)


class FunctionRunner:
    """The functions of one call. `on_done` is called in a greenlet of the runner."""

    def __init__(
        self,
        context: ToolContext,
        *,
        deadline_s: float,
        on_done: Callable[[FunctionOutcome], None],
    ) -> None:
        self._context = context
        self._deadline_s = deadline_s
        self._on_done = on_done
        self._offered = {tool.name for tool in offered_tools(context.entry)}
        self._running = Group()
        self._log = call_logger()

    def run(self, call: FunctionCall) -> None:
        """Start it; never waits."""
        self._running.spawn(self._run, call)

    def close(self) -> None:
        """End what is running; nothing more is told."""
        self._running.kill(block=False)

    def _run(self, call: FunctionCall) -> None:
        started_at, started = time.time(), time.monotonic()
        status, result, arguments, error = self._attempt(call)
        duration_s = time.monotonic() - started
        self._on_done(
            FunctionOutcome(call, status, result, arguments, error, started_at, duration_s)
        )

    def _attempt(self, call: FunctionCall) -> tuple[str, Mapping[str, Any], Any, str]:
        arguments: Any = {}
        try:
            arguments = self._parse(call)
            with gevent.Timeout(self._deadline_s):
                return "completed", TOOLS[call.name].run(arguments, self._context), arguments, ""
        except FunctionFailed as failure:
            return "failed", {"error": str(failure)}, arguments, str(failure)
        except _Refused as refusal:
            return "refused", {"error": str(refusal)}, arguments, str(refusal)
        except gevent.Timeout:
            text = "This takes too long at the moment."
            return "timeout", {"error": text}, arguments, "deadline"
        except Exception as error:  # noqa: BLE001 - a function's bug must not end the call
            self._log.exception("function.failed", name=call.name)
            text = "This does not work at the moment."
            return "failed", {"error": text}, arguments, type(error).__name__

    def _parse(self, call: FunctionCall) -> dict[str, Any]:
        if call.name not in self._offered:
            raise _Refused(f"There is no function {call.name[:64]!r}.")
        if len(self._running) > MAX_RUNNING:
            raise _Refused("Too many functions are running.")
        if len(call.arguments) > MAX_ARGUMENT_BYTES:
            raise _Refused("The arguments are too long.")
        try:
            arguments = msgspec.json.decode(call.arguments or "{}")
        except (msgspec.DecodeError, RecursionError):
            raise _Refused("The arguments are not JSON.") from None
        if not isinstance(arguments, dict):
            raise _Refused("The arguments are not an object.")
        return arguments


class _Refused(Exception):
    """Not run at all."""
