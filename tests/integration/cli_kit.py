"""Runs a command as a shell would, with no settings but those given."""

from __future__ import annotations

from click.testing import CliRunner, Result

from esl_controller.cli import cli
from esl_controller.settings.table import every_setting


def run(*arguments: str, stdin: str = "", **environ: str) -> Result:
    unset = {row.variable: None for row in every_setting()} | {"OPENAI_API_KEY": None}
    runner = CliRunner(env={**unset, **environ})
    return runner.invoke(cli, arguments, input=stdin, catch_exceptions=False)
