"""The files `setup` makes: settings, secrets and the service. Nothing that is there is changed."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from esl_controller.commands.fusionpbx import FusionPbx

PRIVATE, READABLE = 0o600, 0o644


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is wanted."""

    path: Path
    content: str
    mode: int
    owned: bool = True
    """By the service's user; else by root."""
    owner: tuple[int, int] | None = None
    """User and group, where it is neither's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything goes."""

    directory: Path
    state_dir: Path
    executable: Path
    user: str
    workers: int

    @property
    def settings_file(self) -> Path:
        """The settings of the workers."""
        return self.directory / "voice-ai.toml"

    @property
    def token_file(self) -> Path:
        """The token of the workers' interface."""
        return self.directory / "admin.token"


def settings_files(place: Place, found: FusionPbx, api_key: str | None) -> list[NewFile]:
    """Settings and secrets, each readable by the service's user alone."""
    key_file = place.directory / "provider.key"
    lines = [
        "# Written by `esl-controller setup`. Every setting is in docs/settings.md.",
        "[database]",
        f"dsn = {_quoted(found.dsn)}",
        "",
        "[freeswitch]",
        f"host = {_quoted(found.switch_host)}",
        f"port = {found.switch_port}",
        *([f"password = {_quoted(found.switch_password)}"] if found.switch_password else []),
        "",
        "[http]",
        f"admin_token = {_quoted(f'file:{place.token_file}')}",
        "",
        "[worker]",
        f"count = {place.workers}",
        "",
        "[storage]",
        f"state_dir = {_quoted(str(place.state_dir))}",
    ]
    files = [NewFile(place.token_file, secrets.token_urlsafe(32) + "\n", PRIVATE)]
    if api_key is not None:
        lines += ["", "[provider]", f"api_key = {_quoted(f'file:{key_file}')}"]
        files.append(NewFile(key_file, api_key + "\n", PRIVATE))
    return [*files, NewFile(place.settings_file, "\n".join(lines) + "\n", PRIVATE)]


def pages_token(place: Place, document_root: Path, token: str) -> NewFile | None:
    """The token once more, for whom FusionPBX's pages belong to; None where they are not here.

    The web server may not read what is the workers'.
    """
    try:
        pages = (document_root / "resources").stat()
    except OSError:
        return None
    owner = (pages.st_uid, pages.st_gid)
    if os.geteuid() not in (0, pages.st_uid):
        return None
    return NewFile(place.directory / "pages.token", token, 0o400, owner=owner)


def supervisor_program(place: Place) -> str:
    """Program sections for /etc/supervisor/conf.d."""
    settings, socket = place.settings_file, place.state_dir / "notify.sock"
    return f"""\
; A worker that hangs is killed by the watchdog, and started again by supervisord.
[program:voice-ai-watchdog]
command={place.executable} watchdog --socket {socket}
environment=VOICE_AI_CONFIG="{settings}",VOICE_AI_LOG_FORMAT="json"
user={place.user}
directory={place.state_dir}
priority=1
autorestart=true

[program:voice-ai]
command={place.executable} serve
process_name=worker-%(process_num)d
numprocs={place.workers}
environment=VOICE_AI_WORKER_INDEX="%(process_num)d",VOICE_AI_CONFIG="{settings}",NOTIFY_SOCKET="{socket}"
user={place.user}
directory={place.state_dir}
stopsignal=TERM
stopwaitsecs=330
stopasgroup=false
killasgroup=true
autorestart=true
startsecs=3
startretries=10
redirect_stderr=false
stdout_logfile=NONE
"""


def write_new(file: NewFile, owner: tuple[int, int] | None) -> bool:
    """Write a file that is not there; False when it is, and is left as it is. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(file.path, flags, file.mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        os.fchmod(descriptor, file.mode)  # whatever the umask
        whose = file.owner or (owner if file.owned else None)
        if whose is not None:
            os.fchown(descriptor, *whose)
        stream.write(file.content)
    return True


def make_directory(path: Path, owner: tuple[int, int] | None, mode: int) -> bool:
    """Make a directory that is not there; False when it is. Raises OSError."""
    if path.exists():
        return False
    path.mkdir(parents=True, mode=mode)
    path.chmod(mode)
    if owner is not None:
        os.chown(path, *owner)
    return True


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
