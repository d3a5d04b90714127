"""What is half made of a domain's own systems, and of what a secretary offers of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from esl_controller.database.models import SecretaryRealtime, TenantSettings
from esl_controller.tenants.columns.systems import NOTHING
from esl_controller.tenants.hosts import is_loopback

_SYSTEMS: Mapping[str, tuple[str, ...]] = {
    "ticket": ("ticket_key", "ticket_queue", "ticket_company"),
    "crm": ("crm_key",),
    "agenda": ("agenda_key", "agenda_user"),
}
"""What says nothing without the address of its system."""
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "create_ticket": ("ticket_url",),
    "lookup_customer": ("crm_url",),
    "check_appointment": ("agenda_url",),
    "book_appointment": ("agenda_url",),
    "cancel_appointment": ("agenda_url",),
    "take_message": ("email_to", "webhook_url"),
}
"""Of a function: one of these must be set."""


def tenant_doubts(tenant: TenantSettings) -> list[str]:
    """A sentence for each system that cannot be reached as it is set."""
    said = []
    for system, fields in _SYSTEMS.items():
        url, key = getattr(tenant, f"{system}_url"), getattr(tenant, f"{system}_key")
        lonely = [name for name in fields if getattr(tenant, name)]
        if lonely and not url:
            said.append(f"{system}_url is not set: {', '.join(lonely)} has no use")
        parts = urlsplit(url or "")
        if key and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            said.append(f"{system}_url: a key goes over https:// alone, so nothing is sent there")
    if tenant.agenda_kind == "caldav" and not tenant.agenda_url:
        said.append("agenda_kind is caldav, but agenda_url is not set")
    if tenant.agenda_user and not tenant.agenda_key:
        said.append("agenda_user has no agenda_key: it is not sent")
    return said


def offer_doubts(secretary: SecretaryRealtime, tenant: TenantSettings) -> list[str]:
    """A sentence for each function a secretary is to offer and cannot."""
    whose = f"secretary {secretary.secretary_name!r}"
    named = [name for name in secretary.functions_config if name != NOTHING]
    if not secretary.enable_functions:
        return [f"{whose}: functions_config has no use while enable_functions is off"] * bool(named)
    said = [
        f"{whose}: {name} is not offered: {' or '.join(_NEEDS[name])} is not set"
        for name in named
        if name in _NEEDS and not any(_is_set(one, secretary, tenant) for one in _NEEDS[name])
    ]
    offers = any(_is_set(one, secretary, tenant) for needs in _NEEDS.values() for one in needs)
    if not named and not offers:
        said.append(f"{whose}: enable_functions is on, but the domain has set up no system")
    return said


def _is_set(name: str, secretary: SecretaryRealtime, tenant: TenantSettings) -> bool:
    own = name == "email_to" and bool(secretary.email_to)
    return own or bool(getattr(tenant, name))
