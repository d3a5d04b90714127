"""The scripts and files of deploy/ are sound: tools of their own say so, and dry runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.arch.tree import ROOT

DEPLOY = ROOT / "deploy"
SCRIPTS = sorted(
    path
    for path in DEPLOY.iterdir()
    if path.is_file()
    and path.read_bytes().startswith((b"#!/usr/bin/env bash", b"# What the scripts"))
)
RUNNABLE = [path for path in SCRIPTS if path.suffix != ".sh"]
TOOLS = Path(sys.executable).parent


def said(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )


def test_there_are_scripts() -> None:
    names = {path.name for path in RUNNABLE}
    assert names >= {"service", "upgrade", "rollback", "audio-module", "start"}


def test_shellcheck_has_no_objection() -> None:
    told = said(TOOLS / "shellcheck", "--external-sources", *SCRIPTS, ROOT / ".ci" / "run")
    assert told.returncode == 0, told.stdout


def test_hadolint_has_no_objection() -> None:
    told = said(TOOLS / "hadolint", ROOT / "Dockerfile")
    assert told.returncode == 0, told.stdout


def test_the_compose_file_is_one() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    told = said(TOOLS / "check-jsonschema", *schema, DEPLOY / "compose.yaml")
    assert told.returncode == 0, told.stdout


def test_every_variable_of_the_compose_file_is_explained_and_no_other() -> None:
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text("utf-8")))
    lines = (DEPLOY / "env.example").read_text("utf-8").splitlines()
    explained = {
        line.partition("=")[0]
        for before, line in zip(["", *lines], lines, strict=False)
        if "=" in line and before.startswith("# ")
    }
    assert explained == used


@pytest.mark.parametrize("path", RUNNABLE, ids=lambda path: path.name)
def test_a_script_explains_itself_and_refuses_what_it_does_not_know(path: Path) -> None:
    told = said(path, "--help")
    assert told.returncode == 0
    assert f"deploy/{path.name}" in told.stdout
    offered = set(re.findall(r"--[a-z-]+", told.stdout))
    taken = set(re.findall(r"^\t(--[a-z-]+(?: \| --[a-z-]+)*)\)", path.read_text("utf-8"), re.M))
    assert {word for words in taken for word in words.split(" | ")} <= offered
    wrong = said(path, "--nonsense")
    assert wrong.returncode == 1
    assert "unknown option --nonsense" in wrong.stderr


def test_a_dry_run_of_the_service_does_nothing() -> None:
    before = sorted(Path("/opt").iterdir())
    told = said(DEPLOY / "service", "--dry-run", "--service", "none")
    assert told.returncode == 0, told.stderr
    assert "would run: ln --symbolic" in told.stdout
    assert sorted(Path("/opt").iterdir()) == before
