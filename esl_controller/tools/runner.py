"""Runs the functions the model asks for: each in its own greenlet, with a deadline and an audit."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import gevent
import msgspec
from gevent.pool import Group

from bridge.providers.base import FunctionCall
from esl_controller.telemetry.log import call_logger
from esl_controller.tools.base import CallTool, FunctionFailed, FunctionOutcome, ToolContext
from esl_controller.tools.repeats import Repeats
from esl_controller.tools.schema import Arguments

MAX_ARGUMENT_BYTES = 64 * 1024
MAX_RUNNING = 8
"""Functions of one call at once; a model that loops must not take the worker along."""
MAX_RESULT_BYTES = 16 * 1024
"""Of what the model is told: more of it would push the conversation out of its mind."""
CANCELLED = "cancelled by the model"
NOT_DONE = "It was not done. Tell the caller so in your own words; never say that it was done."
NOT_KNOWN = "It is not known whether it was done. Say so; never say that it was done."
DONE_BEFORE = "This was done already in this call, once. It was not done again."

Tell = Callable[[FunctionOutcome], None]


class FunctionRunner:
    """The functions of one conversation; how many it may call is the session's affair.

    `on_start` is called in `run`, so on the hub; `on_done` in a greenlet of the runner, with the
    same `function_call_uuid`.
    """

    def __init__(
        self,
        tools: Mapping[str, CallTool],
        context: ToolContext,
        *,
        deadline_s: float,
        on_start: Tell,
        on_done: Tell,
    ) -> None:
        self._tools = tools
        self._context = context
        self._deadline_s = deadline_s
        self._on_start = on_start
        self._on_done = on_done
        self._running = Group()
        self._offered: dict[str, _Offered] = {}
        self._repeats = Repeats(context.conversation_uuid)
        self._greenlets: dict[str, gevent.Greenlet[..., None]] = {}
        """Of the functions that run, by `call_id`."""
        self._log = call_logger()

    @property
    def running(self) -> bool:
        """A function has not returned."""
        return bool(self._running)

    def run(self, call: FunctionCall) -> None:
        """Start it; never waits."""
        begun = FunctionOutcome(str(uuid.uuid4()), call, "started", time.time())
        self._on_start(begun)
        self._greenlets[call.call_id] = self._running.spawn(self._run, begun)

    def cancel(self, call_id: str) -> None:
        """The model took a call back: end it, if it still runs. Never waits."""
        greenlet = self._greenlets.get(call_id)
        if greenlet is not None:
            greenlet.kill(_Cancelled, block=False)

    def close(self) -> None:
        """End what is running; its audit says so."""
        self._running.kill(block=False)
        if not self._running:
            self._on_start = self._on_done = _nobody

    def _run(self, begun: FunctionOutcome) -> None:
        began_s = time.monotonic()
        status, result, arguments, error = self._attempt(begun.call)
        self._greenlets.pop(begun.call.call_id, None)
        self._on_done(
            dataclasses.replace(
                begun,
                status=status,
                arguments=arguments,
                result=result,
                error=error,
                duration_s=time.monotonic() - began_s,
                cancelled=error == CANCELLED,
            )
        )

    def _attempt(self, call: FunctionCall) -> tuple[str, Mapping[str, Any], Any, str]:
        arguments: Any = call.arguments
        deadline = gevent.Timeout(None)
        try:
            arguments = self._decoded(call)
            offered = self._checked(call, arguments)
            deadline = gevent.Timeout(offered.tool.deadline_s or self._deadline_s)
            with deadline:
                return "completed", self._do(offered.tool, call, arguments), arguments, ""
        except FunctionFailed as failure:
            note = NOT_DONE if failure.certain else NOT_KNOWN
            return "failed", _not_done(str(failure), note), arguments, failure.why
        except _Refused as refusal:
            return "refused", _not_done(str(refusal)), arguments, str(refusal)
        except _Cancelled:
            return "failed", _not_done(CANCELLED), arguments, CANCELLED
        except gevent.GreenletExit:
            return "failed", _not_done("The call is over."), arguments, "the call ended"
        except (Exception, gevent.Timeout) as error:  # noqa: BLE001 - a bug must not end the call
            if error is deadline:
                text = "This takes too long at the moment."
                return "timeout", _not_done(text, NOT_KNOWN), arguments, "deadline"
            self._log.exception("function.failed", name=call.name)
            text = "This does not work at the moment."
            return "failed", _not_done(text), arguments, type(error).__name__

    def _do(self, tool: CallTool, call: FunctionCall, arguments: Any) -> Mapping[str, Any]:
        key = f"{self._context.conversation_uuid}:{call.call_id}"
        if tool.repeatable:
            return self._run_with(tool, call, arguments, key)
        earlier = self._repeats.done(call.name, arguments)
        if earlier is not None:
            return {**earlier, "note": DONE_BEFORE}
        key = self._repeats.key(call.name, arguments, call.call_id)
        result = self._run_with(tool, call, arguments, key)
        self._repeats.completed(call.name, arguments, result)
        return result

    def _run_with(
        self, tool: CallTool, call: FunctionCall, arguments: Any, key: str
    ) -> Mapping[str, Any]:
        context = dataclasses.replace(self._context, call_id=call.call_id, idempotency_key=key)
        result = {"done": True, **tool.run(arguments, context)}
        text = msgspec.json.encode(result)
        if len(text) > MAX_RESULT_BYTES:
            cut = text[:MAX_RESULT_BYTES].decode(errors="ignore")
            return {"done": result["done"], "cut_off": cut}
        return result

    def _decoded(self, call: FunctionCall) -> Any:
        if len(call.arguments) > MAX_ARGUMENT_BYTES:
            raise _Refused("The arguments are too long.")
        try:
            return msgspec.json.decode(call.arguments or "{}")
        except (msgspec.DecodeError, RecursionError):
            raise _Refused("The arguments are not JSON.") from None

    def _checked(self, call: FunctionCall, arguments: Any) -> _Offered:
        offered = self._offer(call.name)
        if offered is None:
            raise _Refused(f"There is no function {call.name[:64]!r}.")
        if len(self._running) > MAX_RUNNING:
            raise _Refused("Too many functions are running.")
        if not isinstance(arguments, dict):
            raise _Refused("The arguments are not an object.")
        problem = offered.arguments.problem(arguments)
        if problem is not None:
            raise _Refused(problem)
        return offered

    def _offer(self, name: str) -> _Offered | None:
        """A schema is read when its function is first called: a call is not to wait for all."""
        if name not in self._offered and name in self._tools:
            tool = self._tools[name]
            described = tool.describe(self._context.entry)
            if described is not None:
                arguments = Arguments(described.parameters, suggested=tool.suggested)
                self._offered[name] = _Offered(tool, arguments)
        return self._offered.get(name)


@dataclasses.dataclass(frozen=True, slots=True)
class _Offered:
    tool: CallTool
    arguments: Arguments


def _nobody(_: FunctionOutcome) -> None:
    """Hears of functions when none runs, and none will."""


def _not_done(words: str, note: str = NOT_DONE) -> Mapping[str, Any]:
    return {"done": False, "error": words, "note": note}


class _Cancelled(gevent.GreenletExit):
    """The model took the call back."""


class _Refused(Exception):
    """Not run at all."""
