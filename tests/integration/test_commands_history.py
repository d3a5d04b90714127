"""`calls`: over all workers, yesterday's, those that failed, and one in full."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result

from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoTenant
from tests.integration.api_rows import NOW, begin, with_everything
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase

Calls = Callable[..., Result]


@pytest.fixture
def tenant(database: TestDatabase) -> DemoTenant:
    return database.seed(name="pbx.example")


@pytest.fixture
def calls(database: TestDatabase) -> Calls:
    return lambda *arguments: run("calls", *arguments, VOICE_AI_DATABASE_DSN=database.workers_dsn)


def found(result: Result) -> list[str]:
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return [row["call_uuid"] for row in rows]


def test_calls_of_every_worker_and_domain(
    calls: Calls, database: TestDatabase, pool: Pool, tenant: DemoTenant
) -> None:
    assert calls().stdout == "No conversations.\n"
    begin(pool, tenant.domain_uuid, "one", worker="host-1:7")
    other = database.seed(name="other.example").domain_uuid
    begin(pool, other, "two", worker="host-2:9", started_at=NOW - timedelta(hours=1))
    begin(pool, other, "over").end()
    assert found(calls("--json")) == ["one", "two"]
    assert found(calls("--domain", "Other.example", "--json")) == ["two"]
    told = calls().stdout
    assert "pbx.example" in told
    assert "domain" not in calls("--domain", "pbx.example").stdout


def test_past_calls_by_what_is_asked_for(calls: Calls, pool: Pool, tenant: DemoTenant) -> None:
    domain = tenant.domain_uuid
    good = begin(pool, domain, "good", secretary_realtime_uuid=tenant.secretary_realtime_uuid)
    good.say("I want an APPOINTMENT, 100%")
    good.end()
    old = begin(pool, domain, "old", caller_id="+551100", started_at=NOW - timedelta(days=3))
    old.end("failed")
    begin(pool, domain, "going on")
    expected = {
        (): ["going on"],
        ("--past",): ["going on", "good", "old"],
        ("--failed",): ["old"],
        ("--outcome", "completed"): ["good"],
        ("--since", "2d"): ["going on", "good"],
        ("--until", "2d"): ["old"],
        ("--caller", "1100"): ["old"],
        ("--caller", "%"): [],
        ("--text", "appointment, 100%"): ["good"],
        ("--text", "a%t"): [],
        ("--secretary", "8000", "--domain", "pbx.example"): ["good"],
        ("--past", "--limit", "1"): None,
    }
    for arguments, wanted in expected.items():
        rows = found(calls(*arguments, "--json"))
        assert len(rows) == 1 if wanted is None else sorted(rows) == wanted, arguments
    assert calls("--past", "--since", "soon").exit_code == 2
    assert "failed" in calls("--failed").stdout


def test_one_call_in_full(calls: Calls, pool: Pool, tenant: DemoTenant) -> None:
    talk = begin(pool, tenant.domain_uuid, "c-1", caller_name="Ana")
    with_everything(talk)
    assert "It is going on." in calls("show", "c-1").stdout
    talk.end("transferred")
    told = calls("show", talk.key, "--domain", "pbx.example").stdout
    for words in (
        "from          +5511999 Ana",
        "to            8001 at pbx.example",
        "00:00.0  agent: Hello.  (400 ms: network 20, model 370, buffer 10)",
        'function lookup_customer({"phone": "+5511999"}): completed',
        "transfer (blind) to 200: completed",
        "outcome       transferred",
        "cost          0.250000 USD",
    ):
        assert words in told, told
    whole = json.loads(calls("show", "c-1", "--json").stdout)
    assert (whole["domain"], len(whole["turns"]), len(whole["usage"])) == ("pbx.example", 1, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--domain", "pbx.exmaple"], "did you mean pbx.example?"),
        (["show", "nobody"], "no conversation nobody"),
        (["show", "x", "--domain", "nowhere"], "there is no domain nowhere"),
    ],
)
def test_what_is_not_there_is_said(
    calls: Calls, tenant: DemoTenant, arguments: list[str], words: str
) -> None:
    result = calls(*arguments)
    assert (result.exit_code, words in result.stderr) == (1, True)


def test_a_secretary_is_of_one_domain(
    calls: Calls, tenant: DemoTenant, database: TestDatabase
) -> None:
    database.seed(name="other.example")
    assert calls("--secretary", "8000").exit_code == 2
    assert calls("--secretary", "8777", "--domain", "pbx.example").exit_code == 1
