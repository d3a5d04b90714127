"""`config check` on a tenant: what a call would meet, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esl_controller.database.repository.demo import DemoProvider, DemoTenant
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase
from tests.integration.speech_process import speech_process


@pytest.fixture
def site(database: TestDatabase, tmp_path: Path) -> dict[str, str]:
    """The environment of commands that work on the test's database."""
    return {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
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
    assert why == f"{used_up}; the domain has no low-cost provider that can be used"
    closed = changed(secretary, "business_hours = '{}', closed_extension = '1002'")
    assert closed == ("closed", "outside the secretary's hours (UTC)", "1002")


def test_config_check_tries_what_calls_ask_of_the_speech_process(
    database: TestDatabase, site: dict[str, str], tmp_path: Path
) -> None:
    here = {"base_url": "http://127.0.0.1:1/v1", "model": "m", "realtime_provider": "custom"}
    settings = {"stt_url": "ws://127.0.0.1:1", "tts": "tones"}
    tenant = database.seed(provider=DemoProvider(provider_settings=settings, **here))
    answer, code = config_check(tenant, "--extension", "8000", **site)
    assert (code, answer["outcome"]) == (0, "realtime")
    assert "no speech process: ENOENT" in answer["warnings"][-1]
    findings = json.loads(run("doctor", "--json", **site).stdout)["findings"]
    found = {finding["check"]: finding["state"] for finding in findings}
    assert found["speech process"] == "warning"
    with speech_process(tmp_path):
        assert config_check(tenant, "--extension", "8000", **site)[0]["warnings"] == []
        findings = json.loads(run("doctor", "--json", **site).stdout)["findings"]
        found = {finding["check"]: finding["state"] for finding in findings}
        assert found["speech process"] == "ok"
        assert {"voices", "local hearing"} <= found.keys()


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
    assert code == 1
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
        1,
        ["provider 'demo': credential: key file openai: No such file or directory"],
    )
    path.write_text("sk-of-the-operator\n")
    answer, code = config_check(tenant, "--extension", "8000", **site)
    assert (code, answer["outcome"]) == (0, "realtime")
    assert "sk-of-the-operator" not in str(answer)
    elsewhere = {**site, "VOICE_AI_STORAGE_KEY_DIR": str(tmp_path / "other")}
    assert config_check(tenant, "--extension", "8000", **elsewhere)[1] == 1


def test_a_key_variable_the_operator_allows_is_used(
    database: TestDatabase, site: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = database.seed(provider=DemoProvider(credential="env:AZURE_KEY"))
    monkeypatch.setenv("AZURE_KEY", "sk-of-the-operator")
    assert config_check(tenant, "--extension", "8000", **site)[1] == 1
    allowing = {**site, "VOICE_AI_PROVIDER_KEY_VARIABLES": "OPENAI_API_KEY, AZURE_KEY"}
    assert config_check(tenant, "--extension", "8000", **allowing)[1] == 0


def test_a_tenant_may_be_named_and_one_that_is_not_there_is_an_error(
    database: TestDatabase, site: dict[str, str]
) -> None:
    tenant = database.seed(provider=DemoProvider(base_url="ws://127.0.0.1:1/"), name="pbx.example")
    by_name = run("config", "check", "--json", "--domain", "PBX.example", **site)
    assert (by_name.exit_code, json.loads(by_name.stdout)[0]["extension"]) == (0, "8000")
    for unknown in ("nobody.example", tenant.domain_uuid[:-4] + "0000"):
        result = run("config", "check", "--domain", unknown, **site)
        assert result.exit_code == 1
        assert f"there is no domain {unknown}" in result.stderr


def test_everything_doubtful_is_told_and_the_number_answered(
    database: TestDatabase, site: dict[str, str]
) -> None:
    tenant = database.seed(
        provider=DemoProvider(credential="env:OPENAI_API_KEY"),
        voice_id="marina",
        provider_config={"temperatura": 1.2},
        voice_settings={"spped": 1.2},
        language="pt_BR",
        rag_collection_id="22222222-2222-2222-2222-222222222222",
    )
    answer, code = config_check(tenant, "--extension", "8000", OPENAI_API_KEY="sk-x", **site)
    assert (code, answer["outcome"], answer["problems"]) == (0, "realtime", [])
    told = "\n".join(answer["warnings"])
    for what in (
        "marina",
        "did you mean marin?",
        "temperatura",
        "spped",
        "pt-BR",
        "rag_collection_id",
    ):
        assert what in told
    assert len(answer["warnings"]) == 5


def test_a_row_s_own_settings_are_checked_as_the_call_will_use_them(
    database: TestDatabase, site: dict[str, str]
) -> None:
    tenant = database.seed(provider=DemoProvider(base_url="ws://127.0.0.1:1/v1/realtime"))
    database.execute(
        "update v_voice_realtime_providers set provider_settings = "
        """'{"turn_detection": "semantic_vad", "speed": "fast", "organisation": "x"}'"""
    )
    answer, code = config_check(tenant, "--extension", "8000", **site)
    assert (code, answer["outcome"], answer["problems"]) == (0, "realtime", [])
    said = "provider 'demo': provider_settings: "
    assert answer["warnings"] == [
        f"{said}'organisation' is no setting of it and is left out",
        f"{said}speed: Expected `float | null`, got `str`; it is left out",
    ]


def test_commands_do_not_make_up_a_database(tmp_path: Path) -> None:
    """An empty one started in its place would answer as if there were no tenant."""
    domain = ("--domain", "11111111-1111-4111-8111-111111111111")
    for command in (
        ("config", "check", *domain),
        ("migrate",),
        ("calls", "--past", *domain),
        ("erase", *domain, "--yes", "5551000"),
        ("serve",),
    ):
        result = run(*command, VOICE_AI_STORAGE_STATE_DIR=str(tmp_path))
        assert result.exit_code == 1, command
        assert "no database is set" in result.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("postgres")] == []


