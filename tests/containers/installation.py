"""The project's files as an operator has them, and deploy/start run on the engine's host."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.arch.tree import ROOT
from tests.containers.engine import Engine

EVERYTHING = ("database", "monitoring", "turn-based")
DOMAIN = "11111111-1111-4111-8111-111111111111"
NUMBER = "8001"
EMULATOR_PORT = 9100
PATIENCE_S = 60
FREESWITCH_PASSWORD = "a-password-of-freeswitch"
API_KEY = "sk-of-the-operator-0123456789"
# Packages are fetched by this machine's network; the image that is built is the same.
_OVERRIDE = "services: {tables: {build: {network: host}}}\n"


def wait_for(fact: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """Until `fact()` holds; what it returned."""
    until = time.monotonic() + timeout_s
    while not (found := fact()):
        assert time.monotonic() < until, what
        time.sleep(0.2)
    return found


def copy_project(into: Path) -> None:
    """What is in the repository, as it stands in the work tree."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (ROOT / name).is_file() or (ROOT / name).is_symlink():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name, follow_symlinks=False)
    (into / "deploy/compose.override.yaml").write_text(_OVERRIDE)


class Installation:
    """One copy of the project, and the engine it is started on."""

    def __init__(self, engine: Engine, source: Path) -> None:
        self.engine, self.source = engine, source
        self.deploy = source / "deploy"
        self.secrets = self.deploy / "secrets"

    def start(self, *profiles: str) -> subprocess.CompletedProcess[str]:
        """deploy/start, as root on the engine's host."""
        options = [word for name in profiles for word in ("--profile", name)]
        return self._run(self.deploy / "start", *options)

    def compose(self, *words: str, **more: Any) -> str:
        """A command of Compose, for everything."""
        profiles = [word for name in EVERYTHING for word in ("--profile", name)]
        project = ("compose", "--project-directory", self.deploy)
        return self.engine.docker(*project, *profiles, *words, **more)

    def states(self) -> dict[str, str]:
        """Each service's health, or where it has none its state."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        found = map(json.loads, lines)
        return {one["Service"]: one["Health"] or one["State"] for one in found}

    def esl_controller(self, *words: str, **more: Any) -> str:
        """A command in the first worker's container, as an operator would."""
        return self.compose("exec", "--no-TTY", "worker-0", "esl-controller", *words, **more)

    def sql(self, statement: str) -> str:
        """What the database answers, by its owner."""
        psql = ("psql", "--username=fusionpbx", "--tuples-only", "--no-align", "--command")
        return self.compose("exec", "--no-TTY", "database", *psql, statement).strip()

    def emulator(self, log: Path) -> subprocess.Popen[bytes]:
        """The provider, on the engine's host."""
        command = [sys.executable, "-m", "esl_controller.simulator.openai", "--fast"]
        does = ["--script", "load", "--think-ms", "50", "--port", str(EMULATOR_PORT)]
        with log.open("wb") as output:
            return subprocess.Popen(
                self.engine.beside(*command, *does), cwd=ROOT, stdout=output, stderr=output
            )

    def load(self, calls: int, seconds: float) -> subprocess.Popen[str]:
        """Calls by the simulated switch, from the engine's host to the Event Socket's port."""
        wanted = ["--calls", str(calls), "--seconds", str(seconds), "--domain", DOMAIN]
        wanted += ["--extension", NUMBER, "--port", "8084", "--json"]
        command = [sys.executable, "-m", "esl_controller", "load", *wanted]
        return subprocess.Popen(
            self.engine.beside(*command),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fetch(self, url: str) -> str:
        """A page, from the engine's host."""
        program = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
        done = self._run(sys.executable, "-c", program, url)
        return done.stdout if done.returncode == 0 else ""

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.engine.beside(*command),
            env=self.engine.environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What `load` found, when it has ended."""
    output, errors = process.communicate(timeout=120)
    assert output, errors[-2000:]
    found: dict[str, Any] = json.loads(output)["summary"]
    return found
