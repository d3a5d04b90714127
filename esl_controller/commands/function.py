"""`function`: what a domain's secretaries can do with the domain's own systems."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from esl_controller.commands.api_key import credential_of, key_options
from esl_controller.commands.columns import column_options, given_values, one_row, table
from esl_controller.commands.shared import EXIT_FAILED, EXIT_SETTINGS, confirm
from esl_controller.commands.site import Site, with_domain
from esl_controller.database.functions import OwnFunction
from esl_controller.services.access import service_http
from esl_controller.services.failed import ServiceFailed
from esl_controller.services.http import ServiceHttp
from esl_controller.services.mcp import EXTRA, McpClient, is_installed
from esl_controller.services.offered import refresh as ask_server
from esl_controller.tenants.config import config_source
from esl_controller.tenants.fields import FUNCTION
from esl_controller.tenants.own_functions import without_arguments
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.shown import function_shown
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.own import tried
from esl_controller.tools.own_call import OwnCall

_LISTED = ("function_name", "function_kind", "http_method", "url", "key", "extensions", "enabled")
_KEY = FUNCTION.table.key


@click.group()
def command() -> None:
    """Add, change and try the functions of a domain's own: HTTP requests and MCP servers.

    Their hosts must be among the domain's allowed_tool_hosts (`tenant set`). Keys are sealed before
    they are stored, and are never shown again.
    """


@command.command("list")
@with_domain
def list_(site: Site) -> None:
    """List the functions of a domain."""
    rows = [function_shown(row) for row in site.editor.rows(FUNCTION)]
    site.shell.result(rows, table(rows, _LISTED, "No functions."))


@command.command()
@click.argument("function")
@with_domain
def show(site: Site, function: str) -> None:
    """Show everything of one function but its key."""
    row = function_shown(site.editor.find(FUNCTION, function))
    site.shell.result(row, one_row(row))


@command.command()
@click.argument("name")
@column_options(FUNCTION, without=("function_name", "credential"))
@key_options
@with_domain
def add(site: Site, name: str, **options: Any) -> None:
    """Add a function, called NAME by the model.

    esl-controller function add order_status --url https://crm.example/orders/{order}
    --description "What became of an order" --parameters @order.json --key-prompt
    """
    values = {**given_values(FUNCTION, options), "function_name": name}
    _stored(site, site.editor.add(FUNCTION, {**values, "credential": _key(site, options)}))


@command.command("set")
@click.argument("function")
@column_options(FUNCTION, without=("credential",))
@key_options
@with_domain
def set_(site: Site, function: str, **options: Any) -> None:
    """Change a function, or give it another key; an empty value takes one away."""
    values = given_values(FUNCTION, options)
    credential = _key(site, options)
    if credential is not None:
        values["credential"] = credential
    _stored(site, site.change(FUNCTION, function, values, such_as="--timeout-seconds 5"))


@command.command()
@click.argument("function")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_domain
def remove(site: Site, function: str, yes: bool) -> None:
    """Remove a function and its key."""
    row = site.editor.find(FUNCTION, function)
    question = f"Remove {row['function_name']} and its key of {site.domain_name}?"
    confirm(site.shell, question, yes=yes)
    site.editor.remove(FUNCTION, row[_KEY])
    site.shell.result({"removed": row[_KEY]}, f"{row['function_name']} is removed.")


@command.command()
@click.argument("function")
@with_domain
def refresh(site: Site, function: str) -> None:
    """Ask an MCP server for its tools, and keep those that are allowed (mcp_tools)."""
    own = _own(site, function)
    try:
        with _systems(site) as (_, mcp):
            offered = ask_server(site.pool, mcp, own)
    except ServiceFailed as error:
        raise site.shell.fail(f"{own.row.function_name}: {error.words}") from None
    lines = [
        f"{'offered' if tool['name'] in offered.kept else 'left out':<9} {tool['name']}"
        for tool in offered.tools
    ]
    lines += [f"  wrong: {remark}" for remark in offered.remarks]
    site.shell.result(offered._asdict(), "\n".join(lines) or "The server has no tools.")
    if offered.remarks:
        sys.exit(EXIT_SETTINGS)


@command.command("try")
@click.argument("function")
@click.argument("arguments", default="{}", metavar="[JSON]")
@click.option("--tool", default="", help="Of an MCP server: which, as the model calls it.")
@with_domain
def try_(site: Site, function: str, arguments: str, tool: str) -> None:
    """Call a function as the model would, and show what the model would be told.

    It is a real request: what it does at the other side is done.
    Exit code 1 if it does not work.
    """
    own = _own(site, function)
    try:
        given = json.loads(arguments)
    except ValueError as error:
        raise click.UsageError(f"the arguments are no JSON: {error}") from None
    with _systems(site) as (http, mcp):
        call = OwnCall(domain_uuid=site.domain_uuid, http=http, mcp=mcp)
        try:
            result = tried(own, tool, given, call)
        except FunctionFailed as error:
            why = f" ({error.why})" if error.why != str(error) else ""
            site.shell.result({"ok": False, "error": str(error)}, f"{error}{why}", error=True)
            sys.exit(EXIT_FAILED)
    text = json.dumps(result, ensure_ascii=False, indent=2)
    site.shell.result({"ok": True, "told": result}, text)


def _key(site: Site, options: dict[str, Any]) -> str | None:
    return credential_of(site, options)


def _own(site: Site, name: str) -> OwnFunction:
    """The function as a call has it. Ends the command where a call would go without it."""
    row = site.editor.find(FUNCTION, name)
    try:
        own = config_source(site.settings, site.pool).load_function(site.domain_uuid, row[_KEY])
    except ConfigError as error:
        raise site.shell.fail(str(error)) from None
    assert own is not None  # the row was read a moment ago
    return own


@contextmanager
def _systems(site: Site) -> Iterator[tuple[ServiceHttp, McpClient]]:
    http = service_http(site.settings, config_source(site.settings, site.pool).load_tenant)
    mcp = McpClient(http, site.settings.services.ca_file)
    try:
        yield http, mcp
    finally:
        mcp.stop()
        http.close()


def _stored(site: Site, row: Mapping[str, Any]) -> None:
    """What was stored, and what a call would lack of it now."""
    shown = function_shown(row)
    lines = [f"{row['function_name']} is stored.", *map("  {}".format, _lacking(site, row))]
    data = {"function": shown, "warnings": _lacking(site, row)}
    site.shell.result(data, "\n".join(lines))


def _lacking(site: Site, row: Mapping[str, Any]) -> list[str]:
    said = []
    http = service_http(site.settings, config_source(site.settings, site.pool).load_tenant)
    try:
        http.require_allowed(without_arguments(row["url"]), site.domain_uuid)
    except ServiceFailed as error:
        said.append(f"wrong: {error.words}")
    if row["function_kind"] == "mcp":
        if not is_installed():
            said.append(f"wrong: MCP servers need the extra: {EXTRA}")
        if not row["mcp_catalogue"]:
            said.append("the model is offered nothing of it until `function refresh`")
    return said