def test_systems_of_a_domain_are_held_against_what_the_operator_allows(
    database: TestDatabase, site: dict[str, str]
) -> None:
    tenant = database.seed(provider=DemoProvider(base_url="ws://127.0.0.1:1/v1/realtime"))
    database.execute(
        """insert into v_voice_realtime_settings (domain_uuid, ticket_url, crm_url, agenda_url,
             webhook_url, embedding_url, embedding_model)
           values (%s, 'https://tickets.example.com/', 'https://10.1.2.3/crm',
             'https://agenda.lan/', 'https://hooks.example.com/x?key=hidden7',
             'https://10.1.2.3/v1', 'm')""",
        tenant.domain_uuid,
    )
    number = ("--extension", "8000")
    allowed = "VOICE_AI_SERVICES_ALLOWED_HOSTS"
    answer, code = config_check(tenant, *number, **site)
    inside = f"is not a public address: {allowed} must name it"
    warnings = [
        f"crm_url: 10.1.2.3 {inside}",
        f"agenda_url: agenda.lan {inside}",
        f"embedding_url: 10.1.2.3 {inside}",
    ]
    assert code == 0
    assert [one for one in answer["warnings"] if allowed in one] == warnings
    answer, _ = config_check(tenant, *number, **site, **{allowed: "*,10.1.2.3,agenda.lan"})
    assert [one for one in answer["warnings"] if allowed in one] == []
    answer, _ = config_check(tenant, *number, **site, **{allowed: "10.1.2.3,agenda.lan"})
    told = [one for one in answer["warnings"] if allowed in one]
    assert told == [
        f"ticket_url: tickets.example.com is not a host of {allowed}",
        f"webhook_url: hooks.example.com is not a host of {allowed}",
    ]
    assert "hidden7" not in str(answer)


def test_shown_settings_hide_a_key_in_an_address() -> None:
    url = "wss://gateway.example/v1/realtime?key=hidden"
    shown = run("config", "show", "--json", VOICE_AI_PROVIDER_BASE_URL=url)
    assert "hidden" not in shown.stdout
    assert json.loads(shown.stdout)["VOICE_AI_PROVIDER_BASE_URL"].startswith(
        "wss://gateway.example"
    )


def test_config_check_knows_elevenlabs(database: TestDatabase, site: dict[str, str]) -> None:
    provider = DemoProvider(
        realtime_provider="elevenlabs",
        base_url="ws://127.0.0.1:1",
        provider_settings={"agent_id": "a1", "agentid": "a2"},
    )
    tenant = database.seed(provider=provider)
    answer, code = config_check(tenant, "--extension", "8000", **site)
    assert (code, answer["outcome"], answer["providers"]) == (0, "realtime", ["demo"])
    assert "'agentid' is no setting of it and is left out; did you mean agent_id?" in str(answer)
    database.execute("update v_voice_realtime_providers set provider_settings = '{}'")
    answer, code = config_check(tenant, "--extension", "8000", **site)
    assert answer["outcome"] != "realtime"
    assert "agent_id: missing" in str(answer)


def test_config_check_of_a_secretary_who_speaks_through_gemini(
    database: TestDatabase, site: dict[str, str]
) -> None:
    provider = DemoProvider(base_url="ws://127.0.0.1:1", realtime_provider="gemini")
    tenant = database.seed(provider=provider, voice_id="Kore")
    number = ("--extension", "8000")
    answer, code = config_check(tenant, *number, **site)
    assert (code, answer["outcome"], answer["providers"]) == (0, "realtime", ["demo"])
    database.execute(
        """update v_voice_realtime_providers set provider_settings = '{"thinking_level": "low"}'
           where domain_uuid = %s""",
        tenant.domain_uuid,
    )
    answer, code = config_check(tenant, *number, **site)
    assert answer["outcome"] == "realtime"
    assert "takes no thinking options; it is left out" in str(answer)
