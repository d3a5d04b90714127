"""`esl-controller rehearse`: a tenant's scenarios, held before callers meet its prompt."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from bridge.providers.registry import DESCRIPTORS
from esl_controller.commands.shared import EXIT_FAILED, EXIT_SETTINGS, Shell, with_database
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.rehearsal.judging import Verdict
from esl_controller.rehearsal.reading import ScenarioError, read_rehearsal
from esl_controller.rehearsal.report import as_data, as_junit, as_text
from esl_controller.rehearsal.scenario import Rehearsal

if TYPE_CHECKING:
    from esl_controller.rehearsal.stage import Piece
    from esl_controller.rehearsal.tenant_cast import StoredTenant

EMULATOR = "emulator"
REAL = tuple(kind for kind, one in DESCRIPTORS.items() if one.needs_key)
EMULATED = {f"emulated-{kind}": kind for kind in REAL}
MAX_FILE = 1024 * 1024


def templates() -> dict[tuple[str, str], str]:
    """The text of each template, by its name and language: `clinic.pt-BR.toml`."""
    found = {}
    for file in files("esl_controller.rehearsal").joinpath("templates").iterdir():
        if file.name.endswith(".toml"):
            name, _, language = file.name.removesuffix(".toml").partition(".")
            found[name, language] = file.read_text(encoding="utf-8")
    return found


@click.command()
@click.argument(
    "paths", nargs=-1, metavar="FILE…", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--template", "names", multiple=True, help="A template of the package, by its name.")
@click.option("--language", help="Of the templates: en or pt-BR; both without it.")
@click.option("--show", is_flag=True, help="Print the templates, to begin a file of your own with.")
@click.option(
    "--provider",
    type=click.Choice([EMULATOR, *EMULATED, *REAL]),
    default=EMULATOR,
    show_default=True,
    help="Who answers: an emulated model, which does what the file says it would, as a pipeline or "
    "behind a provider's own interface, or a real one, with the key in its own variable, such as "
    "OPENAI_API_KEY.",
)
@click.option(
    "--domain", help="Rehearse a stored secretary of this domain, with its own providers."
)
@click.option("--extension", help="Its number.")
@click.option("--model", help="Of the real provider.")
@click.option("--setting", "settings", multiple=True, metavar="NAME=VALUE", help="Of its row.")
@click.option("--only", help="Only scenarios with these words in their name.")
@click.option(
    "--jobs", default=4, show_default=True, type=click.IntRange(1, 64), help="Calls at once."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for the recordings (stereo: caller left), report.json and junit.xml.",
)
@with_database
def command(shell: Shell, paths: tuple[Path, ...], **options: Any) -> None:
    """Hold the scenarios of FILE: what callers say, and what must come of it.

    Each is a whole call: simulated telephone and FreeSWITCH, worker, provider. Exit code 1 when one
    fails, 2 when a file is wrong. docs/rehearsals.md says what a file holds.

    \b
    esl-controller rehearse --template clinic --language pt-BR
    esl-controller rehearse --template reception --language en --show > reception.toml
    esl-controller rehearse reception.toml --provider openai --jobs 2 --out rehearsal
    """
    texts = _texts(shell, paths, options["names"], options["language"])
    if options["show"]:
        click.echo("\n".join(text for _, _, text in texts), nl=False)
        return
    from esl_controller.rehearsal.stage import Piece

    tenant = _stored(shell, options["domain"], options["extension"])
    pieces = [
        Piece(rehearsal, scenario, directory)
        for rehearsal, directory in _read(shell, texts, tenant)
        for scenario in rehearsal.scenarios
        if (options["only"] or "").casefold() in scenario.name.casefold()
    ]
    if not pieces:
        raise shell.fail(f"no scenario has {options['only']!r} in its name")
    verdicts, by = _held(shell, pieces, options, tenant)
    data = as_data(verdicts, spoken_by=by)
    _write(shell, options["out"], verdicts, data)
    shell.result(data, as_text(verdicts, spoken_by=by))
    if not data["passed"]:
        raise click.exceptions.Exit(EXIT_FAILED)


def _texts(
    shell: Shell, paths: Sequence[Path], names: Sequence[str], language: str | None
) -> list[tuple[str, Path, str]]:
    """Name, directory and text of each file."""
    if not paths and not names:
        raise click.UsageError("name a file of scenarios, or a --template")
    found = []
    for path in paths:
        try:
            with path.open("rb") as file:
                found.append((str(path), path.parent, file.read(MAX_FILE).decode()))
        except (OSError, UnicodeDecodeError) as error:
            raise shell.fail(f"{path} cannot be read: {error}") from error
    there = templates()
    for name in names:
        fitting = [key for key in sorted(there) if key[0] == name and language in (None, key[1])]
        if not fitting:
            known = ", ".join(sorted({f"{one} ({tag})" for one, tag in there}))
            raise click.UsageError(f"there is no template {name!r} so; there are {known}")
        found += [(".".join(key), Path(), there[key]) for key in fitting]
    return found


def _stored(shell: Shell, domain: str | None, extension: str | None) -> StoredTenant | None:
    """The secretary that is to be rehearsed; None: it stands in the file."""
    if domain is None and extension is None:
        return None
    if domain is None or extension is None:
        raise click.UsageError("--domain and --extension go together")
    from esl_controller.commands.site import site
    from esl_controller.rehearsal.tenant_cast import StoredTenant
    from esl_controller.tenants.fields import PROVIDER, SECRETARY

    with site(shell, domain) as there:
        editor = there.editor
        return StoredTenant(
            there.domain_uuid,
            there.domain_name,
            editor.find(SECRETARY, extension),
            editor.rows(PROVIDER),
            editor.settings(),
        )


def _read(
    shell: Shell, texts: Sequence[tuple[str, Path, str]], tenant: StoredTenant | None
) -> Iterator[tuple[Rehearsal, Path]]:
    """All files, or everything that is wrong with any."""
    problems: list[str] = []
    read = []
    stored = None if tenant is None else tenant.secretary
    for name, directory, text in texts:
        try:
            read.append((read_rehearsal(text, name, stored), directory))
        except ScenarioError as error:
            problems += [f"{name}: {problem}" for problem in error.problems]
    if problems:
        shell.result({"problems": problems}, "\n".join(problems), error=True)
        raise click.exceptions.Exit(EXIT_SETTINGS)
    yield from read


def _held(
    shell: Shell, pieces: Sequence[Piece], options: dict[str, Any], tenant: StoredTenant | None
) -> tuple[list[Verdict], str]:
    kind = EMULATED.get(options["provider"], "")
    real = None if tenant is not None or kind else _real(shell, options)
    if tenant is not None:
        _require_voice(shell)
    from esl_controller.commands import rehearsal_stage

    recordings: Path | None = options["out"]
    with rehearsal_stage.prepared(shell, real, tenant, kind) as stage:
        if recordings is not None:
            _make(shell, recordings)
        with shell.step(f"Holding {len(pieces)} scenarios"):
            verdicts = stage.hold(pieces, options["jobs"], recordings)
    by = options["provider"] if real else "an emulated model, which understands nothing"
    by += f", behind the interface of {kind}" if kind else ""
    if tenant is not None:
        by = f"the providers of {tenant.domain_name}"
    return verdicts, by


def _real(shell: Shell, options: dict[str, Any]) -> DemoProvider | None:
    """The provider that is to answer; None: an emulated one."""
    kind = options["provider"]
    if kind == EMULATOR:
        return None
    names = DESCRIPTORS[kind].key_variables[""]
    variable = next((name for name in names if os.environ.get(name)), None)
    if variable is None:
        raise shell.fail(f"{' or '.join(names)} must hold the key of {kind}")
    _require_voice(shell)
    settings = dict(one.partition("=")[::2] for one in options["settings"])
    return DemoProvider(
        realtime_provider=kind,
        credential=f"env:{variable}",
        model=options["model"],
        provider_settings=settings,
    )


def _require_voice(shell: Shell) -> None:
    from esl_controller.rehearsal.voice import has_words

    if not has_words():
        raise shell.fail("nobody can speak for the caller here: apt-get install espeak-ng")


def _make(shell: Shell, out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise shell.fail(f"cannot write to {out}: {error.strerror}") from error


def _write(
    shell: Shell, out: Path | None, verdicts: Sequence[Verdict], data: dict[str, Any]
) -> None:
    if out is None:
        return
    try:
        (out / "report.json").write_bytes(msgspec.json.encode(data, enc_hook=str))
        (out / "junit.xml").write_text(as_junit(verdicts), encoding="utf-8")
    except OSError as error:
        raise shell.fail(f"cannot write to {out}: {error.strerror}") from error
