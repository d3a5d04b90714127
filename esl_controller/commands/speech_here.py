"""A speech process for a command: the host's, or one of the command's own."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import gevent.subprocess
import msgspec

from bridge.speech.trial import Trial, TrialFailed
from esl_controller.settings.host import Speech
from esl_controller.workers.speech import MODULE, arguments

START_S = 20.0
STATUS_S = 3.0


@contextmanager
def speech_process(speech: Speech) -> Iterator[str]:
    """Path of the socket of a process that knows this host's voices. Raises `TrialFailed`."""
    if speech.socket and _answers(speech.socket):
        yield speech.socket
        return
    with tempfile.TemporaryDirectory(prefix="voice-ai-speech") as directory:
        own = msgspec.structs.replace(speech, socket=str(Path(directory) / "socket"))
        with own_speech_process(own, Path(directory) / "log"):
            yield own.socket


@contextmanager
def own_speech_process(speech: Speech, log: Path) -> Iterator[None]:
    """A process at the settings' socket for as long as it is needed. Raises `TrialFailed`."""
    with log.open("wb") as stderr:
        process = gevent.subprocess.Popen(
            [sys.executable, "-m", MODULE, *arguments(speech), "--only"],
            stdin=gevent.subprocess.DEVNULL,
            stdout=gevent.subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + START_S
        while not _answers(speech.socket):
            if process.poll() is not None or time.monotonic() > until:
                last = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
                raise TrialFailed(f"it does not start: {' '.join(last)}", there=False)
            gevent.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(5)


def _answers(path: str) -> bool:
    try:
        Trial(path, "status", {}, timeout_s=STATUS_S).close()
    except TrialFailed:
        return False
    return True
