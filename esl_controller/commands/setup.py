"""`setup`: from FusionPBX's settings to a host that can answer calls."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from esl_controller.commands.api_key import read_key
from esl_controller.commands.doctor import (
    KNOWN,
    known_failures,
    look_at_everything,
    shown,
    tell_new,
)
from esl_controller.commands.fusionpbx import (
    FusionPbx,
    FusionPbxError,
    find_settings,
    read_settings,
)
from esl_controller.commands.install_files import (
    READABLE,
    NewFile,
    Place,
    make_directory,
    pages_token,
    settings_files,
    supervisor_program,
    write_new,
)
from esl_controller.commands.shared import EXIT_FAILED, Shell, with_shell
from esl_controller.commands.systemd_units import Host, systemd_units
from esl_controller.database.migrate import MigrationError, Migrator
from esl_controller.doctor.finding import State, new_failures
from esl_controller.settings.loader import CONFIG_VARIABLE, SettingsError, load_settings
from esl_controller.settings.table import Settings

_DSN = "VOICE_AI_DATABASE_DSN"
_SWITCH_PASSWORD = "VOICE_AI_FREESWITCH_PASSWORD"
SERVICES = {
    "systemd": Path("/etc/systemd/system"),
    "supervisor": Path("/etc/supervisor/conf.d"),
}


@click.command()
@click.option(
    "--fusionpbx",
    type=click.Path(dir_okay=False, path_type=Path),
    help="FusionPBX's config.conf or config.php.  [default: where FusionPBX has it]",
)
@click.option(
    "--directory",
    default="/etc/voice-ai",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where settings and secrets go.",
)
@click.option(
    "--state-dir",
    default="/var/lib/voice-ai",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the workers keep what they must not lose.",
)
@click.option("--user", default="voice-ai", show_default=True, help="System user of the workers.")
@click.option("--workers", type=click.IntRange(1, 64), help="How many.  [default: one a core]")
@click.option(
    "--service",
    type=click.Choice([*SERVICES, "none"]),
    help="What starts the workers.  [default: systemd where it runs, else none]",
)
@click.option(
    "--service-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its file goes.  [default: where that service looks]",
)
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the provider's API key, for tenants without one of their own.",
)
@click.option("--key-stdin", is_flag=True, help="Read that key from standard input.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--non-interactive", is_flag=True, help="Do not ask.")
@KNOWN
@with_shell
def command(shell: Shell, **options: Any) -> None:
    """Prepare this host: settings, secrets, service, tables; then look at everything.

    Database and event socket are taken from FusionPBX's settings; VOICE_AI_DATABASE_DSN and
    VOICE_AI_FREESWITCH_PASSWORD win over them. May be run again: a file that is there is kept as it
    is. Exit code 1 when `doctor` finds something to be mended.
    """
    before = known_failures(shell, options["known"])
    place = _place(options)
    owner = _owner(shell, place, dry_run=options["dry_run"])
    files = _files(shell, place, options)
    _tell_plan(shell, place, files)
    if options["dry_run"]:
        shell.result({"would_write": [str(file.path) for file in files]}, "Nothing was done.")
        return
    if not (options["non_interactive"] or shell.as_json):
        click.confirm("Write these, and bring the database to this version?", abort=True, err=True)
    written = _write(shell, place, files, owner)
    settings = _settings(shell, place)
    migrations = _migrate(shell, settings)
    findings = look_at_everything(shell, settings, online=False)
    healthy = all(finding.state is not State.FAILED for finding in findings)
    report = {
        "written": written,
        "migrations": migrations,
        "healthy": healthy,
        "findings": [finding.as_dict() for finding in findings],
    }
    shell.result(report, "\n\n".join([shown(findings), _next(place, options, settings)]))
    tell_new(shell, findings, options["known"], before)
    if new_failures(findings, before):
        sys.exit(EXIT_FAILED)


def _place(options: dict[str, Any]) -> Place:
    beside = Path(sys.executable).with_name("esl-controller")
    return Place(
        directory=options["directory"].absolute(),
        state_dir=options["state_dir"].absolute(),
        executable=beside if beside.exists() else Path(sys.argv[0]).absolute(),
        user=options["user"],
        workers=options["workers"] or os.cpu_count() or 1,
    )


def _owner(shell: Shell, place: Place, *, dry_run: bool) -> tuple[int, int] | None:
    """Who is to own the files; None where that is whoever runs this."""
    if os.geteuid() != 0:
        return None
    try:
        account = pwd.getpwnam(place.user)
    except KeyError:
        if dry_run:
            return None
        raise shell.fail(
            f"there is no user {place.user}: useradd --system --home-dir {place.state_dir} "
            f"--shell /usr/sbin/nologin {place.user}"
        ) from None
    return account.pw_uid, account.pw_gid


def _files(shell: Shell, place: Place, options: dict[str, Any]) -> list[NewFile]:
    """What is still to be written."""
    files: list[NewFile] = []
    if not place.settings_file.exists():
        key = None
        if options["key_file"] or options["key_stdin"]:
            key = read_key(shell, options["key_file"], from_stdin=options["key_stdin"])
        files = settings_files(place, _found(shell, options["fusionpbx"]), key)
    files += _token_of_the_pages(place, files, options["fusionpbx"])
    service = _service(options)
    if service != "none":
        directory = options["service_dir"] or SERVICES[service]
        texts = _service_files(shell, place, service)
        files += [NewFile(directory / name, texts[name], READABLE, owned=False) for name in texts]
    return [file for file in files if not file.path.exists()]


def _service_files(shell: Shell, place: Place, service: str) -> Mapping[str, str]:
    """Name and text of what starts the workers."""
    if service == "supervisor":
        return {"voice-ai.conf": supervisor_program(place)}
    settings = _settings(shell, place) if place.settings_file.exists() else Settings()
    recordings = Path(settings.freeswitch.recordings_dir)
    state_dir, program = place.state_dir, place.executable
    return systemd_units(Host(place.settings_file, state_dir, program, recordings, place.user))


def _token_of_the_pages(place: Place, files: list[NewFile], named: Path | None) -> list[NewFile]:
    try:
        root = Path(read_settings(find_settings(named)).document_root)
        token = place.token_file.read_text("utf-8") if place.token_file.exists() else ""
    except (FusionPbxError, OSError):
        return []
    token = token or next((one.content for one in files if one.path == place.token_file), "")
    file = pages_token(place, root, token) if token else None
    return [] if file is None else [file]


def _service(options: dict[str, Any]) -> str:
    chosen: str | None = options["service"]
    return chosen or ("systemd" if Path("/run/systemd/system").is_dir() else "none")


def _found(shell: Shell, named: Path | None) -> FusionPbx:
    dsn = os.environ.get(_DSN, "")
    try:
        found = read_settings(find_settings(named))
    except FusionPbxError as error:
        if not dsn or named is not None:
            raise shell.fail(str(error)) from None
        found = FusionPbx(dsn)
    password = os.environ.get(_SWITCH_PASSWORD, "")
    return replace(found, dsn=dsn or found.dsn, switch_password=password or found.switch_password)


def _tell_plan(shell: Shell, place: Place, files: list[NewFile]) -> None:
    if place.settings_file.exists():
        shell.say(f"kept    {place.settings_file}")
    for file in files:
        shell.say(f"new     {file.path}  (mode {file.mode:o})")


def _write(
    shell: Shell, place: Place, files: list[NewFile], owner: tuple[int, int] | None
) -> list[str]:
    try:
        # The web server passes through the one to its own file, and sees nothing else there.
        for directory, mode in ((place.directory, 0o751), (place.state_dir, 0o750)):
            if not make_directory(directory, owner, mode) and mode & 0o001:
                directory.chmod(directory.stat().st_mode | 0o001)
        return [str(file.path) for file in files if write_new(file, owner)]
    except OSError as error:
        raise shell.fail(f"cannot write {error.filename}: {error.strerror}") from error


def _settings(shell: Shell, place: Place) -> Settings:
    environ = {name: value for name, value in os.environ.items() if name != CONFIG_VARIABLE}
    try:
        return load_settings(environ, place.settings_file)
    except SettingsError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        raise shell.fail(f"{place.settings_file} is wrong:\n{lines}") from error


def _migrate(shell: Shell, settings: Settings) -> list[str]:
    migrator = Migrator(
        settings.database.dsn.reveal(), progress=lambda name: shell.say(f"migrate {name}")
    )
    try:
        with shell.step("Bringing the database up to date"):
            return migrator.up()
    except MigrationError as error:
        raise shell.fail(
            f"{error}\nThe files are written; mend this and run `esl-controller setup` again"
        ) from error


def _next(place: Place, options: dict[str, Any], settings: Settings) -> str:
    """What is left to be done by a person."""
    program = str(place.executable)
    steps = [f"export VOICE_AI_CONFIG={place.settings_file}"]
    if not settings.provider.api_key:
        steps.append(f"{program} provider add openai --domain DOMAIN --key-prompt")
    steps.append(f"{program} secretary add 8000 --domain DOMAIN --name Reception --prompt '…'")
    last = place.workers - 1
    starts = {
        "systemd": f"systemctl daemon-reload && "
        f"systemctl enable --now voice-ai.target voice-ai@{{0..{last}}}",
        "supervisor": "supervisorctl update",
        "none": f"{program} serve",
    }
    steps += [
        starts[_service(options)],
        f"{program} test-call --domain DOMAIN --extension 8000",
        "install FusionPBX's pages (docs/fusionpbx.md), which bring the dialplan; or copy lua/* "
        "into FreeSWITCH's scripts directory, import dialplan_xml/900_voice_ai_realtime.xml in the "
        "Dialplan Manager; then dial 8000",
    ]
    lines = [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    return "\n".join(["What to do next:", *lines])
