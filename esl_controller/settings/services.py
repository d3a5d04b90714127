"""Settings of tenants' own systems."""

from __future__ import annotations

from typing import Annotated

from esl_controller.settings.group import Group
from esl_controller.settings.types import doc, each, host_entry


class Services(Group, frozen=True):
    """Tenants' own systems: what their functions, webhooks and MCP servers are reached by."""

    allowed_hosts: Annotated[
        tuple[str, ...],
        doc(
            "Where they may be at all; each tenant names its own in `allowed_tool_hosts`. Hosts, "
            "`*.example.com`, addresses, networks; `:port` limits to a port. `*` is every public "
            "host; what is not public must be named.",
            check=each(host_entry),
        ),
    ] = ("*",)
    ca_file: Annotated[str, doc("CA certificates to trust instead of the system's (PEM file).")] = (
        ""
    )
