"""`esl-controller rehearse`, whole calls: a prompt that transfers, and one that forgets to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from click.testing import CliRunner

from esl_controller.commands import rehearsal_stage, rehearse
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.rehearsal.reading import read_rehearsal
from esl_controller.rehearsal.tenant_cast import StoredTenant, TenantCast
from esl_controller.simulator.switch.sound import read_wav
from esl_controller.tenants.editing import Editor
from esl_controller.tenants.fields import PROVIDER, SECRETARY
from esl_controller.tenants.keys.secrets import SecretKeys, SecretStore
from esl_controller.tenants.source import ConfigSource

SCENARIO = """
[secretary]
system_prompt = "You are brief. {rule}"
first_message = "Hello."
silence_duration_ms = 200
transfer_rules = [{{ department = "sales", destination = "201" }}]
[[scenario]]
name = "{name}"
[[scenario.caller]]
says = "Sales, please."
emulated.told = "connect them to sales"
emulated.says = "One moment."
emulated.calls = [{{ name = "transfer_call", arguments.destination = "sales" }}]
[scenario.expect]
said = "one moment"
calls = [{{ name = "transfer_call", arguments.destination = "sales" }}]
goes_to = "201"
"""


@pytest.mark.parametrize("provider", ["emulator", "emulated-elevenlabs"])
def test_a_prompt_that_forgets_to_transfer_is_found(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    @contextlib.contextmanager
    def ours(*_: object) -> Iterator[str]:
        yield database.dsn

    monkeypatch.setattr(rehearsal_stage, "own_database", ours)
    monkeypatch.setattr(rehearsal_stage, "has_words", lambda: False)
    rules = {"good": "Whoever wants to buy: connect them to sales.", "forgetful": "Be kind."}
    for name, rule in rules.items():
        text = SCENARIO.format(rule=rule, name=name)
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    files = [str(tmp_path / f"{name}.toml") for name in rules]
    options = ["--provider", provider, "--out", str(out), "--json"]
    result = CliRunner().invoke(rehearse.command, [*files, *options])
    assert result.exit_code == 1, result.output
    report = msgspec.json.decode((out / "report.json").read_bytes())
    good, forgetful = report["scenarios"]
    assert good["passed"] and good["went_to"] == ["201"], good
    assert [one["status"] for one in good["calls"]] == ["completed"]
    assert forgetful["failures"] == [
        "the agent did not say 'one moment'",
        'transfer_call({"destination":"sales"}) was not called',
        "the caller went nowhere, not to 201",
    ]
    assert ElementTree.parse(out / "junit.xml").getroot()[1].get("failures") == "1"
    pcm, rate_hz = read_wav(Path(good["recording"]).read_bytes())
    assert len(pcm) > rate_hz and rate_hz == 8000


def test_a_tenants_secretary_is_rehearsed_with_what_the_file_changes(
    database: Any, tmp_path: Path
) -> None:
    rules = [{"department": "sales", "destination": "201"}]
    made = database.seed(
        extension="8001",
        name="pbx.example",
        provider=DemoProvider(base_url="wss://127.0.0.1/v1", model="gpt-realtime"),
        language="pt-BR",
        transfer_rules=rules,
        system_prompt="Old.",
    )
    pool = Pool(database.dsn, size=1)
    editor = Editor(pool, made.domain_uuid)
    row, providers = editor.find(SECRETARY, "8001"), editor.rows(PROVIDER)
    stored = StoredTenant(made.domain_uuid, made.domain_name, row, providers, editor.settings())
    for table in ("secretaries_realtime", "realtime_providers"):
        database.execute(f"delete from v_voice_{table}")
    file = '[secretary]\nsystem_prompt = "New."\n[[scenario]]\nname = "one"'
    rehearsal = read_rehearsal(file, "file.toml", stored.secretary)
    cast = TenantCast(pool, stored)
    cast.copy()
    with cast.player(rehearsal, rehearsal.scenarios[0]) as player:
        source = ConfigSource(pool, SecretStore(SecretKeys.load_or_create(tmp_path / "key")))
        entry = source.load(player.domain_uuid, player.extension)
    pool.close()
    assert isinstance(entry, RouteEntry) and rehearsal.language == "pt-BR"
    assert (entry.domain_uuid, entry.secretary.system_prompt) == (made.domain_uuid, "New.")
    assert entry.secretary.transfer_rules[0]["destination"] == "201"
    assert entry.providers[0].config.model == "gpt-realtime" and not cast.needs_speech
