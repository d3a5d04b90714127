"""`voices`: what Piper can speak with on this host, and how to have more."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from bridge.speech.trial import Trial, TrialFailed
from esl_controller.commands import known_voices
from esl_controller.commands.shared import EXIT_FAILED, Shell, with_shell
from esl_controller.commands.speech_here import speech_process
from esl_controller.commands.voice_files import (
    MAX_CONFIG_BYTES,
    MAX_MODEL_BYTES,
    Part,
    VoiceFailed,
    fetch,
    installed,
)
from esl_controller.settings.table import Settings

WORDS = {"pt": "Bom dia.", "es": "Buenos días.", "fr": "Bonjour.", "de": "Guten Morgen."}
ENGLISH = "Good morning."
RATE_HZ = 8000
LOUD = 1000
"""Of 32767: what a voice reaches and a broken model does not."""
SPEAK_S = 60.0


@click.group()
def command() -> None:
    """List, fetch and try voices of Piper's."""


@command.command("list")
@click.option("--language", default="", help="Only of this language, such as pt-BR or pt.")
@with_shell
def list_(shell: Shell, language: str) -> None:
    """List the voices that are here, and those that are known and can be fetched."""
    here = installed(Path(shell.settings().speech.voices_dir))
    rows = []
    for name in sorted({*here, *(voice.name for voice in known_voices.VOICES)}):
        known, config = known_voices.find(name), here.get(name)
        rate_hz = config.audio.sample_rate if config else known.rate_hz if known else None
        state = "known" if name not in here else "here" if config else "broken"
        of = name.partition("-")[0].replace("_", "-")
        if of.lower().startswith(language.replace("_", "-").lower()):
            rows.append({"voice": name, "language": of, "rate_hz": rate_hz, "state": state})
    lines = [f"{'voice':<32} {'language':<9} {'Hz':>6}  state"]
    lines += [
        f"{row['voice']:<32} {row['language']:<9} {row['rate_hz'] or '?':>6}  {row['state']}"
        for row in rows
    ]
    shell.result(rows, "\n".join(lines))


@command.command("fetch")
@click.argument("name", default="")
@click.option("--language", default="pt-BR", show_default=True, help="Without a name: for which.")
@click.option("--from", "base", default=known_voices.BASE_URL, help="Another place of all voices.")
@click.option("--url", default="", help="Address of the model; its `.json` is beside it.")
@click.option("--sha256", default="", help="Checksum of the model at --url.")
@click.option("--config-sha256", default="", help="Checksum of its configuration.")
@with_shell
def fetch_(
    shell: Shell,
    name: str,
    language: str,
    base: str,
    url: str,
    sha256: str,
    config_sha256: str,
) -> None:
    """Fetch a voice, and speak a word with it.

    A known one by its name, or the default of a language; any other by --url and its checksums.
    """
    settings = shell.settings()
    if url:
        if not (name and sha256 and config_sha256):
            raise click.UsageError("--url needs a name, --sha256 and --config-sha256")
        model = Part(url, "sha256", sha256, MAX_MODEL_BYTES)
        config = Part(f"{url}.json", "sha256", config_sha256, MAX_CONFIG_BYTES)
    else:
        known = known_voices.find(name) if name else known_voices.default_for(language)
        if known is None:
            what = f"no voice {name!r}" if name else f"no voice for {language!r}"
            raise shell.fail(f"{what} is known: see `esl-controller voices list`, or give --url")
        name, path = known.name, f"{base.rstrip('/')}/{known.path}"
        model = Part(path, "md5", known.model_md5, MAX_MODEL_BYTES)
        config = Part(f"{path}.json", "md5", known.config_md5, MAX_CONFIG_BYTES)
    _require_name(name)
    directory = Path(settings.speech.voices_dir)
    try:
        with shell.step(f"Fetching {name}"):
            fetch(directory, name, model, config, lambda size: None)
    except VoiceFailed as error:
        raise shell.fail(str(error)) from error
    shell.say(f"{name} is in {directory}.")
    _check(shell, settings, name)


@command.command("check")
@click.argument("name", default="")
@with_shell
def check(shell: Shell, name: str) -> None:
    """Speak a word with a voice, or with each that is here. Exit code 1 if one cannot."""
    settings = shell.settings()
    names = [name] if name else list(installed(Path(settings.speech.voices_dir)))
    if not names:
        raise shell.fail("there is no voice here: see `esl-controller voices fetch`")
    _check(shell, settings, *names)


def _check(shell: Shell, settings: Settings, *names: str) -> None:
    results = []
    try:
        with speech_process(settings.speech) as path:
            for name in names:
                with shell.step(f"Speaking with {name}"):
                    results.append(_spoken(path, name))
    except TrialFailed as error:
        raise shell.fail(f"no speech process: {error}") from error
    lines = [_told(result) for result in results]
    good = all(result["error"] is None for result in results)
    shell.result(results, "\n".join(lines), error=not good)
    if not good:
        sys.exit(EXIT_FAILED)


def _spoken(path: str, name: str) -> dict[str, object]:
    """What came of one word: how long it is, how soon it was there, or why it was not."""
    text = WORDS.get(name.partition("_")[0], ENGLISH)
    told: dict[str, object] = {"voice": name, "text": text, "error": None}
    try:
        began = time.monotonic()
        trial = Trial(path, "piper", {"voice": name, "rate_hz": RATE_HZ}, timeout_s=SPEAK_S)
    except TrialFailed as error:
        return told | {"error": str(error)}
    try:
        loaded = time.monotonic()
        sound = trial.speak(text)
        told["load_ms"] = round(1000 * (loaded - began))
        told["speak_ms"] = round(1000 * (time.monotonic() - loaded))
        told["sound_ms"] = len(sound) * 1000 // (2 * RATE_HZ)
        if not _is_loud(sound):
            told["error"] = "it makes no sound"
    except TrialFailed as error:
        told["error"] = str(error)
    finally:
        trial.close()
    return told


def _is_loud(sound: bytes) -> bool:
    samples = memoryview(sound[: len(sound) // 2 * 2]).cast("h")
    return max(map(abs, samples), default=0) >= LOUD


def _told(result: dict[str, object]) -> str:
    name = result["voice"]
    if result["error"] is not None:
        return f"{name}: does not speak: {result['error']}"
    return (
        f"{name}: “{result['text']}” in {result['speak_ms']} ms, {result['sound_ms']} ms of sound; "
        f"loaded in {result['load_ms']} ms"
    )


def _require_name(name: str) -> None:
    if not name.replace("-", "").replace("_", "").replace("+", "").replace(".", "").isalnum():
        raise click.UsageError("a voice's name is of letters, digits and -_+.")
    if name.startswith((".", "-")) or not name.isascii():
        raise click.UsageError("a voice's name begins with a letter or digit")
