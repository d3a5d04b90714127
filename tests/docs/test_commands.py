"""Every command in the pages exists as it is written."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import click
import pytest

from esl_controller.cli import cli
from tests.docs import judges, pages, shell
from tests.docs.pages import GUIDES, ROOT
from tests.docs.shell import Command

GROUPS = {
    name
    for name in cli.list_commands(click.Context(cli))
    if isinstance(cli.get_command(click.Context(cli), name), click.Group)
}
"""Their subcommands the pages may name without the program's name, such as `secretary check`."""


def wrong(command: Command, place: Path) -> str | None:
    judges.filled(command.words, place)  # files that click wants to see
    return judges.judge(command)


@pytest.mark.parametrize("path", GUIDES, ids=pages.name)
def test_commands_in_blocks_exist(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = [each for line in shell.lines(path) for each in shell.commands(line)]
    assert [(each.line, why) for each in found if (why := wrong(each, tmp_path))] == []


def is_judged(program: str) -> bool:
    return program.rpartition("/")[2] in judges.JUDGES


@cache
def findings() -> str:
    return "".join(file.read_text() for file in (ROOT / "esl_controller/doctor").glob("*.py"))


def is_finding(span: str) -> bool:
    """A line that `doctor` prints, or words between which the reader is to choose."""
    return "|" in span or f'"{span}"' in findings()


def named(path: Path) -> list[Command]:
    """Commands in running text; what is no command of ours or of a judge's is something else."""
    found = []
    for span in pages.spans(path):
        first, _, rest = span.strip().partition(" ")
        is_script = first.startswith("deploy/") and "." not in first
        if (is_script and not (ROOT / first).is_dir()) or (is_judged(first) and rest):
            found += shell.commands(span)
        elif first in GROUPS and re.match(r"[a-z]+( |$)", rest) and not is_finding(span):
            found += shell.commands(f"esl-controller {span}")
    return found


MADE = {"cli.md", "api.md", "settings.md", "metrics.md", "states.md"}


@pytest.mark.parametrize("path", [path for path in GUIDES if path.name not in MADE], ids=pages.name)
def test_commands_in_the_text_exist(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bad = []
    for command in named(path):
        judges.filled(command.words, tmp_path)
        name = command.words[0].rpartition("/")[2] if command.words else ""
        if name == "esl-controller":
            why = judges.esl_controller(command.words[1:], whole=False)
        else:
            why = judges.judge(command)
        if why:
            bad.append((command.line, why))
    assert bad == []


@pytest.mark.parametrize(
    "line",
    [
        "esl-controller calls explian UUID",
        "esl-controller secretary add 8000 --promt x",
        "sudo -u voice-ai env VOICE_AI_CONFIG=x esl-controller docter",
        "VOICE_AI_MAIL_HOSTS=smtp.example.com",
        "export VOICE_AI_KONFIG=x",
        "make tests",
        "deploy/upgrade --force",
        "deploy/install",
        "python -m bench.turns --call 12",
        "python -m bench.nothing",
        "pytest tests/unit/test_gone.py",
        "pip install 'voice-ai-switch[everything]'",
        "curl http://127.0.0.1:8085/api/v1/domains/UUID/secretary",
        "fs_cli -x 'audio_stream list'",
        "systemctl restart voiceai@0",
        "supervisorctl stop 'voice:*'",
        "cp deploy/alert/rules.yml /etc",
        "frobnicate --all",
    ],
)
def test_a_wrong_command_is_found(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert any(wrong(command, tmp_path) for command in shell.commands(line))
