"""Write the pages that are made from the program: `make docs`. A test compares them.

Each page has one source of truth in the code, so page and program cannot drift apart.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import dashboards
import env_example
from columns_page import secretary_page
from editions_page import editions_page
from functions_page import functions_page

from bridge.session.floor_states import FLOOR_TABLE
from bridge.session.states import SESSION_TABLE
from bridge.state_table import StateTable
from esl_controller.calls.breaker import BREAKER_TABLE
from esl_controller.calls.states import CALL_TABLE
from esl_controller.calls.transfer.states import TRANSFER_TABLE
from esl_controller.cli import cli
from esl_controller.commands.systemd_units import Host, systemd_units
from esl_controller.settings.table import Setting, Settings, every_setting
from esl_controller.settings.types import allowed
from esl_controller.telemetry.catalogue import BUILD_INFO, METRICS, ErrorCode, Metric, OwnError
from esl_controller.web.api.application import PREFIX
from esl_controller.web.api.event_stream import StreamTiming
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.live import MAX_VIEWERS
from esl_controller.web.api.openapi import document
from esl_controller.web.api.table import ROUTES

DOCS = Path(__file__).parent
NOTICE = "<!-- Made by docs/generate.py from {source}: edit that, then run `make docs`. -->\n\n"
HELP_WIDTH = 88


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Every setting is an environment variable, or a key in the TOML file named by",
        "`VOICE_AI_CONFIG` or `--config` (`VOICE_AI_ESL_PORT`: `port` in `[esl]`). The environment",
        "wins over the file; an empty variable counts as not set. Secrets may be given as",
        "`env:NAME` or `file:PATH`. `esl-controller config check` names every mistake at once;",
        "`esl-controller config show` prints what is in use, secrets masked.",
    ]
    groups = Settings.__annotations__
    for group in groups:
        rows = [row for row in every_setting() if row.group == group]
        text = inspect.getdoc(type(getattr(Settings(), group))) or ""
        lines += ["", f"## {group}", "", text.strip(), ""]
        lines += ["| variable | default | allowed | meaning |", "|---|---|---|---|"]
        lines += [_setting_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def _setting_row(row: Setting) -> str:
    default = row.default
    if row.is_secret:
        shown = "" if isinstance(default, tuple) else default.reveal()
    else:
        shown = ",".join(default) if isinstance(default, tuple) else str(default)
    shown = shown.lower() if isinstance(default, bool) else shown
    cells = [
        f"`{row.variable}`",
        f"`{shown}`" if shown else "",
        allowed(row.kind),
        row.meta.description or "",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def metrics_page() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Prometheus reads them at `/metrics` on each worker's media port, and with them memory,",
        "CPU, descriptors and start time of the process (`process_…`) and the rounds of the",
        "garbage collector (`python_gc_…`). Counters begin at 0 for the label values shown.",
        "",
        "StatsD gets them once a second when `VOICE_AI_STATSD_HOST` is set, as",
        "`<prefix>.<host>.worker_<n>.<StatsD name>.<label value>…`: counters as growth, durations",
        "as timers in milliseconds, gauges as they are. With the StatsD settings of",
        "[Monitoring](monitoring.md) Graphite adds workers up by",
        "`sumSeries(voice_ai.*.*.active_sessions)` and",
        "`sumSeries(voice_ai.*.*.calls.openai.completed.count)`. No label ever holds anything of",
        "a caller, and of a tenant the UUID of its domain alone.",
        "",
        "| name | StatsD name | kind | labels | meaning |",
        "|---|---|---|---|---|",
        *(_metric_row(metric) for metric in METRICS),
        "",
        "## Error codes",
        "",
        "`voice_ai_realtime_errors_total` counts failures by these codes; the same code is kept",
        "with the conversation.",
        "",
        "| code | failure |",
        "|---|---|",
        *(f"| {code.value} | {code.name.lower().replace('_', ' ')} |" for code in ErrorCode),
        *(
            f"| {code.value} | a mistake of ours; its traceback is in the log |"
            for code in OwnError
        ),
    ]
    return "\n".join(lines) + "\n"


def _metric_row(metric: Metric) -> str:
    values = metric.values or ((),) * len(metric.labels)
    labels = "; ".join(
        f"{label}: {' '.join(known)}" if known else label
        for label, known in zip(metric.labels, values, strict=True)
    )
    statsd = "" if metric is BUILD_INFO else f"`{metric.statsd_name}`"
    return f"| `{metric.name}` | {statsd} | {metric.kind.value} | {labels} | {metric.help} |"


def states_page() -> str:
    """docs/states.md."""
    tables: list[tuple[str, str, StateTable]] = [  # type: ignore[type-arg]
        ("A call", "esl_controller/calls/states.py", CALL_TABLE),
        (
            "An attempt to connect a caller",
            "esl_controller/calls/transfer/states.py",
            TRANSFER_TABLE,
        ),
        ("A session", "bridge/session/states.py", SESSION_TABLE),
        ("The floor", "bridge/session/floor_states.py", FLOOR_TABLE),
        ("A provider's circuit breaker", "esl_controller/calls/breaker.py", BREAKER_TABLE),
    ]
    lines = ["# States", "", "What is not drawn cannot happen: the tables refuse it."]
    for title, source, table in tables:
        lines += ["", f"## {title}", "", f"From `{source}`.", "", "```mermaid"]
        lines += [table.diagram().rstrip(), "```"]
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """docs/cli.md."""
    lines = ["# Command line"]
    for context in _contexts(cli, "esl-controller", None):
        help_text = context.command.get_help(context)
        lines += ["", f"## `{context.command_path}`", "", "```text", help_text, "```"]
    return "\n".join(lines) + "\n"


def _contexts(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[click.Context]:
    context = click.Context(
        command, parent, name, terminal_width=HELP_WIDTH, **command.context_settings
    )
    yield context
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None
            yield from _contexts(child, child_name, context)


API_INTRODUCTION = """\
For the pages of FusionPBX, on each worker's media port, below `/api/v1`. The OpenAPI 3.1 document
is at `/api/v1/openapi.json`, made from the same table as the routing and the checks.

