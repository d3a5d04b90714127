"""From what a caller calls somebody to a destination: implements the port `Places`.

Who is listed in `transfer_rules` can be reached, and with `transfer_directory` everybody of the
domain. What a number is, FusionPBX's tables say; a number that is in none of them is outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from esl_controller.calls.transfer import naming, presence
from esl_controller.calls.transfer.destination import (
    Ambiguous,
    Destination,
    Kind,
    Presence,
    Unknown,
)
from esl_controller.calls.transfer.directory import MANY, Directory, Place, TenantPlaces
from esl_controller.calls.transfer.outside import Outside
from esl_controller.calls.transfer.places import Asks
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import places as repository
from esl_controller.esl import dialstring
from esl_controller.esl.errors import LocalProtocolError
from esl_controller.esl.waiting import Deadline
from esl_controller.settings.transfer import Transfer
from esl_controller.telemetry.background import in_thread

TO_MAILBOX = "*99"
"""FusionPBX's prefix (app/dialplans, 310_send_to_voicemail.xml)."""
OF_THE_DIALPLAN = frozenset({"voice_ai_turn_based", "voice_ai_person"})
"""Our own dialplan's: version 1, and the secretary's person."""
OUTSIDE_DIGITS = 7
"""Where FusionPBX is not, a number of so many digits is taken for one outside."""
_LOTS = ("valet_park", "valet park", "park_in", "park_out")
_ANSWERED_BY_PEOPLE = frozenset({Kind.EXTENSION, Kind.RING_GROUP, Kind.EXTERNAL})


class _Offer(NamedTuple):
    destination: Destination
    names: tuple[str, ...]
    numbers: tuple[str, ...]


