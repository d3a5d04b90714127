"""What tenants bring of their own: is there what their functions need?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import functions
from esl_controller.doctor.finding import Finding, ok, warning
from esl_controller.services.mcp import EXTRA, is_installed
from esl_controller.settings.table import Settings
from esl_controller.tenants.addresses import readable_url
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tenants.own_functions import without_arguments

SYSTEMS = ("ticket_url", "crm_url", "agenda_url", "webhook_url", "summary_url")
"""Addresses of a domain's systems, in its settings."""
_CHECK = "MCP servers"


def look(settings: Settings) -> Iterator[Finding]:
    """Whether the extra is there, where any tenant has an MCP server."""
    if not _has_mcp(settings):
        return
    if is_installed():
        yield ok(_CHECK, "some tenant has one, and the extra is installed")
    else:
        advice = f"install the extra: {EXTRA}"
        yield warning(_CHECK, "some tenant has one, and its functions fail", advice)


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


def _has_mcp(settings: Settings) -> bool:
    dsn = settings.database.dsn.reveal()
    server = EmbeddedPostgres(Path(settings.storage.database_dir))
    if not dsn and server.pid is None:
        return False
    pool = Pool(dsn or server.dsn(), size=1, connect_timeout_s=settings.database.connect_timeout_s)
    try:
        with pool.connection(autocommit=True) as connection:
            return functions.has_enabled_mcp(connection)
    except DatabaseError:  # the look at the database says so
        return False
    finally:
        pool.close()
