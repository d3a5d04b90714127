"""`setup`: a host prepared from FusionPBX's settings, once; and again without harm."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from psycopg2.extensions import parse_dsn

from esl_controller.settings.loader import load_settings
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase

V_DOMAINS = "create table v_domains (domain_uuid uuid primary key, domain_name text)"
Prepare = Callable[..., Result]


@pytest.fixture
def etc(tmp_path: Path, empty_database: TestDatabase) -> Path:
    """FusionPBX's file, for a database with its domains and nothing of ours."""
    empty_database.execute(V_DOMAINS)
    parts = parse_dsn(empty_database.dsn)
    names = {"host": "host", "user": "username", "dbname": "name"}
    lines = [f"database.0.{names[key]} = {value}" for key, value in parts.items() if key in names]
    path = tmp_path / "fusionpbx/config.conf"
    path.parent.mkdir()
    path.write_text("\n".join(["database.0.type = pgsql", *lines]) + "\n")
    return tmp_path


@pytest.fixture
def prepare(etc: Path) -> Prepare:
    def prepare(*more: str, stdin: str = "") -> Result:
        return run(
            "setup",
            f"--fusionpbx={etc}/fusionpbx/config.conf",
            f"--directory={etc}/voice-ai",
            f"--state-dir={etc}/state",
            "--user=root" if os.geteuid() == 0 else "--user=me",
            f"--service-dir={etc}",
            "--workers=2",
            *more,
            stdin=stdin,
        )

    return prepare


def contents(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_host_is_prepared_once(prepare: Prepare, etc: Path, empty_database: TestDatabase) -> None:
    arguments = ("--non-interactive", "--service=systemd", "--key-stdin")
    result = prepare(*arguments, stdin="sk-of-the-operator\n")
    assert "FreeSWITCH" in result.stdout
    assert result.exit_code == 1, "no FreeSWITCH answers here, which doctor says"
    assert "What to do next:" in result.stdout
    assert "systemctl enable --now voice-ai.target voice-ai@{0..1}" in result.stdout
    settings = load_settings({}, etc / "voice-ai/voice-ai.toml")
    assert settings.provider.api_key.reveal() == "sk-of-the-operator"
    assert len(settings.http.admin_token.reveal()) > 20
    assert settings.worker.count == 2
    assert settings.storage.state_dir == str(etc / "state")
    assert parse_dsn(settings.database.dsn.reveal())["dbname"] == empty_database.name
    for file in ("voice-ai.toml", "admin.token", "provider.key"):
        assert stat.S_IMODE((etc / "voice-ai" / file).stat().st_mode) == 0o600
    unit = (etc / "voice-ai@.service").read_text()
    assert f"Environment=VOICE_AI_CONFIG={etc}/voice-ai/voice-ai.toml\n" in unit
    assert {path.name for path in etc.glob("voice-ai[@.-]*")} >= {
        *("voice-ai@.service", "voice-ai-speech.service", "voice-ai.target")
    }
    applied = empty_database.execute("select to_regclass('v_voice_secretaries_realtime')::text")
    assert applied == [("v_voice_secretaries_realtime",)]
    before = contents(etc)
    again = prepare(*arguments, stdin="sk-another\n")
    assert "kept" in again.stderr
    assert contents(etc) == before


def test_the_pages_of_fusionpbx_get_the_token(prepare: Prepare, etc: Path) -> None:
    root = etc / "www"
    (root / "resources").mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(root / "resources", 33, 33)
    conf = etc / "fusionpbx/config.conf"
    conf.write_text(f"{conf.read_text()}\ndocument.root = {root}\n")
    prepare("--non-interactive", "--service=none")
    place = etc / "voice-ai"
    theirs = place / "pages.token"
    assert theirs.read_text() == (place / "admin.token").read_text()
    status, owner = theirs.stat(), (root / "resources").stat().st_uid
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o400, owner)
    assert stat.S_IMODE(place.stat().st_mode) == 0o751
    # On a host that was prepared by an earlier version.
    theirs.unlink()
    place.chmod(0o750)
    prepare("--non-interactive", "--service=none")
    assert theirs.read_text() == (place / "admin.token").read_text()
    assert stat.S_IMODE(place.stat().st_mode) == 0o751


def test_a_dry_run_does_nothing(prepare: Prepare, etc: Path, empty_database: TestDatabase) -> None:
    before = contents(etc)
    result = prepare("--dry-run", "--service=supervisor", "--json")
    assert result.exit_code == 0
    names = [Path(path).name for path in json.loads(result.stdout)["would_write"]]
    assert names == ["admin.token", "voice-ai.toml", "voice-ai.conf"]
    assert contents(etc) == before
    assert not (etc / "voice-ai").exists()
    assert empty_database.execute("select to_regclass('v_voice_secretaries_realtime')") == [(None,)]


def test_somebody_who_says_no_gets_nothing(prepare: Prepare, etc: Path) -> None:
    assert prepare("--service=none", stdin="n\n").exit_code == 1
    assert not (etc / "voice-ai").exists()


def test_a_database_that_is_not_fusionpbx_s_is_told(
    prepare: Prepare, empty_database: TestDatabase, etc: Path
) -> None:
    empty_database.execute("drop table v_domains")
    result = prepare("--non-interactive", "--service=none")
    assert (result.exit_code, "v_domains is missing" in result.stderr) == (1, True)
    empty_database.execute(V_DOMAINS)
    assert "What to do next" in prepare("--non-interactive", "--service=none").stdout


def test_a_user_that_is_not_there_is_asked_for(prepare: Prepare, etc: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("files are given to another user by root alone")
    result = prepare("--non-interactive", "--user=nobody-of-this-name")
    assert (result.exit_code, "useradd --system" in result.stderr) == (1, True)
    assert not (etc / "voice-ai").exists()


def test_no_fusionpbx_and_no_dsn(tmp_path: Path) -> None:
    result = run("setup", f"--fusionpbx={tmp_path}/none", f"--directory={tmp_path}", "--user=root")
    assert (result.exit_code, "cannot be read" in result.stderr) == (1, True)


def test_the_environment_s_dsn_wins(etc: Path, empty_database: TestDatabase) -> None:
    environ: dict[str, Any] = {"VOICE_AI_DATABASE_DSN": empty_database.dsn}
    run(
        "setup",
        f"--directory={etc}/voice-ai",
        f"--state-dir={etc}/state",
        "--user=root",
        "--service=none",
        "--non-interactive",
        **environ,
    )
    settings = load_settings({}, etc / "voice-ai/voice-ai.toml")
    assert settings.database.dsn.reveal() == empty_database.dsn
