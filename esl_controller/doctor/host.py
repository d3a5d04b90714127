"""This host: ports, files, limits, and whether the hub gets its turn in time."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import gevent
import requests
from gevent import socket

from bridge.audio import core
from esl_controller.database.repository.statements import Row
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.settings.table import Settings
from esl_controller.tenants.keys.secrets import SecretError, SecretKeys, SecretUnreadable

SCARCE_BYTES = 1_000_000_000
"""The alert VoiceAiDiskFull has the same."""
FUSIONPBX_WEBSOCKET_PORT = 8080
"""FusionPBX's own websocket server listens there since version 5.4."""
DESCRIPTORS_PER_CALL = 6
"""Event Socket, stream, provider, datagrams, a tool's connection, and one to spare."""
_BEATS, _BEAT_S, _LATE_S = 10, 0.02, 0.02
_HTTP_TIMEOUT_S = 2.0


def look(settings: Settings, registered: Sequence[Row] = ()) -> Iterator[Finding]:
    """All findings about this host; `registered` are the workers the register has here."""
    indexes = _indexes(settings, registered)
    running = [index for index in indexes if _answers(settings, index)]
    yield from _media_ports(settings, indexes, running)
    yield _esl_port(settings, running)
    yield _reachable(settings)
    yield _writable("spool directory", Path(settings.storage.spool_dir))
    yield _disk(Path(settings.storage.spool_dir))
    yield _secret_key(Path(settings.storage.secret_key_file))
    yield _descriptors(settings)
    yield _cores(len(registered) or settings.worker.count)
    yield _media_core(settings)
    yield _hub()


def _indexes(settings: Settings, registered: Sequence[Row]) -> list[int]:
    """Of the workers that are here, and of those the settings say shall be: a supervisor may have
    started another number."""
    ports = [urlsplit(row["http_url"]).port or 0 for row in registered]
    first = settings.media.port
    return sorted(
        {*range(settings.worker.count), *(port - first for port in ports if port > first)}
    )


def worker_url(settings: Settings, index: int, path: str) -> str:
    """Address of a page of worker `index` on this host."""
    host = settings.media.listen_host
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.media.port + index}{path}"


