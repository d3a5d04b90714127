"""The destinations a secretary's `transfer_rules` list, as they stand there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from esl_controller.calls.transfer.destination import (
    Ambiguous,
    Destination,
    Kind,
    Presence,
    Unknown,
)
from esl_controller.calls.transfer.places import Asks
from esl_controller.database.models import RouteEntry
from esl_controller.esl import dialstring
from esl_controller.esl.errors import LocalProtocolError

_ANSWER_BY_THEMSELVES = frozenset({Kind.QUEUE, Kind.IVR, Kind.VOICEMAIL})


class ListedPlaces:
    """Implements `Places` without a look at FusionPBX: a number without `kind` is an extension."""

    def find(self, entry: RouteEntry, wanted: str) -> Destination | Ambiguous | Unknown:
        """By name, however written, or by number."""
        said = wanted.strip().casefold()
        offered = self._offered(entry)
        found = [one for one in offered if said in (one.name.casefold(), one.number.casefold())]
        if len(found) > 1:
            return Ambiguous(tuple(f"{one.name} ({one.number})" for one in found))
        return found[0] if found else Unknown(tuple(one.name for one in offered))

    def of_number(self, entry: RouteEntry, number: str) -> Destination:
        """An extension."""
        return _destination({"destination": number}, entry.domain_name)

    def _offered(self, entry: RouteEntry) -> tuple[Destination, ...]:
        """One for each rule."""
        rules = entry.secretary.transfer_rules
        return tuple(_destination(rule, entry.domain_name) for rule in rules)

    def presence(self, esl: Asks, entry: RouteEntry, destination: Destination) -> Presence:
        """Nobody is asked."""
        return Presence("unknown")

    def through_dialplan(self, entry: RouteEntry, destination: Destination) -> Destination:
        """By a loopback."""
        endpoint = dialstring.loopback(destination.number, entry.domain_name)
        return replace(destination, dial_string=endpoint)

    def may_dial(self, entry: RouteEntry, destination: Destination) -> str | None:
        """What the tenant listed may be dialled."""
        return None


def _destination(rule: Mapping[str, Any], domain_name: str) -> Destination:
    number = str(rule["destination"])
    kind = Kind(rule.get("kind") or Kind.EXTENSION.value)
    endpoint = "" if kind in _ANSWER_BY_THEMSELVES else _endpoint(kind, number, domain_name)
    name = str(rule.get("department") or number)
    return Destination(kind, name, number, bool(endpoint), endpoint)


def _endpoint(kind: Kind, number: str, domain_name: str) -> str:
    """Empty for what cannot be dialled."""
    try:
        if kind is Kind.EXTENSION:
            return dialstring.user(number, domain_name)
        return dialstring.loopback(number, domain_name)
    except LocalProtocolError:
        return ""
