"""Two workers as an operator runs them: processes of `esl-controller serve` on one database.

Switch, callers and providers are in the test's own process.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import msgspec
from gevent import subprocess

from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.simulator.caller_script import Step
from esl_controller.simulator.openai.record import SessionRecord
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM
from tests.integration.api_kit import TOKEN, Client
from tests.integration.db_fixtures import TestDatabase, execute
from tests.integration.service import Desk, Tenant, TestCall, free_port, wait_for

START_S = 40.0
PATIENCE_S = 20.0
HANG_UP = [Action("hangup")]
_CHANGES = "voice_ai_realtime_config_changes_total"
_LISTENING = "voice_ai_realtime_config_listening"
_SEEDS = itertools.count()
"""Calls of all tests go to the same workers, so no two may have the same UUID."""
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")


class Worker:
    """One process, started as often as a test wants."""

    def __init__(
        self, index: int, dsn: str, state_dir: Path, *, esl_port: int = 0, **environ: str
    ) -> None:
        self.esl = ("127.0.0.1", esl_port or free_port())
        self.media = ("127.0.0.1", free_port())
        self.log = state_dir / f"worker-{index}.log"
        self.client = Client(self.media)
        self._environ = {
            "VOICE_AI_DATABASE_DSN": dsn,
            "VOICE_AI_ESL_PORT": str(self.esl[1]),
            "VOICE_AI_HTTP_ADMIN_TOKEN": TOKEN,
            "VOICE_AI_LOG_FORMAT": "json",
            "VOICE_AI_LOG_LEVEL": "debug",
            "VOICE_AI_MEDIA_PORT": str(self.media[1] - index),
            "VOICE_AI_STORAGE_STATE_DIR": str(state_dir),
            "VOICE_AI_PROVIDER_ALLOWED_HOSTS": "*,127.0.0.1",
            "VOICE_AI_WORKER_COUNT": "2",
            "VOICE_AI_WORKER_DRAIN_DEADLINE_S": "1",
            "VOICE_AI_WORKER_INDEX": str(index),
        } | environ
        self.program = [sys.executable, "-m", "esl_controller", "serve"]
        self._process: Any = None

    @property
    def pid(self) -> int:
        """Of the process."""
        return int(self._process.pid)

    @property
    def alive(self) -> bool:
        """Started, and not ended since."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin to start; `wait_ready` waits for the end of that."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.program,
                env=inherited | self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_ready(self) -> None:
        """Until it takes calls and hears what changes in the database."""
        wait_for(self._is_ready, START_S, f"worker not ready: {self.log}")

    def _is_ready(self) -> bool:
        assert self.alive, self.log.read_text()
        try:
            return self.page("/ready") != "" and self.metric(_LISTENING) == 1
        except OSError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send it to this process alone."""
        self._process.send_signal(number)

    def command(self, *arguments: str) -> str:
        """What a command of `esl-controller` prints, run with this worker's settings."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-m", "esl_controller", *arguments],
            env=inherited | self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=True,
        )
        return str(done.stdout)

    def kill(self) -> None:
        """SIGKILL: nothing of it is tidied up."""
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def stop(self) -> int:
        """SIGTERM, as supervisord does; returns the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return int(self._process.wait(PATIENCE_S))

    def metrics(self) -> str:
        """The text of /metrics."""
        return self.page("/metrics")

    def metric(self, name: str) -> float:
        """One sample without labels."""
        pairs = (line.split(" ") for line in self.metrics().splitlines() if line[:1] != "#")
        return next(float(pair[1]) for pair in pairs if pair[0] == name)

    def log_lines(self) -> Iterator[str]:
        """Everything logged so far, lines that are no JSON too."""
        yield from self.log.read_text().splitlines()

    def page(self, path: str) -> str:
        """The text of a page."""
        host, port = self.media
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())


@dataclass
class Pair(Desk):
    """What a test holds in its hands."""

    workers: list[Worker] = field(kw_only=True)

    def change(self, action: Callable[[], Any]) -> Any:
        """Do one transaction that changes settings, and wait until both workers have heard."""
        before = [worker.metric(_CHANGES) for worker in self.workers]
        result = action()
        self.wait_heard(before)
        return result

    def wait_heard(self, before: list[float]) -> None:
        """Until each worker has heard of a change more than `before`."""
        counted = list(zip(self.workers, before, strict=True))
        wait_for(lambda: all(w.metric(_CHANGES) > seen for w, seen in counted), PATIENCE_S)

    def timed_change(self, sql: str, *parameters: object) -> float:
        """Run a statement as a page of FusionPBX would; seconds until both workers knew."""
        before = [worker.metric(_CHANGES) for worker in self.workers]
        self.database.execute(sql, *parameters)
        committed = time.monotonic()
        self.wait_heard(before)
        return time.monotonic() - committed

    def tenant_with(self, **more: Any) -> Tenant:
        """A new tenant, known to both workers."""
        tenant: Tenant = self.change(lambda: self.add_tenant(**more))
        return tenant

    def dial(self, worker: Worker, tenant: Tenant, *steps: Step, **more: Any) -> TestCall:
        """Call through one of the workers; the dialplan hangs up what comes back."""
        more = {"address": worker.esl, "actions_after": HANG_UP, "keep_audio": False} | more
        return self.call(steps, tenant=tenant, **more)

    def talk(
        self, worker: Worker, tenant: Tenant, *steps: Step, **more: Any
    ) -> tuple[TestCall, SessionRecord]:
        """Call, and wait until the secretary has greeted; the provider's side of it too."""
        known = len(tenant.records)
        call = self.dial(worker, tenant, *steps, **more)
        wait_for(lambda: len(tenant.records) > known, PATIENCE_S, f"no provider: {call.story()}")
        record = tenant.records[known]
        wait_for(lambda: record.spoken and call.leg.answered.is_set(), PATIENCE_S)
        return call, record

    def hang_up(self, *calls: TestCall) -> None:
        """All of them, and wait until they are over."""
        for call in calls:
            call.caller.hang_up()
        for call in calls:
            call.wait()

    def wait_stored(self, *calls: TestCall) -> None:
        """Until the ends of the calls are in the database."""
        sql = """select count(*) from v_voice_conversations_realtime
                 where call_uuid = any(%s) and ended_at is not null"""
        keys = [call.leg.uuid for call in calls]
        stored = lambda: self.database.execute(sql, keys)[0][0] == len(keys)  # noqa: E731
        wait_for(stored, PATIENCE_S)


