"""The command line: quick to start, settings and errors told well, signs of life."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import gevent
import pytest
from click.testing import CliRunner, Result

from esl_controller import __version__
from esl_controller.cli import COMMANDS, cli, live_at_home
from esl_controller.commands import calls, doctor, shared
from esl_controller.commands.moments import moment
from esl_controller.commands.shared import Shell
from esl_controller.doctor.finding import note, ok
from esl_controller.settings.table import every_setting
from tests.integration.simulator_replay import PATIENCE_S

WRONG = {"VOICE_AI_ESL_PORT": "no", "VOICE_AI_MEDIA_BUFFER_MS": "7"}


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner(env=environ).invoke(cli, arguments, catch_exceptions=False)


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in every_setting():
        monkeypatch.delenv(row.variable, raising=False)


def test_help_lists_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.output
        assert entry.help.rstrip(".") in result.output


def test_help_loads_no_command() -> None:
    script = (
        "import sys; sys.argv = ['esl-controller', '--help']\n"
        "from esl_controller.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "loaded = [n for n in sys.modules if n.startswith('esl_controller.commands')]\n"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(name: str) -> None:
    assert importlib.util.find_spec(COMMANDS[name].module)
    result = run(name, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 80


def test_an_unknown_command_is_refused() -> None:
    assert run("dance").exit_code == 2


def test_the_version_is_told() -> None:
    assert run("--version").output == f"esl-controller, version {__version__}\n"


def test_config_check_accepts_good_settings() -> None:
    good, prices = run("config", "check").output.splitlines()
    assert (good, prices) == ("The settings are good.", "Prices: built in, of 2026-08-01.")
    assert json.loads(run("config", "check", "--json").output) == {
        "problems": [],
        "prices": {"file": None, "entries": 0},
    }


def test_config_check_tells_which_prices_are_used_and_what_is_wrong_with_them(
    tmp_path: Path,
) -> None:
    file = tmp_path / "prices.json"
    entry = {"provider": "openai", "model": "gpt-realtime-2.1", "since": "2026-11-01"}
    environ = {"VOICE_AI_STORAGE_PRICE_FILE": str(file)}
    file.write_text(json.dumps([entry]))
    prices = f"Prices: {file} (1 entries), over those built in, of 2026-08-01."
    assert prices in run("config", "check", **environ).output
    told = json.loads(run("config", "check", "--json", **environ).output)["prices"]
    assert told == {"file": str(file), "entries": 1}
    file.write_text(json.dumps([entry, {**entry, "since": "soon", "audio_output": -1}]))
    result = run("config", "check", **environ, **WRONG)
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert f"  {file}, entry 2, since = 'soon': allowed is a day written as 2026-08-01" in lines
    assert any(line.startswith(f"  {file}, entry 2, audio_output = -1: ") for line in lines)
    assert all(name in result.stderr for name in WRONG)


def test_config_check_tells_every_problem_and_exits_with_2() -> None:
    result = run("config", "check", **WRONG)
    assert result.exit_code == 2
    assert all(name in result.stderr for name in WRONG)


def test_config_check_tells_problems_to_scripts() -> None:
    result = run("config", "check", "--json", **WRONG)
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    assert [problem["name"] for problem in problems] == list(WRONG)
    assert problems[0] == {
        "name": "VOICE_AI_ESL_PORT",
        "value": "'no'",
        "allowed": "a whole number from 0 to 65535",
        "said": "",
    }


@pytest.mark.parametrize("name", ["doctor", "migrate", "calls"])
def test_every_command_refuses_wrong_settings(name: str) -> None:
    assert run(name, **WRONG).exit_code == 2


def test_config_show_reads_the_file_and_masks_secrets(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[esl]\nport = 9000\n[freeswitch]\npassword = "pass-word"\n')
    shown = json.loads(run("config", "show", "--json", "--config", str(file)).output)
    assert shown["VOICE_AI_ESL_PORT"] == 9000
    assert shown["VOICE_AI_FREESWITCH_PASSWORD"] == "(set)"
    assert shown["VOICE_AI_HTTP_ADMIN_TOKEN"] == "(empty)"
    assert "pass-word" not in run("config", "show", "--config", str(file)).output


def test_a_slow_step_shows_that_it_is_alive(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "QUIET_S", 0.0)
    shown = ""
    with gevent.Timeout(PATIENCE_S), Shell(None, as_json=False).step("Working"):
        while "Working … " not in shown:
            gevent.sleep(0.01)
            shown += capsys.readouterr().err


def test_a_quick_step_and_json_show_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Shell(None, as_json=False).step("Working"):
        gevent.sleep(0)
    monkeypatch.setattr(shared, "QUIET_S", 0.0)
    with Shell(None, as_json=True).step("Working"):
        gevent.sleep(0.01)
    assert capsys.readouterr() == ("", "")


def test_a_failed_step_leaves_no_greenlet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "QUIET_S", 0.0)
    spawned: list[gevent.Greenlet] = []
    spawn = gevent.spawn
    monkeypatch.setattr(gevent, "spawn", lambda *a: spawned.append(spawn(*a)) or spawned[-1])
    with pytest.raises(ValueError, match="x"), Shell(None, as_json=False).step("Working"):
        raise ValueError("x")
    assert spawned[0].dead


def test_nothing_is_coloured_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def colour() -> bool | None:
        context = click.Context(cli)
        with context:
            assert cli.callback is not None
            cli.callback()
        return click.Context(cli, parent=context).color

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colour() is None  # by whether it is a terminal
    monkeypatch.setenv("NO_COLOR", "1")
    assert colour() is False


def test_a_step_that_was_shown_is_wiped_from_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "QUIET_S", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Shell(None, as_json=False).step("Working"):
        gevent.sleep(0.01)
    told = capsys.readouterr().err
    assert "Working … " in told
    assert told.endswith("\r\033[K")


def test_doctors_table_keeps_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [note("check", "word " * 40, "advice " * 40), ok("another check", "short")]
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    lines = click.unstyle(doctor.shown(findings)).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[-1] == "ok       another check  short"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert len(doctor.shown(findings).splitlines()) == 3


def test_moments_are_shown_in_local_time() -> None:
    at = datetime(2026, 11, 29, 11, 6, 41, 707321, tzinfo=UTC)
    assert calls._local(at) == at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", "2026-11-29T14:30:05-03:00"),
        ("today", "2026-11-29T00:00:00-03:00"),
        ("Yesterday", "2026-11-28T00:00:00-03:00"),
        ("2h", "2026-11-29T12:30:05-03:00"),
        ("7d", "2026-11-22T14:30:05-03:00"),
        ("09:15", "2026-11-29T09:15:00-03:00"),
        ("2026-11-01", "2026-11-01T00:00:00-03:00"),
        ("2026-11-01 10:00", "2026-11-01T10:00:00-03:00"),
        ("2026-11-01T10:00:00+00:00", "2026-11-01T10:00:00+00:00"),
    ],
)
def test_times_as_people_type_them(text: str, meant: str) -> None:
    now = datetime.fromisoformat("2026-11-29T14:30:05-03:00")
    assert moment(text, now).isoformat() == meant


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "9999999h", "-1h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        moment(text, datetime.now(UTC))


def test_a_home_of_somebody_else_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    live_at_home()
    assert os.environ["HOME"] == str(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "closed"))
    live_at_home()
    assert os.environ["HOME"] == pwd.getpwuid(os.geteuid()).pw_dir
