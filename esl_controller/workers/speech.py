"""Sees that this host has a speech process while a tenant's calls need one.

Whoever listens at the socket will do: a unit of the supervisor's, or another worker's child. Where
nobody does, this worker starts one, and again when it dies. It is asked once a second how it does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import gevent
import gevent.event
import gevent.queue
import gevent.subprocess
import structlog
from gevent import Greenlet

from bridge.errors import RemoteProtocolError
from bridge.providers.registry import DESCRIPTORS
from bridge.speech.channel import SpeechChannel
from bridge.speech.messages import EXIT_RUNNING, Status, decode_status
from bridge.wire.channel import ChannelListener
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import workers
from esl_controller.settings.host import Speech
from esl_controller.telemetry.background import forever

LOOK_S = 1.0
WANTED_EVERY_S = 10.0
"""How soon a tenant's first row that needs it is seen."""
START_S = 10.0
"""Longest time from its start until it listens: Python, numpy and the socket, on a busy host."""
TRY_S = 0.5
"""One that is starting is tried so long, before it is seen whether it still lives."""
HUNG_S = 8.0
"""One that is there and answers nothing for so long is killed, if it is ours."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 30.0
SETTLED_S = 30.0
UNUSED_S = 30.0
"""One whose workers have all left ends by itself after so long."""
END_S = 2.0
MODULE = "bridge.speech.server"
LOCAL = tuple(
    kind
    for kind, one in DESCRIPTORS.items()
    if any("local" in interface.features for interface in one.interfaces)
)
"""Kinds of provider that speak here; some of them hear here, too."""
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")
"""What it is given of ours; there are keys among the rest."""

_log = structlog.get_logger("speech")


def arguments(speech: Speech) -> list[str]:
    """What the process must be told of the settings."""
    told = ["--socket", speech.socket, "--voices", speech.voices_dir]
    told += ["--models", speech.models_dir]
    told += ["--turn-model", speech.turn_model] if speech.turn_model else []
    return told + (["--workers", str(speech.workers)] if speech.workers else [])


@dataclass(slots=True)
class SpeechCounters:
    """Since the worker began; `first_sound_s` and `recognition_s` are taken by who measures."""

    starts: int = 0
    lost: int = 0
    sentences: int = 0
    cancelled: int = 0
    failed: int = 0
    refused: int = 0
    turns: int = 0
    dropped_audio_ms: int = 0
    first_sound_s: list[float] = field(default_factory=list)
    recognition_s: list[float] = field(default_factory=list)


_COUNTED = ("sentences", "cancelled", "failed", "refused", "turns", "dropped_audio_ms")
MAX_DELAYS = 1000


class SpeechDemand:
    """Whether any tenant's calls need local speech; with the database away, as it was."""

    def __init__(self, pool: Pool, default_provider: str, *, always: bool = False) -> None:
        self._pool = pool
        self._always = always or default_provider in LOCAL
        self._wanted = False

    def __call__(self) -> bool:
        """Look; may wait."""
        try:
            with self._pool.connection(autocommit=True) as connection:
                self._wanted = workers.is_any_used(connection, LOCAL)
        except DatabaseError as error:
            _log.warning("speech.not_looked_up", error=str(error))
        return self._always or self._wanted