@contextmanager
def new_database(server: EmbeddedPostgres, template: str) -> Iterator[TestDatabase]:
    """A migrated database of one module's tests."""
    database = TestDatabase(server, f"two_workers_{os.getpid()}")
    execute(server.dsn(), f"create database {database.name} template {template}")
    try:
        yield database
    finally:
        database.disconnect()
        execute(server.dsn(), f"drop database {database.name} with (force)")


@contextmanager
def supervised(*workers: Worker) -> Iterator[None]:
    """Start a worker again whenever it has ended, as a supervisor does."""

    def supervise(worker: Worker) -> None:
        while True:
            if not worker.alive:
                worker.start()
            gevent.sleep(0.05)

    watching = [gevent.spawn(supervise, worker) for worker in workers]
    try:
        yield
    finally:
        gevent.killall(watching)


@contextmanager
def two_workers(database: TestDatabase, state_dir: Path, **environ: str) -> Iterator[list[Worker]]:
    """Both running, and both told to stop at the end."""
    workers = [Worker(index, database.dsn, state_dir, **environ) for index in range(2)]
    try:
        restart(workers)
        yield workers
    finally:
        codes = [worker.stop() for worker in workers if worker.alive]
    assert codes == [0, 0]


def restart(workers: list[Worker]) -> None:
    """Start those that are not running."""
    for worker in workers:
        if not worker.alive:
            worker.start()
    for worker in workers:
        worker.wait_ready()


@contextmanager
def pair_of(workers: list[Worker], database: TestDatabase, temp_dir: Path) -> Iterator[Pair]:
    """A switch in front of both workers; all calls are over and all providers gone at the end."""
    restart(workers)
    config = SwitchConfig(quirks=CALM, seed=next(_SEEDS), temp_dir=temp_dir)
    with Switch(config) as switch:
        pair = Pair(switch, database, workers[0].esl, workers=workers)
        try:
            yield pair
        finally:
            for session in tuple(switch.sessions.values()):
                session.hang_up()
            wait_for(lambda: not switch.sessions, PATIENCE_S)
            for tenant in pair.tenants:
                tenant.emulator.stop()


def logged(line: str) -> dict[str, Any]:
    """A log line's fields."""
    fields: dict[str, Any] = msgspec.json.decode(line)
    return fields