- **Who may ask.** `Authorization: Bearer <VOICE_AI_HTTP_ADMIN_TOKEN>`, from a network of
  `VOICE_AI_HTTP_ADMIN_ALLOW`; without a token set it is closed. Whoever holds the token sees every
  domain: a page puts the domain of its own user into the path, and never lets a browser have the
  token. What belongs to another domain is answered 404 like what does not exist.
- **Any worker answers for all** conversations and calls, as they are stored by the worker that runs
  them, some tenths of a second behind. What a tenant does not store, or has redacted, is not shown.
- **Errors** are `application/problem+json` (RFC 9457): `type` (`urn:voice-ai:problem:…`), `title`,
  `status`, `detail`, and `problems` where several things are wrong. No answer holds a secret.
- **Limits.** Bodies have 16 KiB at most, those of secretaries 256. On one worker at once: {gates},
  viewers of live events {viewers}. One more is answered 429 with `Retry-After`.
- **Rows** (secretaries, providers, the domain's limits) are written by the rules of the command
  line: a body names the columns to set, null is the default, nothing is stored unless all of it is
  good, and a refusal (422) names each wrong field in `problems`. `…/secretaries/validate` says the
  same of a form before it is saved.
- **Providers' keys** go in and are never shown. A page may seal by itself, so that the key does
  not leave PHP in clear:

  ```php
  $box = sodium_crypto_box_seal("$domain_uuid\\n$key", base64_decode($public_key));
  $credential = "sealed:$key_id:" . base64_encode($box);
  ```

- **Test calls** take longer than a page may wait: they are begun (202), and asked after at the same
  worker, which alone knows them.
- **Later versions** may add fields to answers: ignore those you do not know. Fields of a request
  that nobody knows are refused.
- **Times** are ISO 8601 with offset, **money** is USD as text, **UUIDs** are lower case.

Live events are server-sent events. The id of an event is the number of the last turn: a browser
that connects again sends it as `Last-Event-ID` and gets that turn again and what followed. A row
that has changed comes again under the same key, such as a turn the caller cut off. A viewer that
takes longer than {send_s:.0f} s to take what it is sent is dropped.

A browser is better not sent through PHP for these, which would hold one PHP process per viewer. The
page makes a ticket (`POST …/tickets`, scope `calls/<uuid>/events`) and the browser opens the events
with `?ticket=…`, through a location of nginx that lets nothing else through
([FusionPBX's pages](fusionpbx.md#nginx)).

A ticket is for one page of one domain, and for five minutes at most; one for `talk/<number>` is for
one conversation. `GET /talk/<domain>/<number>?ticket=…&rate=16000` is a WebSocket
(`bridge/routes.py`): binary messages hold 16-bit sound of that rate both ways, texts hold one JSON
object with `event` (`open`, `ready`, `turn`, `latency`, `interrupted`, `clear`, `function`,
`transfer`, `trouble`, `refused`, `ended`); after `clear` the sound not yet played is dropped. Never
let `/metrics`, `/admin` or `/stream` through: behind a proxy on the same host everybody comes from
loopback.
"""


def api_page() -> str:
    """docs/api.md."""
    gates = ", ".join(f"{gate.value[2]} {gate.value[0]}" for gate in Gate)
    introduction = API_INTRODUCTION.format(
        gates=gates, viewers=MAX_VIEWERS, send_s=StreamTiming().send_s
    )
    described = document(ROUTES, PREFIX)
    lines = ["# Interface for pages", "", introduction]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            lines += _operation(path, method, operation)
    lines += ["## Shapes", ""]
    for name, schema in sorted(described["components"]["schemas"].items()):
        lines += _shape(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _operation(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"## {operation['summary']}", "", f"`{method.upper()} {PREFIX}{path}`", ""]
    if text := operation.get("description"):
        lines += [text, ""]
    for parameter in operation["parameters"]:
        if parameter["in"] != "path":
            kind = _kind(parameter["schema"])
            lines.append(f"- {parameter['in']} `{parameter['name']}`: {kind}")
    if body := operation.get("requestBody"):
        lines.append(f"- body: {_kind(body['content']['application/json']['schema'])}")
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            for media_type, content in response["content"].items():
                code = "" if status == "200" else f"{status}, "
                lines.append(f"- answer: {code}{media_type}, {_kind(content['schema'])}")
    failures = [status for status in operation["responses"] if not status.startswith("2")]
    return [*lines, f"- errors: {', '.join(failures)}", ""]


def _shape(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", "", schema.get("description", "").partition("\n")[0], ""]
    required = schema.get("required", ())
    for field, kind in schema["properties"].items():
        optional = "" if field in required else ", may be left out"
        lines.append(f"- `{field}`: {_kind(kind)}{optional}")
    return [*lines, ""]


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(map(_kind, schema[several])))
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if "contentSchema" in schema.get("properties", {}).get("data", {}):
        data = _kind(schema["properties"]["data"]["contentSchema"])
        return f"`{schema['properties']['event']['const']}` with {data}"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    limits = [f"{name} {schema[name]}" for name in _LIMITS if name in schema]
    kind = schema.get("format") or schema.get("type", "anything")
    return f"{kind} ({', '.join(limits)})" if limits else kind


_LIMITS = ("minimum", "maximum", "minLength", "maxLength")


PAGES: dict[str, tuple[str, Callable[[], str]]] = {
    "settings.md": ("esl_controller/settings/table.py", settings_page),
    "secretary.md": ("esl_controller/tenants/columns", partial(secretary_page, "en")),
    "pt-BR/secretaria.md": ("esl_controller/tenants/columns", partial(secretary_page, "pt")),
    "functions.md": ("esl_controller/tools/registry.py", functions_page),
    "editions.md": ("bridge/playout/editions.py", editions_page),
    "metrics.md": ("esl_controller/telemetry/catalogue.py", metrics_page),
    "states.md": ("the state tables", states_page),
    "api.md": ("esl_controller/web/api/table.py", api_page),
    "cli.md": ("the commands' own help", cli_page),
}


def page(name: str) -> str:
    """The whole text of one page."""
    source, make = PAGES[name]
    return NOTICE.format(source=source) + make()


def main() -> None:
    """Write every page that has changed."""
    for name in PAGES:
        path, text = DOCS / name, page(name)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"docs/{name} written")
    others = {name: dashboards.text(name) for name in dashboards.FILES}
    others[env_example.FILE] = env_example.text()
    units = systemd_units(Host())
    others |= {f"deploy/systemd/{name}": text for name, text in units.items()}
    for name, text in others.items():
        path = DOCS.parent / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"{name} written")


if __name__ == "__main__":
    main()