class FusionPlaces:
    """The one of a worker."""

    def __init__(
        self, pool: Pool, settings: Transfer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._directory = Directory(pool, clock=clock)
        self._outside = Outside(pool, settings)

    def stop(self) -> None:
        """Stop reading in the background."""
        self._directory.stop()

    def find(self, entry: RouteEntry, wanted: str) -> Destination | Ambiguous | Unknown:
        """By name, alias, department or number. Waits for the database, and for a thread."""
        places = self._directory.of(entry.domain_uuid)
        if places is None or len(places.named) <= MANY:
            return _who(entry, places, wanted)
        found = in_thread(lambda said: _who(entry, places, said), wanted, ValueError)
        return Unknown() if isinstance(found, ValueError) else found

    def of_number(self, entry: RouteEntry, number: str) -> Destination:
        """Waits for the database."""
        places = self._directory.of(entry.domain_uuid)
        return _from_rule({"destination": number}, places, entry.domain_name).destination

    def through_dialplan(self, entry: RouteEntry, destination: Destination) -> Destination:
        """By a loopback; blind where no dial string carries its number."""
        try:
            endpoint = dialstring.loopback(destination.number, entry.domain_name)
        except LocalProtocolError:
            endpoint = ""
        return replace(destination, announceable=bool(endpoint), dial_string=endpoint)

    def presence(self, esl: Asks, entry: RouteEntry, destination: Destination) -> Presence:
        """Waits at most `presence.LONGEST_WAIT_S`, the database included."""
        deadline = Deadline(presence.LONGEST_WAIT_S)
        if destination.kind is Kind.QUEUE:
            return presence.of_queue(esl, destination.number, entry.domain_name, deadline)
        if destination.kind is not Kind.EXTENSION:
            return Presence("unknown")
        places = self._directory.remembered(entry.domain_uuid)
        own = places.by_number.get(destination.number) if places else None
        extension = own.number if own else destination.number
        try:
            with self._pool.connection(autocommit=True, limit_s=deadline.left_s / 2) as connection:
                wishes = repository.find_availability(connection, entry.domain_uuid, extension)
        except DatabaseError:
            wishes = None
        return presence.of_extension(esl, extension, entry.domain_name, wishes, deadline)

    def may_dial(self, entry: RouteEntry, destination: Destination) -> str | None:
        """None, or why not. To ask about a number outside is to count it: ask once for each try."""
        if destination.kind is not Kind.EXTERNAL:
            return None
        return self._outside.refusal(entry.domain_uuid, destination.number)


def _who(
    entry: RouteEntry, places: TenantPlaces | None, wanted: str
) -> Destination | Ambiguous | Unknown:
    offers = _offers(entry, places)
    said = wanted.strip().casefold()
    for offer in offers:  # a department may be called "mailbox"
        if said in map(str.casefold, offer.names):
            return _found(offers, wanted)
    owner = naming.mailbox_owner(wanted)
    found = _found(offers, wanted if owner is None else owner)
    if owner is None or not isinstance(found, Destination):
        return found
    return _mailbox(found) or Unknown()


def _found(offers: Sequence[_Offer], wanted: str) -> Destination | Ambiguous | Unknown:
    by_number = [offer for offer in offers if _said(wanted, offer)]
    if by_number:
        return by_number[0].destination
    fits, near = naming.match(wanted, [offer.names for offer in offers])
    if len({offers[i].destination.number for i in fits}) == 1:
        return offers[fits[0]].destination
    if fits:
        return Ambiguous(_names(offers, fits))
    return Unknown(_names(offers, near or range(len(offers))))


def _said(wanted: str, offer: _Offer) -> bool:
    return bool({wanted.strip(), naming.number_said(wanted)} & set(offer.numbers))


def _names(offers: Sequence[_Offer], which: Iterable[int]) -> tuple[str, ...]:
    """What to ask the caller about; with the number where two have the same name."""
    those = [offers[i].destination for i in which]
    names = [one.name for one in those]
    return tuple(
        f"{one.name} ({one.number})" if names.count(one.name) > 1 else one.name for one in those
    )


def _offers(entry: RouteEntry, places: TenantPlaces | None) -> list[_Offer]:
    listed = _listed(entry, places)
    if not entry.secretary.transfer_directory or places is None:
        return listed
    there = {offer.destination.number for offer in listed} | {entry.extension}
    others = (
        place
        for place in places.named
        if place.number not in there and place.names and not _is_lot(place)
    )
    return listed + [_from_directory(place, entry.domain_name, places) for place in others]


def _is_lot(place: Place) -> bool:
    """FusionPBX's own name of a parking lot's dialplan: nobody is there."""
    return any(name.casefold().startswith(_LOTS) for name in place.names)


def _listed(entry: RouteEntry, places: TenantPlaces | None) -> list[_Offer]:
    rules = entry.secretary.transfer_rules
    return [_from_rule(rule, places, entry.domain_name) for rule in rules]


def _from_rule(rule: Mapping[str, Any], places: TenantPlaces | None, domain_name: str) -> _Offer:
    number = str(rule["destination"])
    place = places.by_number.get(number) if places else None
    own = place.names if place else ()
    name = str(rule.get("department") or (own[0] if own else number))
    kind = _kind(rule, number, place, places)
    if kind is Kind.VOICEMAIL and not number.startswith("*"):
        made = Destination(kind, name, TO_MAILBOX + number, announceable=False)
    else:
        made = _destination(kind, name, number, place, domain_name, places)
    names = (name, *map(str, rule.get("aliases") or ()), *own)
    return _Offer(made, names, (number, made.number))


def _kind(
    rule: Mapping[str, Any], number: str, place: Place | None, places: TenantPlaces | None
) -> Kind:
    said = Kind(rule["kind"]) if rule.get("kind") else None
    if said is Kind.VOICEMAIL:
        return said
    if number in OF_THE_DIALPLAN:
        return Kind.IVR
    if place is not None:
        return place.kind
    if places is not None and not number.startswith(TO_MAILBOX):
        return Kind.EXTERNAL
    looks_outside = number.startswith("+") or sum(map(str.isdigit, number)) >= OUTSIDE_DIGITS
    if said is Kind.EXTERNAL or looks_outside:
        return Kind.EXTERNAL
    return said or Kind.EXTENSION


def _from_directory(place: Place, domain_name: str, places: TenantPlaces) -> _Offer:
    made = _destination(place.kind, place.names[0], place.number, place, domain_name, places)
    return _Offer(made, place.names, (place.number, *filter(str.isdigit, place.names)))


def _destination(
    kind: Kind,
    name: str,
    number: str,
    place: Place | None,
    domain_name: str,
    places: TenantPlaces | None,
) -> Destination:
    """An extension is rung itself; what the dialplan must be run for, through a loopback."""
    dialled = place.number if place else number
    endpoint = ""
    if kind in _ANSWERED_BY_PEOPLE and not (place and place.greets):
        make = dialstring.user if kind is Kind.EXTENSION else dialstring.loopback
        try:
            endpoint = make(dialled, domain_name)
        except LocalProtocolError:  # a name that no dial string carries: blind only
            endpoint = ""
    mailbox = TO_MAILBOX + dialled if places and dialled in places.mailboxes else ""
    return Destination(kind, name, number, bool(endpoint), endpoint, mailbox)


def _mailbox(owner: Destination) -> Destination | None:
    """The mailbox of who was found; None when there is none."""
    if owner.kind is Kind.VOICEMAIL:
        return owner
    if not owner.mailbox:
        return None
    return Destination(Kind.VOICEMAIL, owner.name, owner.mailbox, announceable=False)
