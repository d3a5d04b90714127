"""From environment and TOML file to one `Settings`, or to a list of everything that is wrong.

The environment wins over the file, the file over the defaults. An empty variable counts as not
set, as container tools write it. A secret may be given as `env:NAME` or `file:PATH`.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from bridge.playout.editions import flavours
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.providers.registry import DESCRIPTORS
from esl_controller.settings.host import Storage
from esl_controller.settings.table import PREFIX, Provider, Setting, Settings, every_setting
from esl_controller.settings.types import Secret, allowed

_SILENCE = "it had no effect and is gone: max_silence_seconds of a secretary is what counts"
GONE = {f"{PREFIX}TIMEOUTS_SILENCE_S": _SILENCE, "[timeouts] silence_s": _SILENCE}
"""Names that were settings once, and what to tell who still uses them."""
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""Names the TOML file."""
_MAX_SHOWN = 80
_MAX_SECRET_BYTES = 16_384


class Problem(NamedTuple):
    """One thing wrong with the configuration."""

    name: str
    """The variable, or `[group] name` in the file."""
    value: str
    """What was given; a secret is masked."""
    allowed: str
    said: str = ""
    """What is wrong, where it is not the value itself: a sentence."""

    def __str__(self) -> str:
        if self.said:
            return f"{self.name}: {self.said}"
        return f"{self.name} = {self.value}: allowed is {self.allowed}"


class SettingsError(Exception):
    """The configuration is wrong; `problems` names everything at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


Check = Callable[[Settings], Iterable[tuple[str, str, str]]]
"""Finds what is wrong with values that another room understands: name, value, what is allowed."""


def load_settings(
    environ: Mapping[str, str], config_file: Path | None = None, checks: Iterable[Check] = ()
) -> Settings:
    """Read, convert and check everything.

    Args:
        environ: usually `os.environ`.
        config_file: a TOML file; without it the one named by VOICE_AI_CONFIG, if any.
        checks: further checks, whose problems are told together with all others.

    Raises:
        SettingsError: with every problem found.
    """
    loader = _Loader(environ, checks)
    if config_file is None and environ.get(CONFIG_VARIABLE):
        config_file = Path(environ[CONFIG_VARIABLE])
    settings = loader.load(_read_file(config_file) if config_file else {})
    if loader.problems:
        raise SettingsError(loader.problems)
    return _with_paths(_with_key(settings, environ))


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        why = error.strerror or "?"
        said = f"the file cannot be read: {why}"
        raise SettingsError([Problem(str(path), why, "a file to read", said)]) from error
    except ValueError as error:
        raise SettingsError([Problem(str(path), f"({error})", "TOML in UTF-8")]) from error


class _Loader:
    """Gathers problems instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str], checks: Iterable[Check]) -> None:
        self.problems: list[Problem] = []
        self._environ = environ
        self._checks = tuple(checks)

    def load(self, file: Mapping[str, Any]) -> Settings:
        rows = list(every_setting())
        self._refuse_unknown_variables(rows)
        self._refuse_unknown_keys(rows, file)
        groups: dict[str, dict[str, Any]] = {}
        for row in rows:
            groups.setdefault(row.group, {})[row.name] = self._value(row, file)
        kinds = {group.name: group.type for group in msgspec.structs.fields(Settings)}
        settings = Settings(**{name: kinds[name](**values) for name, values in groups.items()})
        self.problems += _contradictions(settings)
        self.problems += [Problem(*one) for check in self._checks for one in check(settings)]
        return settings

    def _value(self, row: Setting, file: Mapping[str, Any]) -> Any:
        table = file.get(row.group)
        if text := self._environ.get(row.variable):
            return self._convert(row, row.variable, _split(row, text))
        if isinstance(table, dict) and row.name in table:
            return self._convert(row, f"[{row.group}] {row.name}", table[row.name])
        return self._resolve(Secret, row.default) if row.is_secret else row.default

    def _convert(self, row: Setting, name: str, raw: Any) -> Any:
        try:
            value = msgspec.convert(raw, row.kind, strict=False, dec_hook=self._resolve)
            words = row.meta.extra.get("check", _no_check)(value) if row.meta.extra else None
        except OSError as error:
            said = f"{error.filename} cannot be read: {error.strerror}"
            self.problems.append(Problem(name, _shown(row, raw), allowed(row.kind), said))
            return row.default
        except (msgspec.ValidationError, ValueError):
            value, words = row.default, allowed(row.kind)
        if words:
            self.problems.append(Problem(name, _shown(row, raw), words))
            return row.default
        return value

    def _resolve(self, _kind: type, raw: Any) -> Any:
        """Open `env:NAME` and `file:PATH`; hook of msgspec for `Secret`."""
        if isinstance(raw, tuple):
            return raw
        text = raw.reveal() if isinstance(raw, Secret) else raw
        if not isinstance(text, str):
            raise ValueError("a secret is text")
        source, colon, rest = text.partition(":")
        if colon and source == "env":
            return Secret(self._environ.get(rest, ""))
        if colon and source == "file":
            with Path(rest).open("rb") as stream:
                return Secret(stream.read(_MAX_SECRET_BYTES).decode().strip())
        return Secret(text)

    def _refuse_unknown_variables(self, rows: list[Setting]) -> None:
        known = {row.variable for row in rows} | {CONFIG_VARIABLE}
        for name in sorted(set(self._environ) - known):
            if name.startswith(PREFIX):
                self.problems.append(_unknown(name, known))

    def _refuse_unknown_keys(self, rows: list[Setting], file: Mapping[str, Any]) -> None:
        known = {f"[{row.group}] {row.name}" for row in rows}
        groups = {row.group for row in rows}
        for group, table in file.items():
            if group not in groups:
                self.problems.append(_unknown(f"[{group}]", {f"[{one}]" for one in groups}))
            elif not isinstance(table, dict):
                self.problems.append(Problem(group, "(not a table)", f"a table [{group}]"))
            else:
                for name in sorted({f"[{group}] {key}" for key in table} - known):
                    self.problems.append(_unknown(name, known))


