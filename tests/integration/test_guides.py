"""What the guides tell operators to type does what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from esl_controller.cli import cli
from esl_controller.settings.loader import load_settings
from esl_controller.settings.table import every_setting
from tests.arch.tree import ROOT
from tests.integration.db_fixtures import TestDatabase

GUIDES = [ROOT / "docs/operations.md", ROOT / "docs/pt-BR/operacao.md"]


def example(path: Path, language: str) -> str:
    """The only block of a language in a guide."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    return str(block)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_the_secretary_of_the_guide_answers(
    guide: Path, database: TestDatabase, tmp_path: Path
) -> None:
    tenant = database.seed(extension="9999", name="pbx.example.com")
    database.execute("delete from v_voice_realtime_providers")
    database.execute(example(guide, "sql"))
    unset = {row.variable: None for row in every_setting()}
    environ = {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "VOICE_AI_PROVIDER_API_KEY": "key",
    }
    result = CliRunner(env={**unset, **environ}).invoke(
        cli,
        ["config", "check", "--json", "--domain", tenant.domain_uuid, "--extension", "8000"],
    )
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["outcome"]) == (0, "realtime")
    assert (answer["providers"], answer["warnings"]) == (["openai"], [])


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_the_settings_file_of_the_guide_is_good(guide: Path, tmp_path: Path) -> None:
    for name in ("openai.key", "admin.token"):
        (tmp_path / name).write_text("0123456789abcdef")
    file = tmp_path / "voice-ai.toml"
    file.write_text(example(guide, "toml").replace("/etc/voice-ai", str(tmp_path)))
    settings = load_settings({}, file)
    assert settings.provider.api_key.reveal() == "0123456789abcdef"
    assert settings.storage.state_dir == "/var/lib/voice-ai"


@pytest.mark.parametrize("guide", [*GUIDES, ROOT / "README.md", ROOT / "docs/pt-BR/README.md"])
def test_the_dialplan_of_the_guide_is_one_extension(guide: Path) -> None:
    block = example(guide, "xml")
    assert re.match(r"<extension .*</extension>\s*\Z", block, re.DOTALL)
    assert 'application="socket" data="127.0.0.1:8084 async full"' in block
    assert block.index("socket") < block.index("transfer")