class SpeechKeeper:
    """One worker's. `wanted` may wait; it says whether any tenant needs the process."""

    def __init__(self, speech: Speech, wanted: Callable[[], bool]) -> None:
        self.counters = SpeechCounters()
        self.status: Status | None = None
        """None: it does not answer."""
        self.cpu_cores = 0.0
        self._speech = speech
        self._wanted = wanted
        self._child: gevent.subprocess.Popen[bytes] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._keeping: Greenlet[..., None] | None = None
        self._asked_at = self._started_at = 0.0

    @property
    def child_pid(self) -> int | None:
        """Of the process this worker started, while it lives."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def start(self) -> None:
        """Begin; without a place for its socket there is none."""
        if self._speech.socket:
            self._keeping = forever("speech", self._run)

    def stop(self) -> None:
        """Leave. A child that others use goes on, and ends when they have left too."""
        if self._keeping is not None:
            self._keeping.kill(timeout=5)
            self._keeping = None
        alone = self.status is None or self.status.programs <= 1
        self.status = None
        if self._child is not None and alone:
            _end(self._child)
            self._child = None

    # --- inside -------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            if self._follow():
                self.counters.lost += 1
                self.status = None
                _log.warning("speech.lost")
            if not self._wanted():
                gevent.sleep(WANTED_EVERY_S)
            elif self.child_pid is None:
                self._start_one()
            elif time.monotonic() - self._started_at > START_S:
                _log.error("speech.hung", pid=self.child_pid)
                self._kill()

    def _follow(self) -> bool:
        """Ask how it does for as long as it is there; False: it is not there."""
        link = _Link(self._speech.socket, TRY_S if self.child_pid is not None else 0.0)
        try:
            if not link.opened():
                return False
            settled_at = time.monotonic() + SETTLED_S
            while (status := link.ask(HUNG_S)) is not None:
                self._take(status)
                if time.monotonic() > settled_at:
                    self._pause_s = FIRST_PAUSE_S
                if link.ended.wait(LOOK_S):
                    return True
            if not link.ended.is_set():
                _log.error("speech.hung", pid=self.child_pid)
                self._kill()
            return True
        finally:
            link.close()

    def _kill(self) -> None:
        """End the process, if it is ours; the supervisor's is its own affair."""
        if self._child is not None:
            self._child.kill()
            self._child.wait(END_S)

    def _take(self, status: Status) -> None:
        now, before = time.monotonic(), self.status
        same = before is not None and before.pid == status.pid
        if before is None or not same:
            _log.info("speech.found", pid=status.pid, ours=status.pid == self.child_pid)
        elif now > self._asked_at:
            self.cpu_cores = (status.cpu_s - before.cpu_s) / (now - self._asked_at)
        for name in _COUNTED:
            grown = getattr(status, name) - (getattr(before, name) if same else 0)
            setattr(self.counters, name, getattr(self.counters, name) + max(0, grown))
        for told, kept in (
            (status.first_sound_s, self.counters.first_sound_s),
            (status.recognition_s, self.counters.recognition_s),
        ):
            kept.extend(told)
            del kept[:-MAX_DELAYS]
        self.status, self._asked_at = status, now

    def _start_one(self) -> None:
        if self._child is not None:
            code = self._child.poll()
            if code != EXIT_RUNNING:
                _log.warning("speech.ended", code=code, again_in_s=self._pause_s)
                gevent.sleep(self._pause_s)
                self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self.counters.starts += 1
        self._started_at = time.monotonic()
        command = [sys.executable, "-m", MODULE, *arguments(self._speech), "--only"]
        self._child = gevent.subprocess.Popen(
            [*command, "--quiet", "--until-unused", str(UNUSED_S)],
            env=_environment(os.environ),
            stdin=gevent.subprocess.DEVNULL,
            stdout=gevent.subprocess.DEVNULL,
            # Ctrl-C in a terminal is for the worker, whose last words need it.
            start_new_session=True,
        )
        _log.info("speech.started", pid=self._child.pid)


class _Link:
    """A connection to the process's service `status`."""

    def __init__(self, path: str, patience_s: float) -> None:
        self.ended = gevent.event.Event()
        self._open = gevent.event.Event()
        self._replies: gevent.queue.Queue[Status | None] = gevent.queue.Queue()
        self._settled = gevent.event.Event()
        listener = ChannelListener(
            on_open=self._on_open,
            on_messages=self._on_messages,
            on_end=lambda end: self._end(),
            on_fault=lambda error: self._end(),
        )
        self._channel = SpeechChannel(
            path, "status", {}, listener, timeout_s=START_S, patience_s=patience_s
        )

    def opened(self) -> bool:
        """Wait until it is there, or is known not to be."""
        self._settled.wait()
        return self._open.is_set() and not self.ended.is_set()

    def ask(self, timeout_s: float) -> Status | None:
        """How it does; None: it is gone, or does not answer."""
        self._channel.send(b"{}", False)
        try:
            return self._replies.get(timeout=timeout_s)
        except gevent.queue.Empty:
            return None

    def close(self) -> None:
        """Leave."""
        self._channel.close()

    def _on_open(self) -> None:
        self._open.set()
        self._settled.set()

    def _on_messages(self, messages: list[bytes]) -> None:
        for message in messages:
            try:
                self._replies.put(decode_status(message))
            except RemoteProtocolError as error:
                _log.warning("speech.status", error=str(error))

    def _end(self) -> None:
        self.ended.set()
        self._settled.set()
        self._replies.put(None)


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    return {name: ours[name] for name in _ENVIRONMENT if name in ours}


def _end(child: gevent.subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(END_S)
    except gevent.subprocess.TimeoutExpired:
        child.kill()
        child.wait(END_S)
