"""`esl-controller test-call`: one simulated caller against a running worker."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import gevent

from esl_controller.commands.aftermath import Stored, look_up
from esl_controller.commands.shared import EXIT_FAILED, Shell, with_database
from esl_controller.commands.simulated import (
    CODECS,
    ask_for_faults,
    controller,
    domain_of,
    nobody_there,
    own_seed,
    settings_of_the_worker,
    simulated,
)
from esl_controller.settings.table import Settings

if TYPE_CHECKING:
    from esl_controller.simulator.caller import Caller
    from esl_controller.simulator.speech import Clip
    from esl_controller.simulator.switch.session import Session

ANSWER_S = 20.0


@click.command()
@click.option(
    "--say",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="WAV the caller says; a recorded voice of the package by default.",
)
@click.option(
    "--seconds",
    default=20.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    help="Longest time after the answer; then the caller hangs up.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Stereo WAV to write: caller left, what the caller heard right.",
)
@simulated
@with_database
def command(shell: Shell, **options: Any) -> None:
    """Call a worker with the simulator and tell what the caller heard.

    Exit code 1 if the caller was not served: not answered, nothing heard, or handed back or sent
    on because the AI could not take the call.
    """
    clip = _clip(shell, options["say"])
    _require_writable(shell, options["record"])
    with settings_of_the_worker(shell) as settings:
        data = _called(shell, settings, clip, options)
    shell.result(data, _text(data))
    if not data["passed"]:
        raise click.exceptions.Exit(EXIT_FAILED)


def _called(
    shell: Shell, settings: Settings, clip: Clip, options: dict[str, Any]
) -> dict[str, Any]:
    """Make the call, and say how it went."""
    address = controller(settings, options)
    options["domain_uuid"] = domain_of(shell, settings, options["domain"])
    ask_for_faults(shell, options["emulator"], options["faults"])
    with tempfile.TemporaryDirectory() as directory:
        call, caller = _call(shell, address, Path(directory), clip, options)
    if call.unreachable:
        raise shell.fail(nobody_there(address, call.unreachable))
    with shell.step("Waiting for what is stored"):
        stored = look_up(settings, options["domain_uuid"], call.uuid)
    data = _data(call, caller, stored)
    return {**data, "recording": _record(shell, caller, options["record"])}


def _data(call: Session, caller: Caller, stored: Stored | None) -> dict[str, Any]:
    from esl_controller.simulator.verdict import Seen, why_not_served

    report = caller.report()
    seen = Seen(
        answered=caller.answered_at is not None,
        heard=bool(report.sound_ms),
        handed_back=call.dialplan_continued,
        sent_to=call.sent_to,
        outcome=call.channel.get("voice_ai_outcome") or "",
        cause=caller.cause,
    )
    why = why_not_served(seen, stored.reason if stored else "")
    return {
        "passed": not why,
        "reasons": [why] if why else [],
        "call_uuid": call.uuid,
        "answered": seen.answered,
        "handed_back": seen.handed_back,
        "sent_to": seen.sent_to or None,
        "outcome": seen.outcome or None,
        "cause": caller.cause,
        "first_sound_ms": report.first_sound_ms,
        "sound_ms": report.sound_ms,
        "gaps_ms": [gap.length_ms for gap in report.gaps],
        "level_dbfs": report.level_dbfs if report.sound_ms else None,
        "transcript": list(stored.transcript) if stored else None,
    }


def _require_writable(shell: Shell, file: Path | None) -> None:
    """A call is not made for a recording that cannot be kept."""
    if file is not None:
        try:
            file.open("ab").close()
        except OSError as error:
            raise shell.fail(f"{file} cannot be written: {error.strerror}") from error


def _clip(shell: Shell, file: Path | None) -> Clip:
    from esl_controller.simulator import speech
    from esl_controller.simulator.switch.sound import InvalidSoundError

    try:
        return speech.from_wav(file) if file else speech.recording("go_forward")
    except (InvalidSoundError, OSError) as error:
        raise shell.fail(f"{file}: {error}") from error


def _record(shell: Shell, caller: Caller, file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        caller.write_wav(file)
    except OSError as error:
        raise shell.fail(f"the call was made, but {file} cannot be written: {error}") from error
    return str(file)


def _text(data: dict[str, Any]) -> str:
    lines = [f"Call {data['call_uuid']}.", *(f"Not served: {why}." for why in data["reasons"])]
    if data["sound_ms"]:
        lines.append(
            f"First sound after {data['first_sound_ms']:.0f} ms, "
            f"{data['sound_ms'] / 1000:.1f} s of sound at {data['level_dbfs']:.0f} dBFS, "
            f"{_gaps(data['gaps_ms'])}; ended {data['cause'] or 'by the caller'}."
        )
    lines += [f"  {line}" for line in data["transcript"] or ()]
    if data["recording"]:
        lines.append(f"The recording is in {data['recording']}.")
    return "\n".join(lines)


def _gaps(lengths_ms: list[float]) -> str:
    if not lengths_ms:
        return "no gaps"
    return f"{len(lengths_ms)} gaps, the longest of {max(lengths_ms):.0f} ms"


def _call(
    shell: Shell, address: tuple[str, int], directory: Path, clip: Clip, options: dict[str, Any]
) -> tuple[Session, Caller]:
    from dataclasses import replace

    from esl_controller.simulator.caller import Caller
    from esl_controller.simulator.caller_script import AgentSilent, Say, Step
    from esl_controller.simulator.switch.channel import ChannelOptions
    from esl_controller.simulator.switch.core import Switch, SwitchConfig
    from esl_controller.simulator.switch.quirks import FAITHFUL, Edition

    codec = CODECS[options["codec"]]
    caller = Caller([Step(AgentSilent(0.6), Say(clip))], rate_hz=codec.rate_hz)
    quirks = replace(FAITHFUL, edition=Edition(options["edition"]))
    with Switch(SwitchConfig(quirks=quirks, seed=own_seed(), temp_dir=directory)) as switch:
        call = switch.originate_to_controller(
            *address,
            caller=caller,
            channel=ChannelOptions(
                uuid="",
                domain_uuid=str(options["domain_uuid"]),
                destination_number=options["extension"],
                codec=codec,
            ),
            actions_after=[],
        )
        with shell.step("Calling"):
            gevent.wait([call.answered, call.ended], timeout=ANSWER_S, count=1)
            if call.answered.is_set():
                call.ended.wait(options["seconds"])
        caller.hang_up()
        until = time.monotonic() + 5
        while not call.ended.is_set() and time.monotonic() < until:
            gevent.sleep(0.05)
    return call, caller
