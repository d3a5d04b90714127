"""The `esl-controller` command: a table of commands, each loaded when it is asked for."""

from __future__ import annotations

import importlib
import os
import pwd
from typing import NamedTuple

import click

from esl_controller import __version__
from esl_controller.telemetry.log import for_a_command


class Entry(NamedTuple):
    """Where a command is, and its line in the list of commands."""

    module: str
    help: str


COMMANDS = {
    "serve": Entry("esl_controller.commands.serve", "Answer calls: run one worker."),
    "demo": Entry("esl_controller.commands.demo", "Hold a conversation without a telephone."),
    "setup": Entry("esl_controller.commands.setup", "Prepare this host from FusionPBX's settings."),
    "tenant": Entry("esl_controller.commands.tenant", "Show and change the limits of a domain."),
    "provider": Entry("esl_controller.commands.provider", "Add, change and test providers."),
    "secretary": Entry("esl_controller.commands.secretary", "Add, change and check secretaries."),
    "function": Entry("esl_controller.commands.function", "Add, change and try own functions."),
    "knowledge": Entry("esl_controller.commands.knowledge", "Documents to look things up in."),
    "config": Entry("esl_controller.commands.config", "Check and show the settings."),
    "doctor": Entry("esl_controller.commands.doctor", "Find what keeps this host from answering."),
    "migrate": Entry("esl_controller.commands.migrate", "Bring the database to this version."),
    "database-role": Entry("esl_controller.commands.database_role", "Rights of the workers' role."),
    "calls": Entry("esl_controller.commands.calls", "List the conversations going on."),
    "live": Entry("esl_controller.commands.live", "Listen to calls, steer them, take them over."),
    "originate": Entry("esl_controller.commands.originate", "Let FreeSWITCH call somebody."),
    "outbound": Entry("esl_controller.commands.outbound", "Have the AI call somebody."),
    "errands": Entry("esl_controller.commands.errands", "Webhooks, e-mails, tickets on their way."),
    "test-call": Entry("esl_controller.commands.test_call", "Call a worker with the simulator."),
    "simulate": Entry("esl_controller.commands.simulate", "A tenant's systems, in software."),
    "rehearse": Entry("esl_controller.commands.rehearse", "Hold scenarios before callers come."),
    "keys": Entry("esl_controller.commands.keys", "Seal API keys; change the sealing key."),
    "erase": Entry("esl_controller.commands.erase", "Remove everything about one caller."),
    "health": Entry("esl_controller.commands.health", "Ask a worker how it does."),
    "restart": Entry("esl_controller.commands.restart", "Restart this host's workers in turn."),
    "voices": Entry("esl_controller.commands.voices", "List, fetch and try voices of Piper's."),
    "speech": Entry("esl_controller.commands.speech", "Run the speech process."),
    "watchdog": Entry("esl_controller.commands.watchdog", "Kill workers that hang."),
    "bench": Entry("esl_controller.commands.bench", "Measure providers: delay, our share, CPU."),
    "load": Entry("esl_controller.commands.load", "Call a worker many times at once."),
}


def live_at_home() -> None:
    """Take the home of the user we are where HOME is another's.

    supervisord starts programs of other users with its own HOME, root's. libpq looks there for a
    certificate as soon as the connection is encrypted, and ends at what it may not enter
    (fe-secure-openssl.c, initialize_SSL).
    """
    if not os.access(os.environ.get("HOME", "/"), os.X_OK):
        os.environ["HOME"] = pwd.getpwuid(os.geteuid()).pw_dir


class LazyGroup(click.Group):
    """Imports a command's module only when that command is used.

    Each module has its click command as `command`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name].module).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="esl-controller")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Answer FreeSWITCH calls with a realtime AI.

    Settings come from VOICE_AI_… variables and a TOML file: see `esl-controller config show`.
    """
    live_at_home()
    ctx.call_on_close(for_a_command())
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        ctx.color = False
