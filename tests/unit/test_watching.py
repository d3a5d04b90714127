"""Dashboards ask for metrics that exist; each alert has its tests and its entry in the runbook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from esl_controller.telemetry.catalogue import METRICS, Kind
from tests.arch.test_docs import GENERATOR
from tests.arch.tree import ROOT

ALERTS = ROOT / "deploy" / "alerts"
RULES = yaml.safe_load((ALERTS / "voice-ai.rules.yml").read_text())["groups"][0]["rules"]
NAMES = [rule["alert"] for rule in RULES]


def series() -> set[str]:
    """Names Prometheus has of the catalogue's metrics."""
    ends = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
    return {metric.name + end for metric in METRICS for end in ends.get(metric.kind, ("",))}


@pytest.mark.parametrize("name", ["graphite", "prometheus"])
def test_grafana_s_own_types_hold_all_of_a_dashboard(name: str) -> None:
    """A field they do not know would be dropped, and Grafana would not show what it says."""
    written = json.loads((ROOT / "deploy" / "dashboards" / f"{name}.json").read_text())
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))

    def kept(ours: object, theirs: object) -> object:
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return {key: kept(value, theirs.get(key)) for key, value in ours.items()}
        if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
            return [kept(mine, other) for mine, other in zip(ours, theirs, strict=True)]
        return theirs

    assert kept(written, read) == written


def test_dashboards_are_fresh() -> None:
    for name in GENERATOR.dashboards.FILES:
        assert (ROOT / name).read_text() == GENERATOR.dashboards.text(name), "run `make docs`"


@pytest.mark.parametrize("text", ["dashboards/prometheus.json", "alerts/voice-ai.rules.yml"])
def test_every_metric_in_a_query_is_in_the_catalogue(text: str) -> None:
    asked = re.findall(r"voice_ai_realtime_\w+", (ROOT / "deploy" / text).read_text())
    assert set(asked) - series() == set()
    assert len(set(asked)) > 15


def test_graphite_asks_for_names_that_statsd_is_given() -> None:
    known = {metric.statsd_name for metric in METRICS}
    panels = json.loads((ROOT / "deploy/dashboards/graphite.json").read_text())["panels"]
    asked = [target["target"] for panel in panels for target in panel["targets"]]
    assert {re.search(r"\$prefix\.\*\.\*\.(\w+)", one)[1] for one in asked} <= known  # type: ignore[index]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_an_alert_says_what_and_leads_to_its_entry(rule: dict) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^## (\w+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in [heading.lower() for heading in headings]
    assert anchor == rule["alert"].lower()
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in {"warning", "critical"}


def test_each_fires_once_and_stays_quiet_once() -> None:
    tests = yaml.safe_load((ALERTS / "voice-ai.tests.yml").read_text())["tests"]
    assert [test["name"] for test in tests] == [
        f"{name} {what}" for name in NAMES for what in ("fires", "stays quiet")
    ]
    for test in tests:
        (case,) = test["alert_rule_test"]
        assert bool(case["exp_alerts"]) is test["name"].endswith("fires")


@pytest.mark.stack
@pytest.mark.parametrize(
    "command",
    [
        ("promtool", "check", "rules", "voice-ai.rules.yml"),
        ("promtool", "test", "rules", "voice-ai.tests.yml"),
        ("amtool", "check-config", "alertmanager.example.yml"),
    ],
    ids=" ".join,
)
def test_by_the_programs_themselves(command: tuple[str, ...]) -> None:
    assert shutil.which(command[0])
    done = subprocess.run(command, cwd=ALERTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_runbook_has_no_entry_without_an_alert() -> None:
    text = Path(ROOT / "docs" / "runbook.md").read_text()
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == NAMES
    for word in ("Callers hear:", "Look here:", "Do this:"):
        assert text.count(word) == len(NAMES)
