"""A Docker engine of the test's own: its files in a folder, its containers on their own network.

Needs root and Debian's `docker.io` (dockerd, containerd, runc), and Compose as Docker's plugin.
Nothing that runs on this machine already is touched, and nothing is left: containers, mounts and
network go with the engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

START_S = 60
PROGRAMS = ("dockerd", "containerd", "runc", "docker", "nsenter", "unshare")


def missing() -> str:
    """Why no engine can be had here; empty where one can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"no {', '.join(absent)}: apt-get install docker.io"
    if os.geteuid() != 0:
        return "only root starts an engine"
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "no docker compose"


class Engine:
    """While it runs, `docker` and what the test starts beside its containers."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._folder, self._pid = folder, pid
        self.environ = {**os.environ, "DOCKER_HOST": f"unix://{folder}/sock"}

    def docker(self, *words: str | Path, timeout_s: float = 600, **more: Any) -> str:
        """What a command of `docker` prints."""
        done = self.try_docker(*words, timeout_s=timeout_s, **more)
        said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, f"docker {' '.join(map(str, words))}: {said}"
        return done.stdout

    def try_docker(
        self, *words: str | Path, timeout_s: float = 600, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """A command that may fail."""
        return subprocess.run(
            ["docker", *words],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            **more,
        )

    def beside(self, *command: str | Path) -> list[str | Path]:
        """A command on the containers' host: with its network, and the engine's `docker`."""
        return ["nsenter", f"--net=/proc/{self._pid}/ns/net", "--", *command]

    def inspect(self, container: str) -> dict[str, Any]:
        """What the engine knows of a container."""
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", container))
        return found[0]


@contextlib.contextmanager
def engine(folder: Path, *, alone: bool) -> Iterator[Engine]:
    """Run one on this folder, which keeps its images and volumes.

    `alone`: with a network of its own, in which nothing else listens; else with this machine's, for
    building, when packages are fetched.
    """
    folder.mkdir(exist_ok=True)
    where = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    command = ["dockerd", *(f"--{name}={folder / path}" for name, path in where.items())]
    command += [f"--host=unix://{folder}/sock"]
    if not alone:
        command += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
    net = ["--net"] if alone else []
    script = 'ip link set lo up; exec "$@"' if alone else 'exec "$@"'
    with (folder / "log").open("ab") as log:
        daemon = subprocess.Popen(
            ["unshare", "--mount", *net, "sh", "-c", script, "sh", *command],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    running = Engine(folder, daemon.pid)
    try:
        _wait_until_it_answers(running, daemon, folder / "log")
        yield running
        _remove(running, ["container", "ls", "--all", "--quiet"], ["container", "rm", "--force"])
    finally:
        daemon.terminate()
        try:
            daemon.wait(60)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _wait_until_it_answers(running: Engine, daemon: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while running.try_docker("version").returncode != 0:
        told = log.read_text("utf-8", "replace")[-2000:]
        assert daemon.poll() is None and time.monotonic() < until, told
        time.sleep(0.2)


def _remove(running: Engine, listing: Sequence[str], removing: Sequence[str]) -> None:
    if found := running.docker(*listing).split():
        running.docker(*removing, *found)