def _answers(settings: Settings, index: int) -> bool:
    """Whether one of our workers is there already."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            reply = session.get(worker_url(settings, index, "/health"), timeout=_HTTP_TIMEOUT_S)
            return "active_sessions" in reply.json()
    except (requests.RequestException, ValueError):
        return False


def _media_ports(settings: Settings, indexes: list[int], running: list[int]) -> Iterator[Finding]:
    media = settings.media
    for index in indexes:
        port, check = media.port + index, f"media port {media.port + index}"
        if port == FUSIONPBX_WEBSOCKET_PORT:
            yield warning(
                check,
                "FusionPBX's own websocket server uses this port",
                "set VOICE_AI_MEDIA_PORT to another, 8085 for instance",
            )
        elif index in running:
            yield ok(check, f"worker {index} answers there")
        else:
            yield _free(check, media.listen_host, port, "VOICE_AI_MEDIA_PORT")


def _esl_port(settings: Settings, running: list[int]) -> Finding:
    check = f"ESL port {settings.esl.port}"
    if running:
        return ok(check, f"held by {len(running)} running workers")
    return _free(check, settings.esl.listen_host, settings.esl.port, "VOICE_AI_ESL_PORT")


def _free(check: str, host: str, port: int, variable: str) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            advice = f"stop the other program or set {variable}"
            return failed(check, f"cannot listen on {host}: {error.strerror}", advice)
    return ok(check, f"free on {host}")


def _reachable(settings: Settings) -> Finding:
    """FreeSWITCH elsewhere cannot reach a listener on loopback."""
    check, media = "addresses", settings.media
    near = [_is_loopback(settings.freeswitch.host), _is_loopback(settings.esl.listen_host)]
    stream_host = media.public_host or media.listen_host
    if near == [False, True] or (not near[0] and _is_loopback(stream_host)):
        return failed(
            check,
            f"FreeSWITCH is at {settings.freeswitch.host}, we listen on loopback",
            "set VOICE_AI_ESL_LISTEN_HOST, VOICE_AI_MEDIA_LISTEN_HOST and _PUBLIC_HOST",
        )
    if stream_host in {"0.0.0.0", "::"}:
        return failed(
            check,
            f"FreeSWITCH would be told to connect to {stream_host}",
            "set VOICE_AI_MEDIA_PUBLIC_HOST to this host's address",
        )
    return ok(check, f"streams come to {stream_host}")


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def _writable(check: str, path: Path) -> Finding:
    """Whether the service, run by this user, can write there (or make it)."""
    nearest = next(p for p in (path, *path.absolute().parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):  # without a name: nothing is left behind
            pass
    except OSError as error:
        advice = f"make {path} and give it to the service's user"
        return failed(check, f"this user cannot write to {nearest}: {error.strerror}", advice)
    return ok(check, f"{path}" if nearest == path else f"{path} will be made")


def _disk(path: Path) -> Finding:
    check = "disk"
    nearest = next(p for p in (path, *path.absolute().parents) if p.exists())
    disk = os.statvfs(nearest)
    free, share = disk.f_bavail * disk.f_frsize, disk.f_bavail / max(1, disk.f_blocks)
    detail = f"{free / 1e9:.1f} GB free, {share:.0%}, where the spool is"
    if free < SCARCE_BYTES:
        return warning(check, detail, "make room: a full disk costs records, recordings and logs")
    return ok(check, detail)


def _secret_key(path: Path) -> Finding:
    check = "secret key"
    if not path.exists():
        return note(check, f"{path} is not there", "it is made when the service starts; back it up")
    try:
        keys = SecretKeys.load(path)
    except SecretUnreadable as error:
        return failed(check, str(error), f"chown it to the service's user: {path}")
    except SecretError as error:
        return failed(check, str(error), "restore it from your backup, or remove it and enter "
                      "every provider key anew")  # fmt: skip
    return ok(check, f"{path}, key {keys.key_id}")


def _descriptors(settings: Settings) -> Finding:
    check, needed = "open files", settings.esl.capacity * DESCRIPTORS_PER_CALL + 100
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < needed:
        advice = f"raise the limit to {needed} (ulimit -n, supervisord minfds)"
        return warning(check, f"limit {limit}, {settings.esl.capacity} calls need {needed}", advice)
    return ok(check, f"limit {limit}, {needed} needed")


def _cores(workers: int) -> Finding:
    cores = len(os.sched_getaffinity(0))
    if workers > cores:
        advice = "one worker a core is enough; set VOICE_AI_WORKER_COUNT"
        return warning("workers", f"{workers} workers on {cores} cores", advice)
    return ok("workers", f"{workers} on {cores} cores")


def _media_core(settings: Settings) -> Finding:
    """What works on callers' audio in workers that are started from this environment."""
    if not settings.media.compiled:
        return ok("media path", "python: VOICE_AI_MEDIA_COMPILED is false")
    if core.module is None:
        found = f": the core {core.installed} is for another version" if core.installed else ""
        return note("media path", f"python{found}", "install the extra: compiled")
    return ok("media path", core.running())


def _hub() -> Finding:
    """Sleep a little, many times: lateness here is lateness of every caller's audio."""
    worst_s = 0.0
    for _ in range(_BEATS):
        due = time.monotonic() + _BEAT_S
        gevent.sleep(_BEAT_S)
        worst_s = max(worst_s, time.monotonic() - due)
    detail = f"a 20 ms timer was at most {worst_s * 1000:.1f} ms late"
    if worst_s > _LATE_S:
        return warning("timers", detail, "this host is too busy for steady audio")
    return ok("timers", detail)
