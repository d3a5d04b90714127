"""`transfer_call`: hand the caller to a person, a queue or another extension."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import FunctionFailed, ToolContext


class TransferCall:
    """Blind transfer to a destination the tenant listed: the model cannot dial anything else."""

    suggested = frozenset({"destination"})

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Offered when the secretary has transfer rules."""
        departments = _departments(entry)
        if not departments:
            return None
        return Tool(
            "transfer_call",
            "Hand the caller over to a person. Say in one short sentence whom you are connecting "
            "to before you call this. Destinations: " + "; ".join(_descriptions(entry)),
            {
                "type": "object",
                "properties": {
                    "destination": {"type": "string", "enum": sorted(departments)},
                    "reason": {"type": "string", "description": "What the caller wants."},
                },
                "required": ["destination"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Start the hand-over; it happens when the caller has heard the announcement."""
        departments = _departments(context.entry)
        name = _meant(arguments.get("destination"), departments)
        if name is None:
            names = ", ".join(sorted(departments))
            raise FunctionFailed(f"There is no such destination. Possible are: {names}")
        context.actions.transfer(departments[name], arguments.get("reason", ""))
        return {"status": "transferring", "destination": name}


def _departments(entry: RouteEntry) -> dict[str, str]:
    """Names the model uses, and the extensions they stand for."""
    return {_name(rule): str(rule["destination"]) for rule in entry.secretary.transfer_rules}


def _meant(wanted: object, departments: Mapping[str, str]) -> str | None:
    """The department a model means: by name, however written, or by its number."""
    if not isinstance(wanted, str):
        return None
    said = wanted.strip().casefold()
    for name, extension in departments.items():
        if said in (name.casefold(), extension.casefold()):
            return name
    return None


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule.get("department") or rule["destination"])


def _descriptions(entry: RouteEntry) -> list[str]:
    rules = entry.secretary.transfer_rules
    return [f"{_name(r)} ({r.get('description') or 'when the caller asks for it'})" for r in rules]
