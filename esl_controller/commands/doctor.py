"""`doctor`: look at everything the service needs and say what to do about what is wrong."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import click

from esl_controller.commands.shared import EXIT_FAILED, Shell, with_shell
from esl_controller.doctor import (
    bundle,
    database,
    doors,
    freeswitch,
    host,
    outside,
    provider,
    speech,
    streams,
)
from esl_controller.doctor.advice_words import LANGUAGES, told
from esl_controller.doctor.finding import Finding, State, failures_told, new_failures
from esl_controller.settings.table import Settings

_COLOURS = {
    State.OK: "green",
    State.NOTE: "cyan",
    State.WARNING: "yellow",
    State.FAILED: "red",
}
Look = Callable[[Settings], Iterable[Finding]]
KNOWN = click.option(
    "--known",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `doctor --json` said before: what failed then is told and does not count.",
)


@click.command()
@click.option("--online", is_flag=True, help="Also connect to the provider's host.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option(
    "--bundle",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write what was found and looked at into this file (tar.gz), without secrets.",
)
@KNOWN
@with_shell
def command(
    shell: Shell, online: bool, language: str, file: Path | None, known: Path | None
) -> None:
    """Find what keeps this host from answering calls.

    Changes nothing, and may be run while calls go on. Exit code 1 if something must be mended.
    What is to be done is told in the language; --bundle makes a file for a support request.
    """
    before = known_failures(shell, known)
    settings = shell.settings()
    found = look_at_everything(shell, settings, online=online)
    findings = [replace(one, advice=told(one.advice, language)) for one in found]
    healthy = all(finding.state is not State.FAILED for finding in findings)
    points = bundle.score(findings)
    if file is not None:
        _write(shell, settings, file, findings)
    shell.result(
        {
            "healthy": healthy,
            "score": points,
            "findings": [finding.as_dict() for finding in findings],
        },
        f"{shown(findings)}\n\nscore {points} of 100",
    )
    tell_new(shell, findings, known, before)
    sys.exit(EXIT_FAILED if new_failures(findings, before) else 0)


def known_failures(shell: Shell, file: Path | None) -> frozenset[str]:
    """What --known names."""
    try:
        return failures_told(file.read_text("utf-8")) if file else frozenset()
    except (OSError, ValueError) as error:
        raise shell.fail(f"--known {file}: {error}") from error


def tell_new(
    shell: Shell, findings: list[Finding], file: Path | None, before: frozenset[str]
) -> None:
    """With --known: which failures count."""
    if file and (new := new_failures(findings, before)):
        shell.say(f"new failures: {', '.join(new)}")


def _write(shell: Shell, settings: Settings, file: Path, findings: list[Finding]) -> None:
    try:
        bundle.write(file, settings, findings, database.tenants_keys(settings))
    except OSError as error:
        raise shell.fail(f"{file} was not written: {error.strerror}") from error
    shell.say(f"{file} was written: read it before you send it.")


def look_at_everything(shell: Shell, settings: Settings, *, online: bool) -> list[Finding]:
    """What is found; `online` also connects to the provider's host."""
    looks: list[tuple[str, Look]] = [
        ("this host", lambda settings: host.look(settings, database.workers_here(settings))),
        ("the database", database.look),
        ("FreeSWITCH", freeswitch.look),
        ("the way between them", streams.look),
        ("doors and secrets", doors.look),
        ("the provider", lambda settings: provider.look(settings, online=online)),
        ("the speech process", speech.look),
        ("what tenants bring", outside.look),
    ]
    findings: list[Finding] = []
    for name, look in looks:
        with shell.step(f"Looking at {name}"):
            findings += look(settings)
    return findings


def shown(findings: list[Finding]) -> str:
    """A finding a line; on a terminal what is longer goes on below itself."""
    width = max(len(finding.check) for finding in findings)
    indent = " " * (width + 11)
    limit = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    room = max(20, limit - len(indent))
    lines = []
    for finding in findings:
        state = click.style(f"{finding.state.value:<8}", fg=_COLOURS[finding.state])
        first, *more = textwrap.wrap(finding.detail, room) or [""]
        lines.append(f"{state} {finding.check:<{width}}  {first}")
        if finding.advice:
            more += textwrap.wrap(f"→ {finding.advice}", room, subsequent_indent="  ")
        lines += [indent + line for line in more]
    return "\n".join(lines)
