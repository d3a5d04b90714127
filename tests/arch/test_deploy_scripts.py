"""The scripts and files of deploy/ are sound: tools of their own say so, and dry runs."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from esl_controller.settings.loader import load_settings
from esl_controller.settings.table import every_setting
from tests.arch.tree import ROOT

DEPLOY = ROOT / "deploy"
SCRIPTS = sorted(
    path
    for path in DEPLOY.iterdir()
    if path.is_file()
    and path.read_bytes().startswith((b"#!/usr/bin/env bash", b"# What the scripts"))
)
RUNNABLE = [path for path in SCRIPTS if path.suffix != ".sh"]
ENV_EXAMPLE = runpy.run_path(str(ROOT / "docs" / "env_example.py"))
TOOLS = Path(sys.executable).parent


def said(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )


def test_there_are_scripts() -> None:
    names = {path.name for path in RUNNABLE}
    assert names >= {"service", "upgrade", "rollback", "audio-module", "start"} | {
        *("database", "nginx", "firewall", "monitoring")
    }


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


def test_the_image_gets_what_the_dockerfile_copies() -> None:
    """.dockerignore keeps everything away but what it names."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    given = {line[1:] for line in lines if line.startswith("!")}
    written = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {name for names in written for name in names.split()[:-1]} == given


def explained() -> dict[str, bool]:
    """Variables of env.example that stand below a comment, and whether they are set there."""
    lines = (DEPLOY / "env.example").read_text("utf-8").splitlines()
    found = {}
    for before, line in zip(["", *lines], lines, strict=False):
        if (name := re.match(r"(#?)([A-Z][A-Z0-9_]+)=", line)) and before.startswith("# "):
            found[name[2]] = not name[1]
    return found


def test_every_variable_of_the_compose_file_is_explained_and_no_other() -> None:
    compose = (DEPLOY / "compose.yaml").read_text("utf-8")
    used = set(re.findall(r"\$\{(\w+)", compose))
    settings = {row.variable for row in every_setting()}
    own = {name for name in explained() if name not in settings}
    assert own == used - settings
    assert used <= {*explained()}


def test_every_setting_may_be_given_in_the_environment_file() -> None:
    """Or is given by compose.yaml, or by the image, and the file says so."""
    text = (DEPLOY / "env.example").read_text("utf-8")
    given = (DEPLOY / "compose.yaml").read_text("utf-8") + (ROOT / "Dockerfile").read_text("utf-8")
    elsewhere = set(re.findall(r"^# (VOICE_AI_\w+) is set by ", text, re.MULTILINE))
    settings = {row.variable for row in every_setting()}
    assert {n for n in explained() if n.startswith("VOICE_AI_")} | elsewhere == settings
    assert all(re.search(rf"{name}[:=]", given) for name in elsewhere)
    passed = set(re.findall(r"^\s+(VOICE_AI_\w+):", given, re.MULTILINE))
    assert passed <= elsewhere


def test_the_environment_file_is_fresh_and_its_settings_are_good(tmp_path: Path) -> None:
    text = (DEPLOY / "env.example").read_text("utf-8")
    assert text == ENV_EXAMPLE["text"](), "run `make docs`"
    lines = [line for line in text.splitlines() if line.startswith("VOICE_AI_")]
    environ = dict(line.split("=", 1) for line in lines)
    assert load_settings(environ).database.dsn.reveal().startswith("postgresql://")
    every = re.findall(r"^#(VOICE_AI_\w+)=(.*)$", text, re.MULTILINE)
    load_settings(dict(every))  # a default may be written out


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


@pytest.mark.parametrize(
    ("script", "arguments", "said_"),
    [
        ("nginx", ("--name", "voice.example.com", "--own-ca"), "would write /etc/nginx/conf.d"),
        ("database", (), "would keep the present connection in /etc/voice-ai/owner.dsn"),
        ("monitoring", (), "would write /etc/prometheus/prometheus.yml"),
        ("firewall", ("--apply",), "would write /etc/nftables.d/voice-ai.nft"),
        ("firewall", ("--freeswitch", "10.0.0.2"), "ip saddr 10.0.0.2 tcp dport 8084 accept"),
    ],
)
def test_a_dry_run_says_what_would_be_done(
    script: str, arguments: tuple[str, ...], said_: str
) -> None:
    dry = () if script == "firewall" and "--apply" not in arguments else ("--dry-run",)
    told = said(DEPLOY / script, *arguments, *dry)
    assert told.returncode == 0, told.stderr
    assert said_ in told.stdout


@pytest.mark.parametrize(
    ("script", "arguments", "why"),
    [
        ("nginx", (), "--name is missing"),
        ("nginx", ("--name", "10.0.0.1", "--own-ca"), "--name is missing, or no name"),
        ("nginx", ("--name", "a.example"), "--certificate and --key are needed"),
        ("nginx", ("--name", "a.example", "--freeswitch", "all; }"), "is no address"),
        ("firewall", ("--workers", "10.0.0.1 accept"), "is no address or network"),
        ("monitoring", ("--target", "x"), "is no HOST:PORT"),
        ("database", ("--ca", "x"), "--ca needs --host"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_done(
    script: str, arguments: tuple[str, ...], why: str
) -> None:
    told = said(DEPLOY / script, *arguments, "--dry-run")
    assert told.returncode == 1
    assert why in told.stderr


def test_a_dry_run_of_the_service_does_nothing() -> None:
    before = sorted(Path("/opt").iterdir())
    told = said(DEPLOY / "service", "--dry-run", "--service", "none")
    assert told.returncode == 0, told.stderr
    assert "would run: ln --symbolic" in told.stdout
    assert sorted(Path("/opt").iterdir()) == before
