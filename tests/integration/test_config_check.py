"""`config check` on a tenant: what a call would meet, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esl_controller.database.repository.demo import DemoProvider, DemoTenant
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase


@pytest.fixture
def site(database: TestDatabase, tmp_path: Path) -> dict[str, str]:
    """The environment of commands that work on the test's database."""
    return {
        "VOICE_AI_DATABASE_DSN": database.dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "VOICE_AI_PROVIDER_ALLOWED_HOSTS": "*,127.0.0.1",
    }


def config_check(tenant: DemoTenant, *more: str, **environ: str) -> tuple[Any, int]:
    arguments = ("config", "check", "--json", "--domain", tenant.domain_uuid, *more)
    result = run(*arguments, **environ)
    return json.loads(result.stdout), result.exit_code


def test_config_check_says_what_a_call_would_meet_and_why(
    database: TestDatabase, site: dict[str, str]
) -> None:
    tenant = database.seed(provider=DemoProvider(base_url="ws://127.0.0.1:1/v1/realtime"))
    number = ("--extension", "8000")
    answer, code = config_check(tenant, *number, **site)
    assert (code, answer["outcome"], answer["providers"]) == (0, "realtime", ["demo"])
    answer, code = config_check(tenant, "--extension", "8001", **site)
    assert (code, answer["outcome"]) == (0, "not_ours")

    def changed(table: str, what: str) -> tuple[str, str, str | None]:
        database.execute(f"update {table} set {what} where domain_uuid = %s", tenant.domain_uuid)
        answer, code = config_check(tenant, *number, **site)
        assert code == 0
        return answer["outcome"], answer["why"], answer["destination"]

    settings, secretary = "v_voice_realtime_settings", "v_voice_secretaries_realtime"
    database.execute(f"insert into {settings} (domain_uuid) values (%s)", tenant.domain_uuid)
    full = changed(settings, "max_concurrent_calls = 0")
    assert full == ("overflow", "no place left: limit of the domain reached", None)
    database.execute(
        """insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, extension,
             processing_mode) values (gen_random_uuid(), %s, '8000', 'auto')""",
        tenant.domain_uuid,
    )
    auto = changed(settings, "max_concurrent_calls = 0")
    assert auto == ("turn_based", f"overflow: {full[1]}", None)
    poor = "daily_budget_usd = 0, budget_action = 'human', human_extension = '1001'"
    used_up = "budget of the day used up (0 of 0.00 USD)"
    assert changed(settings, poor) == ("budget", used_up, "1001")
    outcome, why, _ = changed(settings, "budget_action = 'low_cost'")
    assert outcome == "turn_based"
    assert why == f"{used_up}, and the domain has no low-cost provider that can be used"
    closed = changed(secretary, "business_hours = '{}', closed_extension = '1002'")
    assert closed == ("closed", "outside the secretary's hours (UTC)", "1002")


def test_config_check_looks_at_every_number_of_a_tenant(
    database: TestDatabase, site: dict[str, str]
) -> None:
    tenant = database.seed(provider=DemoProvider())  # no key
    database.execute(
        """insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, extension,
             secretary_name) values (gen_random_uuid(), %s, '8001', 'Old one')""",
        tenant.domain_uuid,
    )
    answer, code = config_check(tenant, **site)
    assert code == 2
    assert [(one["extension"], one["outcome"]) for one in answer] == [
        ("8000", "unavailable"),
        ("8001", "turn_based"),
    ]
    assert len(answer[0]["problems"]) == 1
    spoken = run("config", "check", "--domain", tenant.domain_uuid, **site)
    assert "8000: unavailable: the settings are wrong.\n" in spoken.stderr
    assert "wrong: provider 'demo': credential: is missing\n" in spoken.stderr
    assert "secretary: Old one" in spoken.stderr


def test_config_check_wants_the_tenant_of_a_number() -> None:
    assert run("config", "check", "--extension", "8000").exit_code == 2


def test_a_key_file_of_the_operator_is_used(
    database: TestDatabase, site: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "keys" / "openai"
    path.parent.mkdir()
    tenant = database.seed(provider=DemoProvider(credential=f"file:{path}"))
    answer, code = config_check(tenant, "--extension", "8000", **site)
    assert (code, answer["problems"]) == (
        2,
        ["provider 'demo': credential: key file openai: FileNotFoundError"],
    )
    path.write_text("sk-of-the-operator\n")
    answer, code = config_check(tenant, "--extension", "8000", **site)
    assert (code, answer["outcome"]) == (0, "realtime")
    assert "sk-of-the-operator" not in str(answer)
    elsewhere = {**site, "VOICE_AI_STORAGE_KEY_DIR": str(tmp_path / "other")}
    assert config_check(tenant, "--extension", "8000", **elsewhere)[1] == 2


def test_a_key_variable_the_operator_allows_is_used(
    database: TestDatabase, site: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = database.seed(provider=DemoProvider(credential="env:AZURE_KEY"))
    monkeypatch.setenv("AZURE_KEY", "sk-of-the-operator")
    assert config_check(tenant, "--extension", "8000", **site)[1] == 2
    allowing = {**site, "VOICE_AI_PROVIDER_KEY_VARIABLES": "OPENAI_API_KEY, AZURE_KEY"}
    assert config_check(tenant, "--extension", "8000", **allowing)[1] == 0
