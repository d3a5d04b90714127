"""`restart`: one worker of this host after the other; somebody always answers."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import gevent
import requests

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.storage import database
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import workers
from esl_controller.settings.table import Settings
from esl_controller.workers.releases import Left, left_over, runs

LOOK_S = 0.5
START_S = 60.0
"""Longest a supervisor and a start take."""
LAST_WORDS_S = 60.0
"""Good-byes and the journal, after the drain deadline."""
_TIMEOUT_S = 2.0


@click.command()
@click.option(
    "--release",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Also restart what still runs a release in a folder beside this one.",
)
@with_shell
def command(shell: Shell, release: Path | None) -> None:
    """Restart this host's workers one after the other, as after an upgrade.

    Each is told to drain (SIGTERM) and ends when its calls have; its supervisor must start it
    again. The next one's turn comes when that one is ready. Stops at the first that does not come
    back. With --release the watchdog, the speech process and workers that the register does not
    know have their turn afterwards, where they run other code.
    """
    settings = shell.settings()
    with database(settings, shell) as dsn:
        pool = Pool(dsn, size=1)
        try:
            done = [_restart(shell, settings, pool, row) for row in _here(pool)]
            others = _restart_others(shell, settings, pool, release) if release else []
        except DatabaseError as error:
            raise shell.fail(str(error)) from error
        finally:
            pool.close()
    if not (done or release):
        raise shell.fail("no worker of this host is in the register")
    lines = [f"{url} runs anew" for url in done] + [f"{told}: ended" for told in others]
    shell.result({"restarted": done, "others": others}, "\n".join(lines) or "no worker runs")


def _here(pool: Pool) -> list[Any]:
    """The living workers of this host, by address; one that was killed may still be listed."""
    with pool.connection(autocommit=True) as connection:
        rows = workers.list_workers(connection)
    here = [row for row in rows if row["alive"] and row["host"] == socket.gethostname()]
    return [row for row in here if _is_worker(_pid(row))]


def _restart(shell: Shell, settings: Settings, pool: Pool, row: Any) -> str:
    url: str = row["http_url"]
    pid = _pid(row)
    _end(shell, settings, url, pid, lambda: not _is_worker(pid))

    def is_back() -> bool:
        anew = [one for one in _here(pool) if one["http_url"] == url]
        return any(one["worker"] != row["worker"] for one in anew) and _is_ready(url)

    with shell.step(f"{url} starts"):
        if not _within(START_S, is_back):
            why = f"not ready {START_S:g} s after it ended; the others still run as before"
            raise shell.fail(f"{url}: {why}")
    return url


def _end(
    shell: Shell, settings: Settings, what: str, pid: int, has_ended: Callable[[], bool]
) -> None:
    """Have a process drain, and wait for its end."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        shell.say(f"{what}: had ended already")
    except PermissionError as error:
        raise shell.fail(f"{what}: this user may not end process {pid}") from error
    drained_s = settings.worker.drain_deadline_s + LAST_WORDS_S
    with shell.step(f"{what} lets its calls end"):
        if not _within(drained_s, has_ended):
            raise shell.fail(f"{what}: process {pid} has not ended within {drained_s:g} s")


def _restart_others(shell: Shell, settings: Settings, pool: Pool, release: Path) -> list[str]:
    """What the register does not know. Returns a few words on each; what somebody runs by hand is
    told and left alone.

    Looks again after each: a worker that had been starting may have its own child by then.
    """
    done: list[str] = []
    release = release.resolve()
    while todo := [one for one in left_over(release) if one.role]:
        done.append(_restart_left(shell, settings, pool, release, todo[0]))
    for one in left_over(release):
        shell.say(f"process {one.pid} still runs {one.release}; it was not started by a supervisor")
    return done


def _restart_left(shell: Shell, settings: Settings, pool: Pool, release: Path, left: Left) -> str:
    what = f"{left.role} of {left.release}"
    known = {row["worker"] for row in _here(pool)}
    _end(shell, settings, what, left.pid, lambda: not runs(left, release))

    def is_back() -> bool:
        anew = [one for one in _here(pool) if one["worker"] not in known]
        return any(_is_ready(one["http_url"]) for one in anew)

    if left.role == "worker":
        with shell.step(f"{what} starts"):
            if not _within(START_S, is_back):
                raise shell.fail(f"{what}: none is ready {START_S:g} s after it ended")
    return what


def _within(limit_s: float, fact: Callable[[], bool]) -> bool:
    until = time.monotonic() + limit_s
    while not fact():
        if time.monotonic() > until:
            return False
        gevent.sleep(LOOK_S)
    return True


def _pid(row: Any) -> int:
    """The process, from the worker's name: `host:pid-…`."""
    return int(row["worker"].rpartition(":")[2].partition("-")[0])


def _is_worker(pid: int) -> bool:
    """Whether that process is still there, and ours: its number may be another's by now."""
    try:
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"esl-controller" in command_line or b"esl_controller" in command_line


def _is_ready(url: str) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{url}/ready", timeout=_TIMEOUT_S).ok
    except requests.RequestException:
        return False
