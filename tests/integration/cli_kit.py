"""Runs a command as a shell would, with no settings but those given."""

from __future__ import annotations

from click.testing import CliRunner, Result

from bridge.providers.registry import DESCRIPTORS
from esl_controller.cli import cli
from esl_controller.settings.table import every_setting


def key_variables() -> list[str]:
    """The vendors' own."""
    by_field = (names for one in DESCRIPTORS.values() for names in one.key_variables.values())
    return [name for names in by_field for name in names]


def run(*arguments: str, stdin: str = "", **environ: str) -> Result:
    unset = {row.variable: None for row in every_setting()} | dict.fromkeys(key_variables())
    runner = CliRunner(env={**unset, **environ})
    return runner.invoke(cli, arguments, input=stdin, catch_exceptions=False)
