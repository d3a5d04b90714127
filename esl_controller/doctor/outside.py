"""What tenants bring of their own: is there what their functions need?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from esl_controller.database.models import RouteEntry
from esl_controller.database.repository import functions, knowledge
from esl_controller.doctor.database import asked
from esl_controller.doctor.finding import Finding, ok, warning
from esl_controller.services.mcp import EXTRA, is_installed
from esl_controller.settings.table import Settings
from esl_controller.tenants.addresses import readable_url
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tenants.own_functions import PROBLEM, without_arguments

SYSTEMS = (
    "ticket_url",
    "crm_url",
    "agenda_url",
    "webhook_url",
    "summary_url",
    "embedding_url",
)
"""Addresses of a domain's systems, in its settings."""


def look(settings: Settings) -> Iterator[Finding]:
    """Whether what tenants' rows need is there: an extra of ours, an extension of PostgreSQL."""
    if asked(settings, functions.has_enabled_mcp):
        yield _mcp(installed=is_installed())
    if bool(settings.embedding.url) or asked(settings, knowledge.wants_vectors):
        yield from _meaning(asked(settings, knowledge.has_vectors))


def _mcp(*, installed: bool) -> Finding:
    check = "MCP servers"
    if installed:
        return ok(check, "some tenant has one, and the extra is installed")
    return warning(
        check, "some tenant has one, and its functions fail", f"install the extra: {EXTRA}"
    )


def _meaning(installed: bool | None) -> Iterator[Finding]:
    """`installed`: pgvector; None: the database did not say."""
    check = "search by meaning"
    if installed:
        yield ok(check, "a service makes vectors, and the database has pgvector")
    elif installed is not None:
        detail = (
            "a service makes vectors, but the database has no pgvector: words alone are searched"
        )
        advice = (
            "install pgvector on the database's host (postgresql-NN-pgvector), then in the "
            "database, as its superuser: create extension vector"
        )
        yield warning(check, detail, advice)


def problems(entry: RouteEntry, settings: Settings) -> list[str]:
    """What keeps functions and systems of a number from being reached, though their rows are good.

    The domain's systems are its own by their being set: the operator's list alone is asked.
    """
    hosts = ServiceHosts(settings.services.allowed_hosts)
    addresses = ((name, getattr(entry.tenant, name)) for name in SYSTEMS)
    said = [
        f"{name}: {why}" for name, url in addresses if url and (why := _why_not(hosts, url, ("*",)))
    ]
    for own in entry.functions:
        what = f"function {own.row.function_name!r}"
        url = without_arguments(own.row.url)
        if why := _why_not(hosts, url, entry.tenant.allowed_tool_hosts):
            said.append(f"{what}: {why}")
        if own.row.function_kind != "mcp":
            continue
        if not is_installed():
            said.append(f"{what}: MCP servers need the extra: {EXTRA}")
        if not own.row.mcp_catalogue:
            said.append(f"{what}: nothing of it is offered until `function refresh`")
        said += [
            f"{what}: tool {one['name']!r} is not offered: {one[PROBLEM]}; see `function refresh`"
            for one in own.row.mcp_catalogue
            if PROBLEM in one
        ]
    return said


def _why_not(hosts: ServiceHosts, url: str, tenants: Sequence[str]) -> str:
    """Why the operator, or the tenant, does not let an address be reached; empty: they do."""
    try:
        parts = readable_url(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        hosts.require(parts.hostname or "", port, tenants)
    except ValueError as error:
        return str(error)
    return ""
