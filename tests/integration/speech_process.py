"""The speech process as a program of its own, for tests that meet it over its socket."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gevent

from tests.arch.tree import ROOT


class SpeechProcess:
    """A running `bridge.speech.server`."""

    def __init__(self, path: Path, *arguments: str) -> None:
        self.path = path
        self._log = path.with_suffix(".log").open("wb")
        command = [sys.executable, "-m", "bridge.speech.server", "--socket", str(path), *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=self._log)
        with gevent.Timeout(20, AssertionError(f"no speech process: {self.log}")):
            while b"listening" not in self.path.with_suffix(".log").read_bytes():
                assert self.process.poll() is None, self.log
                gevent.sleep(0.01)

    @property
    def log(self) -> str:
        """What it has written."""
        return self.path.with_suffix(".log").read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait until it is gone, and return how it ended."""
        self.process.send_signal(number)
        status = self.process.wait(10)
        return status

    def close(self) -> None:
        """End it, if it has not ended."""
        if self.process.poll() is None:
            self.end()
        self._log.close()


@contextlib.contextmanager
def speech_process(directory: Path, *arguments: str) -> Iterator[SpeechProcess]:
    """A speech process for the time of a test."""
    (directory / "speech").mkdir(mode=0o700, exist_ok=True)
    made = SpeechProcess(directory / "speech" / "socket", *arguments)
    try:
        yield made
    finally:
        made.close()
