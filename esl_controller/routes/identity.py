"""Who calls whom: from a channel's data to one tenant, one call and one extension. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from esl_controller.esl.dialable import DIALABLE

_DOMAIN_NAME = re.compile(r"([\w.-]{1,255}?)\.?(?::\d{1,5})?")
"""A host name; its last dot, and the port of a SIP address, do not belong to it."""

Header = Callable[[str], str | None]
"""Looks a decoded channel header up by name; None, or nothing in it, when it is missing."""


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Who calls whom, after parsing. Caller fields are what the caller claims."""

    domain_uuid: str
    call_uuid: str
    extension: str
    caller_id_number: str
    caller_id_name: str
    direction: str = "inbound"
    """inbound | outbound: who called. Of outbound ones the caller fields are the callee's."""

    @property
    def for_log(self) -> dict[str, str]:
        """Who called which number: a refused call of an unknown domain has no row."""
        return {"number": self.extension, "caller": self.caller_id_number}


class InvalidCall(ValueError):
    """The channel data does not say which tenant and extension this call is for."""


def parse_identity(header: Header, domain_named: Callable[[str], str | None]) -> CallIdentity:
    """Read the identity of a call from its channel data.

    A leg that FreeSWITCH itself makes (a forwarded extension, a member of a ring group) or that a
    gateway sends straight into the domain's context carries no `domain_uuid`: then the tenant is
    the one with the name in `domain_name`, else in `Caller-Context`.

    On a leg FreeSWITCH dialled itself the caller fields are FreeSWITCH's own; who talks to us there
    is the callee (`Call-Direction`, `Caller-Callee-ID-…`, switch_caller.c).

    Args:
        domain_named: returns the UUID of the only domain with a name, else None.

    Raises:
        InvalidCall: no tenant, `Unique-ID` or called extension that is valid.
    """
    extension = header("variable_voice_ai_extension") or header("Caller-Destination-Number") or ""
    if not DIALABLE.fullmatch(extension):
        raise InvalidCall("called extension missing or not dialable")
    call_uuid = _uuid(header("Unique-ID"), "Unique-ID")
    dialled = header("Call-Direction") == "outbound" and header("Caller-Callee-ID-Number")
    who = "Callee" if dialled else "Caller"
    return CallIdentity(
        domain_uuid=_domain(header, domain_named),
        call_uuid=call_uuid,
        extension=extension,
        caller_id_number=_printable(header(f"Caller-{who}-ID-Number"), 64),
        caller_id_name=_printable(header(f"Caller-{who}-ID-Name"), 64),
        direction="outbound" if header("variable_voice_ai_outbound") else "inbound",
    )


def _domain(header: Header, domain_named: Callable[[str], str | None]) -> str:
    given = header("variable_domain_uuid")
    if given:
        return _uuid(given, "variable_domain_uuid")
    told = [header("variable_domain_name") or "", header("Caller-Context") or ""]
    found_in = [_DOMAIN_NAME.fullmatch(text.strip()) for text in told]
    names = dict.fromkeys(found[1] for found in found_in if found is not None)
    for name in names:
        found = domain_named(name)
        if found is not None:
            return _uuid(found, "domain of this name")
    whose = f", and no domain is named {' or '.join(names)}" if names else ""
    raise InvalidCall(f"variable_domain_uuid is missing{whose}")


def _uuid(value: str | None, name: str) -> str:
    try:
        return str(uuid.UUID(value or ""))
    except ValueError:
        raise InvalidCall(f"{name} is missing or not a UUID") from None


def _printable(value: str | None, limit: int) -> str:
    return "".join(c for c in (value or "") if c.isprintable())[:limit]
