"""Tenants, providers and secretaries without SQL, by the domain's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.tenants.fields import SECRETARY
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase

KEY = "sk-of-the-tenant"
Do = Callable[..., Result]


@pytest.fixture
def do(database: TestDatabase, tmp_path: Path) -> Do:
    """Run a command on a database with one empty domain."""
    database.execute(
        "insert into v_domains (domain_uuid, domain_name) values (gen_random_uuid(), 'pbx.example')"
    )
    environ = {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "VOICE_AI_PROVIDER_ALLOWED_HOSTS": "127.0.0.1",
    }
    return lambda *arguments, **more: run(*arguments, **(environ | more))


def data(result: Result) -> Any:
    return json.loads(result.stdout)


def test_the_first_hour_without_sql(do: Do, tmp_path: Path) -> None:
    emulator = OpenAIEmulator(EmulatorConfig())
    try:
        added = do("provider", "add", "main", "--base-url", emulator.start(), "--key-stdin",
                   "--domain", "PBX.example", "--json", stdin=f"{KEY}\n")  # fmt: skip
        assert (added.exit_code, data(added)["problems"]) == (0, [])
        assert data(added)["provider"]["key"] == "sealed"
        assert KEY not in added.stdout
        tried = do("provider", "test", "main", "--json")
        assert (tried.exit_code, data(tried)["ok"]) == (0, True)
    finally:
        emulator.stop()
    assert do("provider", "test", "main").exit_code == 1
    prompt, hours = tmp_path / "prompt.txt", tmp_path / "hours.json"
    prompt.write_text("You answer the telephone.\nBe brief.\n")
    hours.write_text('{"mon": [["08:00", "18:00"]]}')
    added = do("secretary", "add", "8000", "--name", "Reception", "--language", "en",
               "--prompt", f"@{prompt}", f"business_hours=@{hours}", "--provider", "main",
               "--voice", "marin", "vad_threshold=0.7")  # fmt: skip
    assert added.stdout.startswith("Reception is stored.\n8000: ")
    assert added.exit_code == 0
    shown = data(do("secretary", "show", "8000", "--json"))
    assert shown["system_prompt"] == "You answer the telephone.\nBe brief."
    assert (shown["voice_id"], shown["business_hours"]) == (
        "marin",
        {"mon": [["08:00", "18:00"]]},
    )
    assert do("secretary", "set", "reception", "--business-hours", "").exit_code == 0
    checked = do("secretary", "check", "--json")
    assert (checked.exit_code, data(checked)[0]["outcome"]) == (0, "realtime")
    limits = do("tenant", "set", "daily_budget_usd=2.50", "--retention-days", "30", "--json")
    assert (data(limits)["daily_budget_usd"], data(limits)["retention_days"]) == ("2.50", 30)
    assert "8000" in do("tenant", "list").stdout


def test_what_a_test_of_a_provider_costs_is_booked(do: Do, database: TestDatabase) -> None:
    """An agent of ElevenLabs is paid for by the second, whether anything is said or not."""
    emulator = ElevenLabsEmulator(AgentConfig())
    try:
        do("provider", "add", "main", "realtime_provider=elevenlabs", "--base-url",
           emulator.start(), 'provider_settings={"agent_id": "agent-1"}',
           "--key-stdin", stdin=f"{KEY}\n")  # fmt: skip
        assert do("provider", "test", "main").exit_code == 0
    finally:
        emulator.stop()
    (provider,) = data(do("provider", "costs", "--json"))["providers"]
    booked = database.execute(
        """select voice_realtime_provider_uuid::text, provider, cost_usd is not null
           from v_voice_usage_realtime"""
    )
    assert booked == [(provider["voice_realtime_provider_uuid"], "elevenlabs", True)]
    assert "main" in do("provider", "costs").stdout


def test_everything_wrong_is_named_at_once(do: Do) -> None:
    result = do("secretary", "add", "8000", "--max-turns", "0", "--vad-mode", "loud", "voce_id=x")
    assert (result.exit_code, result.stdout) == (2, "")
    for name in ("max_turns", "vad_mode", "secretary_name", "did you mean voice_id?"):
        assert name in result.stderr
    typed = ("--name", "Ana", "--barge-in", "perhaps", "--max-turns", "x", "--language", "?")
    told = do("secretary", "add", "8000", *typed, "--json")
    problems = {one["field"]: one["message"] for one in data(told)["problems"]}
    assert (told.exit_code, problems.keys()) == (2, {"barge_in", "max_turns", "language"})
    assert problems["barge_in"] == "is 'perhaps', must be true or false"
    assert do("secretary", "list").stdout == "No secretaries.\n"


def test_a_secretary_without_a_provider_is_stored_and_told(do: Do) -> None:
    result = do("secretary", "add", "8000", "--name", "Reception")
    assert result.exit_code == 2
    assert "is stored" in result.stdout
    assert "wrong: secretary 'Reception': the domain has no enabled provider" in result.stdout


def test_what_is_removed_is_asked_about(do: Do) -> None:
    do("provider", "add", "main", "--key-from", "env:OPENAI_API_KEY")
    do("secretary", "add", "8000", "--name", "Reception", "--provider", "main")
    for what, name in (("provider", "main"), ("secretary", "8000")):
        assert do(what, "remove", name, stdin="n\n").exit_code == 1
        refused = do(what, "remove", name, "--json")
        assert (refused.exit_code, "say --yes" in data(refused)["error"]) == (1, True)
    used = do("provider", "remove", "main", "--yes")
    assert (used.exit_code, "used by Reception" in used.stdout) == (0, True)
    assert do("secretary", "remove", "8000", "--yes").exit_code == 0
    assert data(do("secretary", "list", "--json")) == data(do("provider", "list", "--json")) == []


def test_a_copy_in_another_domain_leaves_the_provider_behind(
    do: Do, database: TestDatabase
) -> None:
    other = database.seed(name="other.example")
    do("provider", "add", "main", "--key-from", "env:OPENAI_API_KEY", "--domain=pbx.example")
    do("secretary", "add", "8000", "--name=One", "--provider=main", "--domain=pbx.example")
    do("secretary", "copy", "8000", "8001", "--to-domain", "other.example", "--domain=pbx.example")
    copied = data(do("secretary", "show", "8001", "--domain", other.domain_uuid, "--json"))
    assert (copied["secretary_name"], copied["voice_realtime_provider_uuid"]) == ("One", None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tenant", "show", "--domain", "pbx.exmaple"], "did you mean pbx.example?"),
        (["tenant", "show", "--domain", "00000000-0000-4000-8000-000000000000"], "no domain"),
        (["secretary", "show", "8777"], "no secretary '8777'"),
        (["provider", "test", "nobody"], "no provider 'nobody'"),
        (["tenant", "add", "new.example"], "domains are made in FusionPBX"),
    ],
)
def test_what_is_not_there_is_said(do: Do, arguments: list[str], words: str) -> None:
    result = do(*arguments)
    assert (result.exit_code, words in result.stderr) == (1, True), result.stderr
    told = do(*arguments, "--json")
    assert words in data(told)["error"]


def test_with_several_domains_one_is_named(do: Do, database: TestDatabase) -> None:
    database.seed(name="other.example")
    result = do("secretary", "list")
    assert (result.exit_code, "name one with --domain" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["secretary", "set", "8000"],
        ["secretary", "set", "8000", "voice"],
        ["tenant", "set"],
        ["provider", "add", "x", "--key-from", KEY],
        ["provider", "add", "x", "--key-from", "env:A", "--key-stdin"],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(do: Do, arguments: list[str]) -> None:
    result = do(*arguments)
    assert result.exit_code == 2
    assert KEY not in result.output


def test_every_column_is_an_option(do: Do) -> None:
    told = do("secretary", "set", "--help").stdout
    for field in SECRETARY.fields():
        if field.name != "voice_realtime_provider_uuid":
            assert f"--{field.name.replace('_', '-')}" in told
    assert "--provider" in told


@pytest.mark.parametrize("name", ["migrate", "calls", "secretary", "keys"])
def test_no_command_starts_a_database_because_a_setting_is_missing(
    name: str, tmp_path: Path
) -> None:
    more = {"calls": ["--past"], "secretary": ["list"], "keys": ["rotate"]}.get(name, [])
    result = run(name, *more, VOICE_AI_STORAGE_STATE_DIR=str(tmp_path))
    assert (result.exit_code, "no database is set" in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_a_tenant_are_sealed_and_never_seen(do: Do, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a-secret-of-the-tenant\n")
    for in_view in ("plain", "@@plain"):
        assert "as @FILE" in do("tenant", "set", "--webhook-secret", in_view).output
        assert "as @FILE" in do("tenant", "set", f"webhook-secret={in_view}").output
    refused = do("tenant", "set", "--webhook-secret", "env:OPENAI_API_KEY")
    assert "goes to no tenant's system" in refused.stderr
    stored = do("tenant", "set", "--webhook-secret", f"@{key}", "--json")
    assert data(stored)["keys"] == {"webhook_secret": "sealed"}
    assert "a-secret" not in stored.stdout + do("tenant", "show").stdout
