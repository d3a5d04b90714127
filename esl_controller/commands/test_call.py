"""`esl-controller test-call`: one simulated caller against a running worker."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import gevent

from esl_controller.commands.load import CODECS
from esl_controller.commands.shared import Shell, with_shell

if TYPE_CHECKING:
    from esl_controller.simulator.caller import Caller
    from esl_controller.simulator.switch.session import Session

ANSWER_S = 20.0


@click.command()
@click.option("--domain", "domain_uuid", required=True, help="domain_uuid of the tenant.")
@click.option("--extension", default="8001", show_default=True, help="Number to dial.")
@click.option("--codec", type=click.Choice(sorted(CODECS)), default="PCMU", show_default=True)
@click.option(
    "--edition",
    default="open",
    show_default=True,
    help="Audio module to imitate: open, binary, json, closed or none.",
)
@click.option(
    "--say",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="WAV the caller says; a recorded voice of the package by default.",
)
@click.option("--seconds", default=20.0, show_default=True, help="Length of the call.")
@click.option("--record", type=click.Path(path_type=Path), help="Stereo WAV: caller left.")
@click.option("--host", default="", help="Worker's Event Socket; the settings' by default.")
@click.option("--port", default=0, help="Its port; the settings' by default.")
@with_shell
def command(shell: Shell, **options: Any) -> None:
    """Call a worker with the simulator and tell what the caller heard."""
    settings = shell.settings()
    controller = (options["host"] or settings.esl.listen_host, options["port"] or settings.esl.port)
    with tempfile.TemporaryDirectory() as directory:
        call, caller = _call(shell, controller, Path(directory), options)
    report = caller.report()
    if options["record"]:
        caller.write_wav(options["record"])
    data = {
        "answered": caller.answered_at is not None,
        "handed_back": call.dialplan_continued,
        "outcome": call.channel.get("voice_ai_outcome"),
        "cause": caller.cause,
        "first_sound_ms": report.first_sound_ms,
        "sound_ms": report.sound_ms,
        "gaps_ms": [gap.length_ms for gap in report.gaps],
        "level_dbfs": report.level_dbfs if report.sound_ms else None,
    }
    shell.result(data, _text(data))
    if not data["answered"] or not report.sound_ms:
        raise click.exceptions.Exit(1)


def _text(data: dict[str, Any]) -> str:
    if data["handed_back"]:
        return f"The worker handed the call back to the dialplan: {data['outcome']}"
    if not data["answered"]:
        return f"Not answered: {data['cause'] or 'no answer in time'}"
    if not data["sound_ms"]:
        return "Answered, but the caller heard nothing."
    return (
        f"Answered; first sound after {data['first_sound_ms']:.0f} ms, "
        f"{data['sound_ms'] / 1000:.1f} s of sound at {data['level_dbfs']:.0f} dBFS, "
        f"{len(data['gaps_ms'])} gaps of over 30 ms; ended {data['cause']}."
    )


def _call(
    shell: Shell, controller: tuple[str, int], directory: Path, options: dict[str, Any]
) -> tuple[Session, Caller]:
    from dataclasses import replace

    from esl_controller.simulator import speech
    from esl_controller.simulator.caller import Caller
    from esl_controller.simulator.caller_script import AgentSilent, Say, Step
    from esl_controller.simulator.switch.channel import ChannelOptions
    from esl_controller.simulator.switch.core import Switch, SwitchConfig
    from esl_controller.simulator.switch.quirks import FAITHFUL, Edition

    codec = CODECS[options["codec"]]
    clip = speech.from_wav(options["say"]) if options["say"] else speech.recording("go_forward")
    caller = Caller([Step(AgentSilent(0.6), Say(clip))], rate_hz=codec.rate_hz)
    quirks = replace(FAITHFUL, edition=Edition[options["edition"].upper()])
    with Switch(SwitchConfig(quirks=quirks, temp_dir=directory)) as switch:
        call = switch.originate_to_controller(
            *controller,
            caller=caller,
            channel=ChannelOptions(
                uuid="",
                domain_uuid=options["domain_uuid"],
                destination_number=options["extension"],
                codec=codec,
            ),
            actions_after=[],
        )
        with shell.step("Calling"):
            if call.answered.wait(ANSWER_S):
                call.ended.wait(options["seconds"])
        caller.hang_up()
        until = time.monotonic() + 5
        while not call.ended.is_set() and time.monotonic() < until:
            gevent.sleep(0.05)
    return call, caller
