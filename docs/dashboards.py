"""The dashboards of Grafana, one description for Prometheus and for Graphite: `make docs`.

A panel names metrics of the catalogue, not queries: both are made from it, so that they show the
same and neither asks for a metric there is none of.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.catalogue import Kind, Metric

WORKERS = "$prefix.*.*"
"""Host and worker, as `telemetry/statsd_flusher.py` names them."""
COLUMNS, HEIGHT = 3, 8
PANEL_WIDTH = 24 // COLUMNS


@dataclass(frozen=True, slots=True)
class Shown:
    """One metric in a panel: a gauge as it is, a counter per minute, a duration as p50 and p95."""

    metric: Metric
    name: str = ""
    """What the legend says before the label values."""
    by: tuple[str, ...] = ()
    """Labels that are kept apart; all others are added up."""
    worst: bool = False
    """Of a gauge: the largest of the workers instead of the sum."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What one picture shows; `unit` is Grafana's word for it."""

    title: str
    unit: str
    help: str
    shown: tuple[Shown, ...]


PANELS = (
    Panel(
        "Calls now and capacity",
        "short",
        "Conversations going on in all workers, and how many they take at most.",
        (
            Shown(m.ACTIVE_SESSIONS, "calls"),
            Shown(m.CAPACITY, "capacity"),
            Shown(m.CALLERS_AWAY, "with a human"),
        ),
    ),
    Panel(
        "Calls answered, by outcome",
        "short",
        "Calls a minute, by how they ended.",
        (Shown(m.CALLS, by=("outcome",)),),
    ),
    Panel(
        "Calls refused, by reason",
        "short",
        "Calls a minute handed back to the dialplan: voice_ai_outcome.",
        (Shown(m.CALLS_REFUSED, by=("reason",)),),
    ),
    Panel(
        "Time to the first word",
        "s",
        "Answer to the first sound of the greeting.",
        (Shown(m.ANSWER_TO_GREETING, by=("provider",)),),
    ),
    Panel(
        "Latency of answers",
        "s",
        "The caller stopped speaking to the first sound of the answer.",
        (Shown(m.RESPONSE_LATENCY, by=("provider",)),),
    ),
    Panel(
        "Where the latency went",
        "s",
        "Parts of the time an answer took.",
        (Shown(m.LATENCY_PART, by=("part",)),),
    ),
    Panel(
        "Barge-in",
        "s",
        "The caller's voice to the last sound of the agent.",
        (Shown(m.BARGE_IN),),
    ),
    Panel(
        "Interruptions",
        "short",
        "A minute: answers cut off, and answers gone on with after a noise.",
        (Shown(m.INTERRUPTIONS, "cut off"), Shown(m.RESUMPTIONS, "gone on", by=("why",))),
    ),
    Panel(
        "Dead air",
        "s",
        "The longest silence of each conversation in which something was due.",
        (Shown(m.DEAD_AIR),),
    ),
    Panel(
        "Late answers and gaps",
        "short",
        "A minute: phrases that covered a wait, gaps inside answers, late frames.",
        (
            Shown(m.COVERS, "phrases"),
            Shown(m.UNDERRUNS, "gaps"),
            Shown(m.LATE_FRAMES, "late frames"),
        ),
    ),
    Panel(
        "Failures of providers",
        "short",
        "A minute, as providers tell them.",
        (Shown(m.PROVIDER_FAILURES, by=("provider", "kind")),),
    ),
    Panel(
        "Providers passed over",
        "short",
        "Providers of tenants that failed too often and are not tried now.",
        (Shown(m.CIRCUITS_OPEN, by=("provider",)),),
    ),
    Panel(
        "Budgets",
        "percentunit",
        "Spent share of each tenant's budget, by the UUID of its domain.",
        (Shown(m.BUDGET_USED, by=("domain", "period"), worst=True),),
    ),
    Panel(
        "Cost",
        "currencyUSD",
        "US dollars a minute, by the prices in use.",
        (Shown(m.COST, by=("provider",)),),
    ),
    Panel(
        "Errors by code",
        "short",
        "A minute. INTERNAL is a mistake of ours: its traceback is in the log.",
        (Shown(m.ERRORS, by=("code",)),),
    ),
    Panel(
        "Hub lag",
        "s",
        "How late a timer was: audio is as late. Over 20 ms callers hear it.",
        (Shown(m.HUB_LAG),),
    ),
    Panel(
        "Spool",
        "bytes",
        "Records not yet in the database, and what its disk has left.",
        (Shown(m.SPOOL_BYTES, "waiting"), Shown(m.SPOOL_FREE_BYTES, "free on disk")),
    ),
    Panel(
        "Workers",
        "short",
        "Workers that listen, that drain, and conversations without their call.",
        (
            Shown(m.LISTENING, "listening"),
            Shown(m.DRAINING, "draining"),
            Shown(m.ORPHANED_SESSIONS, "orphaned conversations"),
        ),
    ),
    Panel(
        "Transfers",
        "short",
        "A minute, by result.",
        (Shown(m.TRANSFERS, by=("result",)),),
    ),
    Panel(
        "Functions",
        "s",
        "Time functions of the AI took.",
        (Shown(m.FUNCTION_LATENCY),),
    ),
    Panel(
        "Database",
        "short",
        "Connections in use, idle, and calls that wait for one.",
        (Shown(m.DATABASE_CONNECTIONS, by=("state",)),),
    ),
)


