"""Every panel of the dashboards shows something, fed by calls through the real programs."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests

from esl_controller.simulator.caller_script import AgentSilent, AgentSpeaking, Step
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.arch.tree import ROOT
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    LONG_TEXT,
    SPEAK,
    Service,
    free_port,
    hang_up_after,
    service,
    wait_for,
)
from tests.integration.watching import graphite, prometheus

pytestmark = pytest.mark.stack

BYE = hang_up_after(AgentSilent(0.5))
TALKS = [Step(AgentSilent(0.35), SPEAK), Step(AgentSpeaking(0.8), SPEAK), BYE]
TALKATIVE = EmulatorConfig(
    script=Script(
        answers=(Answer(LONG_TEXT), Answer("Understood.")),
        caller_lines=("a question", "no, wait"),
    ),
    think_s=0.1,
)
RUNS_A_FUNCTION = EmulatorConfig(
    script=Script(
        answers=(
            Answer("I try.", calls=(ScriptedCall("transfer_call", '{"destination": "nobody"}'),)),
            Answer("Nobody is there."),
        ),
        caller_lines=("a question",),
    ),
    think_s=0.1,
)
RULES = [{"department": "sales", "destination": "1000"}]


def load(site: Service) -> None:
    """Calls that are answered, interrupted, refused, broken and paid for."""
    talkative = site.add_tenant(TALKATIVE)
    functions = site.add_tenant(RUNS_A_FUNCTION, transfer_rules=RULES)
    settings = (
        "insert into v_voice_realtime_settings (domain_uuid, daily_budget_usd) values (%s, 5)"
    )
    site.database.execute(settings, talkative.domain_uuid)
    site.app.config.invalidate(talkative.domain_uuid)
    broken = site.add_tenant(EmulatorConfig(script=BRIEF, faults=Faults(refuse_status=500)))
    closed = site.add_tenant(business_hours="{}")
    calls = [site.call(TALKS, tenant=talkative) for _ in range(3)]
    asks = [Step(AgentSilent(0.35), SPEAK), hang_up_after(AgentSilent(1.0))]
    calls += [site.call(asks, tenant=functions) for _ in range(2)]
    calls += [site.call(tenant=one, actions_after=FALLBACK) for one in (broken, closed)]
    for call in calls:
        call.wait(20)
    site.stored()


def queries(kind: str, field: str) -> dict[str, str]:
    """Panel and target, and what it asks."""
    panels = json.loads((ROOT / f"deploy/dashboards/{kind}.json").read_text())["panels"]
    return {
        f"{panel['title']} {target['refId']}": target[field]
        for panel in panels
        for target in panel["targets"]
    }


def asked(url: str, query: str) -> list[float]:
    reply = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=5).json()
    assert reply["status"] == "success", (query, reply)
    return [float(one["value"][1]) for one in reply["data"]["result"]]


def asked_prometheus(url: str) -> dict[str, list[float]]:
    shown = queries("prometheus", "expr")
    return {
        name: asked(url, query.replace("$__rate_interval", "1m")) for name, query in shown.items()
    }


def asked_graphite(url: str) -> dict[str, list[float]]:
    found = {}
    for name, target in queries("graphite", "target").items():
        ask = {"target": target.replace("$prefix", "voice_ai"), "from": "-2min", "format": "json"}
        reply = requests.get(f"{url}/render", params=ask, timeout=5)
        assert reply.ok, (name, reply.text[-800:])
        points = [value for one in reply.json() for value, _ in one["datapoints"]]
        found[name] = [value for value in points if value is not None]
    return found


def shows_all(ask: Any, url: str) -> dict[str, list[float]]:
    """Until each query has an answer that is a number: the programs take a second or two."""
    until = time.monotonic() + 15
    while True:
        found = ask(url)
        empty = [n for n, values in found.items() if not values or all(map(math.isnan, values))]
        if not empty or time.monotonic() > until:
            assert empty == [], (url, [{name: found[name][:5]} for name in empty[:3]])
            return {
                n: [one for one in values if not math.isnan(one)] for n, values in found.items()
            }
        gevent.sleep(0.5)


def test_every_panel_has_data(database: Any, tmp_path: Path) -> None:
    statsd = free_port()
    to = {"host": "127.0.0.1", "port": statsd}
    with (
        graphite(tmp_path / "graphite", statsd) as web,
        service(database, tmp_path, statsd=to) as site,
        prometheus(tmp_path / "prometheus", site.app.media.address[1]) as url,
    ):
        wait_for(lambda: asked(url, "up"))  # a rate needs a look before what it counts
        load(site)
        told = shows_all(asked_prometheus, url)
        drawn = shows_all(asked_graphite, web)
        rules = requests.get(f"{url}/api/v1/rules", timeout=5).json()["data"]["groups"]
    assert max(told["Calls now and capacity B"]) == max(drawn["Calls now and capacity B"]) == 100
    assert max(told["Calls refused, by reason A"]) > 0 < max(drawn["Calls refused, by reason A"])
    for found in (told, drawn):  # p95 of answers, in seconds by both ways
        assert 0.05 < max(found["Latency of answers B"]) < 5
        assert 0 < max(found["Budgets A"]) < 1
        assert max(found["Cost A"]) > 0
    assert {rule["health"] for group in rules for rule in group["rules"]} <= {"ok", "unknown"}
