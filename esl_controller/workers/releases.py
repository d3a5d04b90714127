"""Which processes of this host still run a release that is not the present one.

The register knows workers that have signed on and are seen. One that was just starting, that hangs,
or whose database is away is not in it; the watchdog and the speech process never are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
ROLES = {
    "worker": ("esl-controller serve", "esl_controller serve"),
    "speech": ("esl-controller speech", "esl_controller speech", "bridge.speech.server"),
    "watchdog": ("esl-controller watchdog", "esl_controller watchdog"),
}
"""What is started again by whoever started it, in this order: calls end before their voices do."""


@dataclass(frozen=True, slots=True)
class Left:
    """A process of another release."""

    pid: int
    role: str
    """Of ROLES; empty for what somebody runs by hand."""
    release: str
    """Folder name."""


def left_over(release: Path, proc: Path = _PROC) -> list[Left]:
    """Processes of this user that have code of a release beside `release` loaded, by role."""
    found = [
        Left(int(entry.name), _role(entry), other)
        for entry in proc.iterdir()
        if entry.name.isdigit()
        and entry.name != str(os.getpid())  # a rollback is done by the newer one's program
        and (other := _other_release(entry, release))
    ]
    order = [*ROLES, ""]
    return sorted(found, key=lambda one: (order.index(one.role), one.pid))


def runs(left: Left, release: Path, proc: Path = _PROC) -> bool:
    """Whether that very process is still there: its number may be another's by now."""
    return _other_release(proc / str(left.pid), release) == left.release


def _other_release(entry: Path, release: Path) -> str:
    """Name of the other release a process has loaded; empty if none, or not ours to see."""
    beside = f"{release.parent}/"
    try:
        if entry.stat().st_uid != os.geteuid():
            return ""
        lines = (entry / "maps").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    paths = (line[line.index(beside) + len(beside) :] for line in lines if beside in line)
    names = {path.partition("/")[0] for path in paths if "/" in path}
    return min(names - {release.name}, default="")


def _role(entry: Path) -> str:
    try:
        words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
    return next((role for role, signs in ROLES.items() if any(s in words for s in signs)), "")