def prometheus(shown: Shown) -> list[tuple[str, str]]:
    """Queries of one metric and their legends."""
    metric, by = shown.metric, ", ".join(shown.by)
    legend = " ".join([shown.name, *(f"{{{{{label}}}}}" for label in shown.by)]).strip()
    grouped = f" by ({by})" if by else ""
    if metric.kind is Kind.GAUGE:
        return [(f"{'max' if shown.worst else 'sum'}{grouped} ({metric.name})", legend)]
    if metric.kind is Kind.COUNTER:
        return [(f"60 * sum{grouped} (rate({metric.name}[$__rate_interval]))", legend)]
    buckets = (
        f"sum by ({', '.join(('le', *shown.by))}) (rate({metric.name}_bucket[$__rate_interval]))"
    )
    return [
        (f"histogram_quantile({quantile}, {buckets})", f"{legend} {name}".strip())
        for quantile, name in ((0.5, "p50"), (0.95, "p95"))
    ]


def graphite(shown: Shown) -> list[tuple[str, str]]:
    """Targets of one metric; StatsD's timers are milliseconds and are shown as seconds."""
    metric = shown.metric
    path = ".".join([WORKERS, metric.statsd_name, *("*" for _ in metric.labels)])
    if metric.kind is Kind.GAUGE:
        return [_grouped(shown, path, "max" if shown.worst else "sum", shown.name)]
    if metric.kind is Kind.COUNTER:
        return [_grouped(shown, f"{path}.rate", "sum", shown.name, scale="60")]
    return [
        _grouped(shown, f"{path}.{found}", add, f"{shown.name} {name}".strip(), scale="0.001")
        for found, add, name in (("median", "average", "p50"), ("upper_95", "max", "p95"))
    ]


def _grouped(shown: Shown, path: str, add: str, name: str, scale: str = "") -> tuple[str, str]:
    """`add` the series of `path` up by the labels that are kept, and name what comes of it."""
    scaled = f"scale({path}, {scale})" if scale else path
    if not shown.by:
        return f"alias({add}Series({scaled}), '{name or shown.metric.statsd_name}')", ""
    first = WORKERS.count(".") + 1 + shown.metric.statsd_name.count(".") + 1
    nodes = ", ".join(str(first + shown.metric.labels.index(label)) for label in shown.by)
    target = f"groupByNodes({scaled}, '{add}', {nodes})"
    return (f"aliasSub({target}, '$', ' {name}')" if name else target), ""


_PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
_GRAPHITE = {"type": "graphite", "uid": "${datasource}"}


def dashboard(kind: str) -> dict[str, Any]:
    """The dashboard for `prometheus` or `graphite`, as Grafana imports it."""
    variables = [{"name": "datasource", "type": "datasource", "query": kind, "label": "Source"}]
    if kind == "graphite":
        prefix = {"name": "prefix", "type": "textbox", "query": "voice_ai", "label": "Prefix"}
        variables.append({**prefix, "current": {"text": "voice_ai", "value": "voice_ai"}})  # type: ignore[dict-item]
    return {
        "uid": f"voice-ai-{kind}",
        "title": f"Voice AI ({kind.title()})",
        "tags": ["voice-ai"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": variables},
        "panels": [_panel(number, panel, kind) for number, panel in enumerate(PANELS)],
    }


def _panel(number: int, panel: Panel, kind: str) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    place = {"x": column * PANEL_WIDTH, "y": row * HEIGHT, "w": PANEL_WIDTH, "h": HEIGHT}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.help,
        "datasource": _PROMETHEUS if kind == "prometheus" else _GRAPHITE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": _targets(panel.shown, kind),
    }


def _targets(shown: Sequence[Shown], kind: str) -> list[dict[str, Any]]:
    if kind == "graphite":
        found = [target for one in shown for target, _ in graphite(one)]
        return [{"refId": chr(65 + n), "target": target} for n, target in enumerate(found)]
    asked = [query for one in shown for query in prometheus(one)]
    return [
        {"refId": chr(65 + n), "expr": expr, "legendFormat": legend or "__auto"}
        for n, (expr, legend) in enumerate(asked)
    ]


FILES = {f"deploy/dashboards/{kind}.json": kind for kind in ("prometheus", "graphite")}


def text(name: str) -> str:
    """The whole text of one file of `FILES`."""
    return json.dumps(dashboard(FILES[name]), indent=2) + "\n"
