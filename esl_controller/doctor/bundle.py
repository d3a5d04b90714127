"""A file for a support request: what `doctor` found and what it looked at, without secrets.

Everything goes through one door, `Cleaned`: it hides every secret that can be known here (of the
settings, the environment, the database's tenants) wherever it turns up, what has the form of one,
and telephone numbers. What was said in calls is in none of it.
"""

from __future__ import annotations

import io
import itertools
import os
import platform
import re
import sys
import tarfile
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import requests

from esl_controller import __version__
from esl_controller.doctor.evidence import log_files
from esl_controller.doctor.finding import Finding, State
from esl_controller.doctor.host import worker_url
from esl_controller.settings.table import Settings, every_setting
from esl_controller.settings.types import without_secrets
from esl_controller.telemetry.known_secrets import KnownSecrets
from esl_controller.telemetry.redaction import redact_text, redact_value

LOG_LINES = 2000
MAX_SECRETS = 100_000
PAGE_BYTES = 2_000_000
_PAGES = ("health", "ready", "metrics")
_TIMEOUT_S = 3.0
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|DSN)", re.IGNORECASE)
_PACKAGES = ("gevent", "greenswitch", "psycopg2-binary", "numpy", "soxr", "websockets", "requests")
_COST = {State.OK: 0, State.NOTE: 1, State.WARNING: 7, State.FAILED: 25}


def score(findings: Iterable[Finding]) -> int:
    """100 where all is well, 0 at worst: a note costs 1, a warning 7, a failure 25."""
    return max(0, 100 - sum(_COST[finding.state] for finding in findings))


class Cleaned:
    """Hides secrets in texts and values."""

    def __init__(self, settings: Settings, tenants_keys: Iterable[str]) -> None:
        self._known = KnownSecrets(MAX_SECRETS)
        own = (*_of_settings(settings), *_of_environment())
        for secret in (*own, *itertools.chain.from_iterable(map(_parts, tenants_keys))):
            self._known.remember(secret)

    def text(self, text: str) -> str:
        """Lines one by one: the patterns look at a limited length."""
        lines = self._known.hide(text).splitlines()
        return "\n".join(redact_text(line, phone_numbers=True) for line in lines) + "\n"

    def json(self, value: Any) -> str:
        """Pretty, each value by its key and its text."""
        plain = msgspec.to_builtins(value, enc_hook=str)
        hidden = msgspec.json.decode(self._known.hide(msgspec.json.encode(plain).decode()))
        clean = redact_value("", hidden, phone_numbers=True)
        return msgspec.json.format(msgspec.json.encode(clean)).decode() + "\n"


def _of_settings(settings: Settings) -> Iterable[str]:
    for row in every_setting():
        if row.is_secret:
            value = getattr(getattr(settings, row.group), row.name)
            for secret in value if isinstance(value, tuple) else (value,):
                yield from _parts(secret.reveal())


def _of_environment() -> Iterable[str]:
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name):
            yield from _parts(value)


def _parts(secret: str) -> Iterable[str]:
    """As it is; a header's value and the password of an address too."""
    yield secret
    yield secret.partition(":")[2].strip()
    yield re.sub(r"(?i)^\s*(bearer|basic)\s+", "", secret.partition(":")[2].strip())
    if found := re.search(r"password=('(?:[^']*)'|\S+)", secret):
        yield found[1].strip("'")
    try:
        password = urlsplit(secret).password
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def write(path: Path, settings: Settings, findings: Sequence[Finding], keys: Iterable[str]) -> None:
    """Write the bundle, for its owner alone. Raises OSError; FileExistsError where it is there."""
    clean = Cleaned(settings, keys)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as bundle:
        for name, text in _contents(settings, findings, clean).items():
            _add(bundle, name, text)


def _contents(settings: Settings, findings: Sequence[Finding], clean: Cleaned) -> Mapping[str, str]:
    told = [finding.as_dict() for finding in findings]
    return {
        "findings.json": clean.json({"score": score(findings), "findings": told}),
        "settings.json": clean.json(_settings(settings)),
        "versions.json": clean.json(_versions()),
        **_workers(settings, clean),
        "log.txt": clean.text("\n".join(_log())),
    }


def _add(bundle: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode(errors="replace")
    entry = tarfile.TarInfo(f"voice-ai/{name}")
    entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
    bundle.addfile(entry, io.BytesIO(content))


def _settings(settings: Settings) -> dict[str, Any]:
    rows = {}
    for row in every_setting():
        value = getattr(getattr(settings, row.group), row.name)
        if row.is_secret:
            value = "(set)" if value else "(empty)"
        rows[row.variable] = without_secrets(value) if row.name == "base_url" else value
    return rows


def _versions() -> dict[str, str]:
    return {
        "voice-ai-switch": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        **{name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _workers(settings: Settings, clean: Cleaned) -> dict[str, str]:
    """Pages of the workers of this host that answer."""
    found = {}
    with requests.Session() as session:
        session.trust_env = False
        for index in range(settings.worker.count):
            for page in _PAGES:
                try:
                    url = worker_url(settings, index, f"/{page}")
                    reply = session.get(url, timeout=_TIMEOUT_S).text[:PAGE_BYTES]
                except requests.RequestException:
                    break
                found[f"worker-{index}/{page}.txt"] = clean.text(reply)
    return found


def _log() -> list[str]:
    lines: deque[str] = deque(maxlen=LOG_LINES)
    for path in log_files():
        with path.open(errors="replace") as file:
            lines.extend(line.rstrip("\n") for line in file)
    return list(lines)
