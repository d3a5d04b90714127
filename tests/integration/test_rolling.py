"""`esl-controller restart` under a hundred calls: none lost, none refused. `make rolling`.

As in production: supervisord with the shipped file, and workers that are processes. Prints what it
saw, which is what docs/scale.md says.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from gevent import subprocess

from esl_controller.database.repository.demo import DemoProvider
from tests.integration.service import free_port, wait_for

pytestmark = [pytest.mark.rolling, pytest.mark.timeout(420)]
ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
RUNNING, LATER = 100, 60
"""Calls that run when the restart begins, and that come while it goes on, one every second."""
START_S = 60.0
_SETTINGS = """
[database]
dsn = "{dsn}"
[esl]
port = {esl}
[media]
port = {media}
[provider]
allowed_hosts = ["*", "127.0.0.1"]
[storage]
state_dir = "{directory}"
[worker]
count = 2
"""


class Site:
    """A host with two workers under supervisord."""

    def __init__(self, dsn: str, directory: Path) -> None:
        self.directory = directory
        self.esl_port = free_port()
        fields = {"dsn": dsn, "esl": self.esl_port, "directory": directory}
        media = free_port()
        settings = _SETTINGS.format(media=media, **fields)
        (directory / "voice-ai.toml").write_text(settings)
        self.environ = os.environ | {"VOICE_AI_CONFIG": str(directory / "voice-ai.toml")}

    def supervised(self) -> list[str]:
        """How supervisord is started: the shipped file, with this site's places in it."""
        text = (ROOT / "supervisord.conf").read_text()
        for shipped, here in (
            ("/opt/voice-ai/bin", str(PROGRAMS)),
            ("/etc/voice-ai", str(self.directory)),
            ("/var/lib/voice-ai", str(self.directory)),
            ("/var/log/voice-ai", str(self.directory)),
            ("user=voice-ai\n", ""),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        path = self.directory / "supervisord.conf"
        path.write_text(text)
        return [str(PROGRAMS / "supervisord"), "-c", str(path)]

    def command(self, *arguments: str) -> Any:
        """A command of `esl-controller`, begun."""
        return subprocess.Popen(
            [str(PROGRAMS / "esl-controller"), *arguments, "--json"],
            env=self.environ,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )


@pytest.fixture(name="directory")
def short_directory() -> Iterator[Path]:
    """Its name is part of a socket's."""
    directory = Path(tempfile.mkdtemp(prefix="rolling-"))
    yield directory
    shutil.rmtree(directory)


def begun(stack: ExitStack, command: list[str], **more: Any) -> Any:
    """A process that is ended with the test."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **more)

    def end() -> None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    stack.callback(end)
    return process


def told(process: Any, timeout_s: float) -> Any:
    """What a command says when it has ended."""
    output, _ = process.communicate(timeout=timeout_s)
    return json.loads(output)


def test_nobody_is_lost_or_refused(database: Any, directory: Path) -> None:
    site = Site(database.dsn, directory)
    with ExitStack() as stack:
        emulated = "-m esl_controller.simulator.openai --fast --script load --think-ms 100"
        emulator = begun(
            stack, [sys.executable, *emulated.split()], stdout=subprocess.PIPE, cwd=ROOT
        )
        base_url = json.loads(emulator.stdout.readline())["url"]
        tenant = database.seed(
            extension="8001", provider=DemoProvider(base_url=base_url), first_message="Hello."
        )
        log = stack.enter_context((directory / "supervisord.log").open("w"))
        begun(stack, site.supervised(), env=site.environ, stdout=log, stderr=log)
        ready = "select count(*) from v_voice_workers_realtime where listening"
        wait_for(lambda: database.execute(ready)[0][0] == 2, START_S, "workers do not start")

        def load(calls: int, seconds: int, ramp_s: float) -> Any:
            words = f"load --calls {calls} --seconds {seconds} --ramp {ramp_s}"
            return site.command(*words.split(), "--domain", tenant.domain_uuid)

        first = load(RUNNING, 60, 0.2)
        counted = (
            "select count(*) filter (where ended_at is null) from v_voice_conversations_realtime"
        )
        running = lambda: database.execute(counted)[0][0]  # noqa: E731
        busy = "not all calls run: has this machine two cores to itself?"
        wait_for(lambda: running() == RUNNING, START_S, busy)
        restarting, began = site.command("restart"), time.monotonic()
        later = load(LATER, 15, 1.0)
        restarted = told(restarting, 300)["restarted"]
        took_s = time.monotonic() - began
        summaries = [told(each, 120)["summary"] for each in (first, later)]
    outcomes = database.execute(
        "select outcome, count(*) from v_voice_conversations_realtime group by 1"
    )
    workers = database.execute(
        "select count(*) from v_voice_conversations_realtime group by worker order by 1"
    )
    gaps = max(each["longest_gap_ms"] for each in summaries)
    served = sum(each["served"] for each in summaries)
    print(
        f"\ntwo workers restarted in {took_s:.0f} s under {RUNNING} running calls and {LATER} new "
        f"ones: {served} served, calls by worker process {[n for (n,) in workers]}, "
        f"longest gap heard {gaps:.0f} ms"
    )
    assert len(restarted) == 2
    assert [(each["calls"], each["served"], each["handed_back"]) for each in summaries] == [
        (RUNNING, RUNNING, 0),
        (LATER, LATER, 0),
    ]
    assert outcomes == [("completed", RUNNING + LATER)]
