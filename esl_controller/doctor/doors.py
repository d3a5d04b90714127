"""Who reaches the ports of this host's workers, and who can read its secrets."""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from esl_controller.doctor.finding import Finding, note, ok, warning
from esl_controller.settings.loader import CONFIG_VARIABLE
from esl_controller.settings.table import Settings

WIDE_PREFIX = 8
"""A network of an IPv4 prefix shorter than this is everybody."""


def look(settings: Settings) -> Iterator[Finding]:
    """All findings about doors and secret files."""
    yield _doors(settings)
    yield _files(settings)


def _doors(settings: Settings) -> Finding:
    check = "doors"
    open_ones = [
        f"{name} on {host}"
        for name, host in (
            ("Event Socket", settings.esl.listen_host),
            ("media and pages", settings.media.listen_host),
        )
        if not _is_loopback(host)
    ]
    if not open_ones:
        return ok(check, "listeners are on this host's loopback alone")
    detail = "; ".join(open_ones)
    wide = [one for one in (*settings.esl.allow, *settings.http.admin_allow) if _is_wide(one)]
    if wide:
        advice = "name FreeSWITCH's networks in VOICE_AI_ESL_ALLOW, the pages' in _HTTP_ADMIN_ALLOW"
        return warning(check, f"{detail}, and {', '.join(wide)} may come in", advice)
    advice = "streams ask for a ticket, /metrics for nothing: see what deploy/firewall shows"
    return note(check, detail, advice)


def _files(settings: Settings) -> Finding:
    """Files of secrets that others of this host may read."""
    check, storage = "secret files", settings.storage
    named = [Path(storage.secret_key_file)]
    if config := os.environ.get(CONFIG_VARIABLE):
        named += [Path(config), *Path(config).parent.glob("*.dsn")]
    keys = Path(storage.key_dir)
    try:
        named += [path for path in keys.rglob("*") if path.is_file()][:1000]
    except OSError:
        return note(check, f"{keys} cannot be read", "run doctor as the user of the workers")
    loose = [str(path) for path in named if _is_loose(path)]
    if loose:
        advice = f"chmod 600 {' '.join(loose[:5])}"
        return warning(check, f"others may read {', '.join(loose[:3])}", advice)
    return ok(check, "nobody else may read them")


def _is_loose(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_wide(network: str) -> bool:
    return ipaddress.ip_network(network).prefixlen < WIDE_PREFIX
