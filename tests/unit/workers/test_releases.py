"""What still runs another release, seen in a /proc made up for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from esl_controller.workers.releases import Left, left_over, runs

RELEASES = "/opt/voice-ai-releases"
NOW = Path(f"{RELEASES}/new")


@pytest.fixture(name="proc")
def proc_of_nobody(tmp_path: Path) -> Path:
    (tmp_path / "self").mkdir()
    return tmp_path


def process(proc: Path, pid: int, command: str, *loaded: str) -> None:
    """One that has these files loaded."""
    entry = proc / str(pid)
    entry.mkdir()
    (entry / "cmdline").write_bytes(command.replace(" ", "\0").encode())
    lines = [f"7f2c4 r-xp 00000000 fe:00 917 {path}\n" for path in ("/usr/bin/python3", *loaded)]
    (entry / "maps").write_text("".join(lines))


def of(release: str, name: str = "_hub_local.so") -> str:
    return f"{RELEASES}/{release}/lib/python3.11/site-packages/gevent/{name}"


def test_what_runs_another_release_is_found_by_what_it_has_loaded(proc: Path) -> None:
    """Named by the link, as `python -m` is, it is found all the same."""
    process(proc, 9, "/opt/voice-ai/bin/esl-controller watchdog --socket x", of("old"))
    process(proc, 30, "/opt/voice-ai/bin/python -m bridge.speech.server", of("older"))
    process(proc, 31, "/opt/voice-ai/bin/python -m esl_controller serve", of("old"), of("old", "b"))
    process(proc, 32, "/opt/voice-ai/bin/esl-controller serve", of("new"))
    process(proc, 33, "/opt/voice-ai/bin/esl-controller load --calls 5", of("old"))
    process(proc, 34, "/usr/bin/supervisord -n")
    process(proc, os.getpid(), "esl-controller restart", of("old"))
    process(proc, 35, "esl-controller serve", "/opt/voice-ai-releases-of-another/x/a.so")
    assert left_over(NOW, proc) == [
        Left(31, "worker", "old"),
        Left(30, "speech", "older"),
        Left(9, "watchdog", "old"),
        Left(33, "", "old"),
    ]


def test_a_number_that_is_another_process_by_now_is_not_waited_for(proc: Path) -> None:
    process(proc, 31, "esl-controller serve", of("old"))
    (left,) = left_over(NOW, proc)
    assert runs(left, NOW, proc)
    (proc / "31" / "maps").write_text(f"7f2c4 r-xp 0 fe:00 9 {of('new')}\n")
    assert not runs(left, NOW, proc)
    (proc / "31" / "maps").unlink()
    assert not runs(left, NOW, proc)


def test_another_users_process_is_not_ours(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process(proc, 31, "esl-controller serve", of("old"))
    mine = (proc / "31").stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    assert left_over(NOW, proc) == []
