"""`transfer_call`: connect the caller to a person, a queue or another extension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.calls.transfer.destination import Ambiguous, Destination
from esl_controller.calls.transfer.plan import Mode
from esl_controller.calls.transfer.wishes import planned, rule_for
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext

_ANYBODY = "any colleague, department or extension the caller names"
_RETURNS = {
    True: "; where the result says `ringing`, the caller is with you again when they hang up.",
    False: ", and the call does not come back to you.",
}
"""By `transfer_return`; said to a caller who asks for it, and to nobody else."""
MAX_NAMED = 20
"""Destinations named to the model in an error."""


class TransferCall(BuiltIn):
    """To a destination of the tenant's: the model cannot dial anything else.

    The result comes at once; how it went is told to the model when it is known.
    """

    suggested = frozenset({"destination"})

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Offered when the secretary has transfer rules, or the domain's directory is open."""
        rules, directory = entry.secretary.transfer_rules, entry.secretary.transfer_directory
        if not rules and not directory:
            return None
        destinations = [_description(rule) for rule in rules]
        wanted: dict[str, Any] = {"type": "string"}
        if directory:
            destinations.append(_ANYBODY)
            wanted["description"] = "The name or number as the caller said it."
        else:
            wanted["enum"] = sorted({_name(rule) for rule in rules})
        return Tool(
            "transfer_call",
            "Connect the caller to a person. Say in one short sentence whom you are connecting "
            "to before you call this, and nothing after it. You do not stay on the line with them"
            + _RETURNS[entry.secretary.transfer_return]
            + " Destinations: "
            + "; ".join(destinations),
            {
                "type": "object",
                "properties": {
                    "destination": wanted,
                    "reason": {
                        "type": "string",
                        "description": "Who calls and what they want, for who takes the call.",
                    },
                },
                "required": ["destination"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Start the transfer; it begins when the caller has heard the announcement."""
        destination = _found(str(arguments.get("destination") or ""), context)
        refused = context.places.may_dial(context.entry, destination)
        if refused is not None:
            raise FunctionFailed(f"This cannot be dialled now: {refused}")
        plan = planned(
            context.entry,
            destination,
            str(arguments.get("reason") or ""),
            _others(destination, context),
        )
        context.actions.transfer(plan)
        if plan.mode_for(destination) is Mode.BLIND:
            return {"status": "transferring", "destination": destination.name}
        return {
            "status": "ringing",
            "destination": destination.name,
            "note": "The caller hears music. Say nothing: you are told how it went.",
        }


def _found(wanted: str, context: ToolContext) -> Destination:
    """Raises FunctionFailed with what the model may ask the caller."""
    found = context.places.find(context.entry, wanted)
    if isinstance(found, Destination):
        return found
    if isinstance(found, Ambiguous):
        names = ", ".join(found.names[:MAX_NAMED])
        raise FunctionFailed(f"Several fit. Ask the caller which one is meant: {names}")
    names = ", ".join(found.near[:MAX_NAMED])
    raise FunctionFailed(f"There is no such destination. Possible are: {names}")


def _others(destination: Destination, context: ToolContext) -> tuple[Destination, ...]:
    """Who is tried next, as far as they can be found; whether they may be dialled is asked then."""
    names = rule_for(context.entry, destination).get("next") or ()
    found = [context.places.find(context.entry, str(name)) for name in names]
    return tuple(one for one in found if isinstance(one, Destination) and one != destination)


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule.get("department") or rule["destination"])


def _description(rule: Mapping[str, Any]) -> str:
    return f"{_name(rule)} ({rule.get('description') or 'when the caller asks for it'})"
