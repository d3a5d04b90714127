"""A Debian in a folder, booted with systemd, with processes, mounts and network of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.arch.tree import ROOT

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_S = 60


def wait_for(fact: Callable[[], Any], what: str, timeout_s: float = 60) -> Any:
    """Until `fact()` holds; what it returned."""
    until = time.monotonic() + timeout_s
    while not (found := fact()):
        assert time.monotonic() < until, what
        time.sleep(0.2)
    return found


class Machine:
    """While it runs."""

    def __init__(self, root: Path, container: int) -> None:
        self.root, self._container = root, container

    @property
    def leader(self) -> int:
        """systemd, as this machine numbers it; 0 when there is none yet."""
        pid = self._container
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return 0
        comms = {int(one): Path(f"/proc/{one}/comm") for one in children}
        return next((one for one, at in comms.items() if at.read_text() == "systemd\n"), 0)

    @property
    def is_up(self) -> bool:
        """It has booted."""
        if not self.leader:
            return False
        state = self.run("systemctl", "is-system-running").stdout.strip()
        return state in ("running", "degraded")

    def run(
        self, *command: str, cwd: str = "/", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """A command as its root; may fail."""
        named = [f"{name}={value}" for name, value in {"PATH": _PATH, **environ}.items()]
        inside = ["env", "-i", f"--chdir={cwd}", "LANG=C.UTF-8", *named, *command]
        return subprocess.run(
            ["nsenter", f"--target={self.leader}", "--all", "--", *inside],
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def told(self, *command: str, **environ: str) -> str:
        """What a command prints, that must not fail."""
        done = self.run(*command, **environ)
        assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout.strip()

    def unit(self, name: str, field: str) -> str:
        """What systemd knows of a unit."""
        return self.told("systemctl", "show", "--value", "--property", field, name)

    def python(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """This project's own Python, on the machine's network: who calls it, and whom it calls."""
        command = ["nsenter", f"--target={self.leader}", "--net", "--", sys.executable]
        return subprocess.Popen([*command, *arguments], cwd=ROOT, text=True, **more)


@contextlib.contextmanager
def booted(root: Path, log: Path) -> Iterator[Machine]:
    """Boot it, and shut it down at the end."""
    # The hierarchy of control groups must be the one this machine has.
    unified = int(Path("/sys/fs/cgroup/cgroup.controllers").exists())
    command = ["systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--private-network"]
    command += ["--register=no", "--keep-unit", "--console=pipe", "--machine=voice-ai-test"]
    with log.open("ab") as output:
        container = subprocess.Popen(
            [*command, "--", f"systemd.unified_cgroup_hierarchy={unified}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        machine = Machine(root, container.pid)
        wait_for(lambda: machine.is_up, f"not booted: {log}", START_S)
        yield machine
    finally:
        container.terminate()
        try:
            container.wait(60)
        except subprocess.TimeoutExpired:
            container.terminate()  # the second time at once
            container.wait(30)
