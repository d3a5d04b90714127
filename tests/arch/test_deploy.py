"""What supervisors are told fits the program."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from esl_controller.cli import COMMANDS
from esl_controller.commands.systemd_units import Host, systemd_units
from esl_controller.settings.table import Worker, every_setting
from tests.arch.tree import ROOT

SUPERVISORD = ROOT / "supervisord.conf"
UNIT = ROOT / "deploy" / "systemd" / "voice-ai@.service"
SPEECH = UNIT.with_name("voice-ai-speech.service")
DEPLOYMENTS = [SUPERVISORD, UNIT, SPEECH, ROOT / "Dockerfile"]
KNOWN = {row.variable for row in every_setting()} | {"VOICE_AI_CONFIG"}
LAST_WORDS_S = 30


def supervisord() -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    config.read(SUPERVISORD, "utf-8")
    return config


def stop_s() -> dict[str, int]:
    """How long each supervisor waits for a worker to drain."""
    unit = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert unit is not None
    return {
        "supervisord": supervisord().getint("program:voice-ai", "stopwaitsecs"),
        "systemd": int(unit[1]),
    }


@pytest.mark.parametrize("path", DEPLOYMENTS, ids=lambda path: path.name)
def test_settings_and_commands_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    assert set(re.findall(r"\bVOICE_AI_[A-Z0-9_]+[A-Z0-9]\b", text)) <= KNOWN
    used = re.findall(r"^(?:command|ExecStart)=\S*esl-controller (\S+)", text, re.MULTILINE)
    used += re.findall(r'^CMD \["(\S+)"\]|"esl-controller", "(\S+)"\]', text)
    assert {name for found in used for name in ([found] if isinstance(found, str) else found)} <= {
        *COMMANDS,
        "",
    }


def test_the_units_are_those_that_setup_writes() -> None:
    shipped = {path.name: path.read_text("utf-8") for path in UNIT.parent.iterdir()}
    assert shipped == systemd_units(Host()), "run `make docs`"


def test_units_of_other_places_name_them() -> None:
    units = systemd_units(Host(Path("/home/me/a.toml"), Path("/srv/state"), Path("/home/me/x")))
    worker = units["voice-ai@.service"]
    assert "StateDirectory" not in worker
    assert "\nReadWritePaths=/srv/state\n" in worker
    assert "\nProtectHome=read-only\n" in worker


@pytest.mark.parametrize("supervisor", ["supervisord", "systemd"])
def test_nobody_is_killed_while_it_drains(supervisor: str) -> None:
    assert stop_s()[supervisor] >= Worker().drain_deadline_s + LAST_WORDS_S


def test_the_number_of_workers_is_no_secret_of_the_supervisor_s() -> None:
    """The commands read it from the same file as the workers."""
    for path in (SUPERVISORD, UNIT):
        lines = [line for line in path.read_text().splitlines() if line[:1] not in ("#", ";")]
        assert "VOICE_AI_WORKER_COUNT" not in "\n".join(lines)


def test_supervisord_can_be_talked_to_and_nobody_else_may() -> None:
    config = supervisord()
    assert config["unix_http_server"]["chmod"] == "0700"
    assert config["supervisorctl"]["serverurl"] == f"unix://{config['unix_http_server']['file']}"
    assert "rpcinterface:supervisor" in config
    assert not config["supervisord"]["pidfile"].startswith("/tmp")


def test_workers_beat_where_the_watchdog_listens() -> None:
    config = supervisord()
    at = re.search(r'NOTIFY_SOCKET="([^"]+)"', config["program:voice-ai"]["environment"])
    assert at is not None
    assert f"--socket {at[1]}" in config["program:voice-ai-watchdog"]["command"]
