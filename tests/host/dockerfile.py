"""Replays a Dockerfile in folders, one for each stage: no engine is needed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.host import debian


@dataclass
class Stage:
    """What the instructions have made so far."""

    root: Path
    name: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    user: str = ""
    cwd: str = "/"
    is_alone: bool = False
    """With a loopback of its own, on which no other worker answers, in place of this machine's."""
    said: dict[str, str] = field(default_factory=dict)
    """ENTRYPOINT, CMD, HEALTHCHECK, STOPSIGNAL, EXPOSE, VOLUME: as written."""

    def run(self, *command: str) -> str:
        """What it prints. As the stage's user."""
        user = f"{self.user}:{self.user}" if self.user else ""
        done = debian.run(
            self.root, *command, user=user, cwd=self.cwd, alone=self.is_alone, **self.environ
        )
        assert done.returncode == 0, (command, done.stdout[-800:], done.stderr[-800:])
        return done.stdout

    def exec_form(self, instruction: str) -> list[str]:
        """The command of ENTRYPOINT, CMD or HEALTHCHECK."""
        text = self.said[instruction]
        command: list[str] = json.loads(text[text.index("[") :])
        return command


def instructions(path: Path) -> list[tuple[str, str]]:
    """Name and rest of each, continued lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(None, 1)[1].strip()) for line in lines if line.strip()]


def replay(context: Path, base: Path, work: Path, environ: dict[str, str]) -> Stage:
    """Every instruction of the context's Dockerfile; the last stage.

    `base` stands for each FROM. `environ` is added to RUN alone: how this machine reaches an index.
    """
    stages: list[Stage] = []
    for name, rest in instructions(context / "Dockerfile"):
        if name == "FROM":
            root = work / f"stage-{len(stages)}"
            subprocess.run(["cp", "-a", base, root], check=True)
            stages.append(Stage(root, rest.partition(" AS ")[2]))
            continue
        stage = stages[-1]
        if name == "RUN":
            done = debian.run(
                stage.root, "sh", "-ec", rest, cwd=stage.cwd, **stage.environ, **environ
            )
            assert done.returncode == 0, (rest, done.stdout[-800:], done.stderr[-800:])
        elif name == "COPY":
            _copy(context, stages, rest)
        elif name == "ENV":
            for pair in shlex.split(rest):
                key, _, value = pair.partition("=")
                paths = "/usr/local/bin:/usr/bin:/bin"
                stage.environ[key] = value.replace("$PATH", stage.environ.get("PATH", paths))
        elif name == "WORKDIR":
            stage.cwd = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "USER":
            stage.user = rest
        else:
            stage.said[name] = rest
    return stages[-1]


def _copy(context: Path, stages: list[Stage], rest: str) -> None:
    words = shlex.split(rest)
    source, to = context, stages[-1]
    if words[0].startswith("--from="):
        wanted = words.pop(0).removeprefix("--from=")
        source = next(stage.root for stage in stages if stage.name == wanted)
    *names, target = words
    place = to.root / (target if target.startswith("/") else f"{to.cwd}/{target}").lstrip("/")
    for name in names:
        found = source / name.lstrip("/")
        assert found.exists(), f"COPY {name}: not in the context"
        many = target.endswith("/") or len(names) > 1
        into = place / found.name if many else place
        into.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(found, into)