def _no_check(_value: object) -> None:
    return None


def _split(row: Setting, text: str) -> Any:
    if isinstance(row.default, tuple):
        return [part for part in map(str.strip, text.split(",")) if part]
    return text.strip()


def _shown(row: Setting, raw: Any) -> str:
    if row.is_secret:
        return "***"
    text = repr(raw)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def _unknown(name: str, known: Iterable[str]) -> Problem:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    words = f"a known setting; did you mean {near[0]}?" if near else "a setting of docs/settings.md"
    hint = f"did you mean {near[0]}?" if near else "all are in docs/settings.md"
    return Problem(name, "(set)", words, GONE.get(name) or f"there is no such setting; {hint}")


def _contradictions(settings: Settings) -> list[Problem]:
    """Settings that are good alone and wrong together."""
    media, worker, found = settings.media, settings.worker, []

    def refuse(name: str, value: object, words: str) -> None:
        found.append(Problem(f"{PREFIX}{name}", str(value), words))

    if worker.index >= worker.count:
        refuse("WORKER_INDEX", worker.index, f"less than VOICE_AI_WORKER_COUNT ({worker.count})")
    if media.port and media.port + worker.count - 1 > 65535:
        refuse("MEDIA_PORT", media.port, "a port with room for one more per worker below 65536")
    if media.port and media.port <= settings.esl.port < media.port + worker.count:
        refuse("ESL_PORT", settings.esl.port, "outside the ports of the media listeners")
    ports = media.unicast_port_last - media.unicast_port_first + 1
    if ports < settings.esl.capacity * worker.count:
        refuse("MEDIA_UNICAST_PORT_LAST", media.unicast_port_last, "room for one port a call")
    if ":" in media.unicast_host:
        refuse(
            "MEDIA_UNICAST_HOST", media.unicast_host, "IPv4: FreeSWITCH's unicast knows no other"
        )
    local = media.public_host or media.listen_host
    if ":" in local and (media.input == "unicast" or media.playback in {"auto", "unicast"}):
        words = "IPv4, as FreeSWITCH's unicast, or another VOICE_AI_MEDIA_PLAYBACK"
        name = "MEDIA_PUBLIC_HOST" if media.public_host else "MEDIA_LISTEN_HOST"
        refuse(name, local, words)
    if "auto" not in (media.playback, media.flavour):
        able = flavours(PlayoutMode(media.playback))
        if Flavour(media.flavour) not in able:
            words = f"auto, or one of {', '.join(f.value for f in able)} for this playback"
            refuse("MEDIA_FLAVOUR", media.flavour, words)
    mail = settings.mail
    if mail.host and not mail.sender:
        refuse("MAIL_SENDER", "(not set)", "an address, where VOICE_AI_MAIL_HOST is set")
    if mail.security == "none" and mail.password:
        refuse("MAIL_SECURITY", mail.security, "starttls or tls, where there is a password")
    if media.input == "unicast" and media.playback not in {"auto", "unicast"}:
        refuse(
            "MEDIA_PLAYBACK", media.playback, "auto or unicast when VOICE_AI_MEDIA_INPUT=unicast"
        )
    return found


def _with_key(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Where no key is set, what the vendor's own tools read: for the vendor's own address alone."""
    at = settings.provider
    hosts = DESCRIPTORS[at.name].hosts.values()
    own = at.base_url == Provider().base_url or urlsplit(at.base_url).hostname in hosts
    if at.api_key or not own:
        return settings
    provider = msgspec.structs.replace(at, api_key=Secret(usual_key(at.name, environ)))
    return msgspec.structs.replace(settings, provider=provider)


def usual_key(kind: str, environ: Mapping[str, str]) -> str:
    """What the tools of a kind's vendors read; `stage=KEY,…` for a pipeline; empty without any."""
    found = {
        stage: next(filter(None, (environ.get(name, "").strip() for name in names)), "")
        for stage, names in DESCRIPTORS[kind].key_variables.items()
    }
    return ",".join(f"{stage}={key}" if stage else key for stage, key in found.items() if key)


def _with_paths(settings: Settings) -> Settings:
    """Put the files that are not named under `state_dir`."""
    storage = settings.storage
    base = Path(storage.state_dir or _default_state_dir())
    placed = Storage(
        state_dir=str(base),
        spool_dir=storage.spool_dir or str(base / "spool"),
        secret_key_file=storage.secret_key_file or str(base / "secret.key"),
        key_dir=storage.key_dir or str(base / "keys"),
        database_dir=storage.database_dir or str(base / "postgresql"),
        price_file=storage.price_file,
    )
    speech = msgspec.structs.replace(
        settings.speech,
        socket=settings.speech.socket or str(base / "speech" / "socket"),
        voices_dir=settings.speech.voices_dir or str(base / "voices"),
        models_dir=settings.speech.models_dir or str(base / "models"),
    )
    return msgspec.structs.replace(settings, storage=placed, speech=speech)


def _default_state_dir() -> Path:
    """Where root's services keep state (hier(7)), and where everybody else does (XDG)."""
    if os.geteuid() == 0:
        return Path("/var/lib/voice-ai")
    return Path.home() / ".local/state/voice-ai"
