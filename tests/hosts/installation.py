"""Two machines of workers, two of FreeSWITCH with HAProxy, two of PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import gevent
import psycopg2
from gevent import subprocess
from gevent.subprocess import PIPE

from esl_controller.database.repository.demo import DemoProvider, demo_seed
from tests.hosts import freeswitch
from tests.hosts.databases import NAME, Server
from tests.hosts.heard import Heard, wait_for
from tests.hosts.network import NETWORK, Machine, network
from tests.hosts.switch_host import START

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "haproxy.cfg"
PROXY = "127.0.0.1:8184"
EMULATOR_PORT = 9100
START_S = 60.0
PATIENCE_S = 20.0
NUMBER = "8001"
CAPACITY = 30
"""Of each worker."""


class SwitchMachine:
    """FreeSWITCH, HAProxy and telephones."""

    def __init__(self, machine: Machine, directory: Path, workers: list[str]) -> None:
        self.machine = machine
        directory.mkdir()
        self._stack = ExitStack()
        self._number = 0
        self._asked = directory / "haproxy.sock"
        settings = _proxy_settings(directory, workers, self._asked)
        proxied = ["haproxy", "-db", "-f", str(settings)]
        self._start_proxy = lambda: machine.start(proxied, log=directory / "haproxy.log")
        self._proxy = self._start_proxy()
        self._stack.callback(lambda: _end(self._proxy))
        # A worker is named behind the proxy, should that one be down.
        where = f"{PROXY}|{workers[-1]}:8084"
        if freeswitch.HOME:
            command = freeswitch.command(directory / "freeswitch", where)
            self._begin(command, directory / "freeswitch.out")
        orders = {"socket": where, "real": bool(freeswitch.HOME)}
        command = [sys.executable, "-c", START, json.dumps(orders)]
        log = (directory / "callers.log").open("w")
        self._stack.callback(log.close)
        self._callers: Any = machine.start(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=log)
        self._stack.callback(_end, self._callers)
        self._log = directory / "callers.log"

    def wait_ready(self) -> None:
        """Until calls can be made."""
        assert self._line() == {"ready": True}

    def dial(self, tenant: Any, calls: int, ramp_s: float = 0.1) -> None:
        """Make calls, one after the other; returns at once."""
        self._ask(
            do="dial",
            calls=calls,
            ramp_s=ramp_s,
            number=NUMBER,
            domain_uuid=tenant.domain_uuid,
            domain_name=tenant.domain_name,
        )

    def report(self) -> list[Heard]:
        """How all calls since `hang_up` go."""
        return [Heard(**call) for call in self._ask(do="report")]

    def hang_up(self) -> None:
        """All callers do."""
        self._ask(do="hang_up")

    def states(self) -> list[str]:
        """What HAProxy thinks of each worker: `UP`, `DOWN`, or on the way between them."""
        rows = [line.split(",") for line in self._ask_proxy("show stat").splitlines()]
        at = rows[0].index("status")
        backends = ("FRONTEND", "BACKEND")
        return [row[at] for row in rows[1:] if row[0] == "workers" and row[1] not in backends]

    def only_first_worker(self, only: bool) -> None:
        """Have HAProxy send new calls to the first worker alone, or to all again."""
        state = "maint" if only else "ready"
        self._ask_proxy(f"set server workers/host2-worker0 state {state}")
        expected = ["UP", "MAINT" if only else "UP"]
        wait_for(lambda: self.states() == expected, PATIENCE_S, f"HAProxy: {self.states()}")

    def _ask_proxy(self, words: str) -> str:
        with closing(socket.socket(socket.AF_UNIX)) as sock:
            sock.connect(str(self._asked))
            sock.sendall(words.encode() + b"\n")
            return sock.makefile().read()

    def kill_proxy(self) -> None:
        """HAProxy alone."""
        self._proxy.kill()
        self._proxy.wait()
        self._asked.unlink()

    def restart_proxy(self) -> None:
        """It is there again."""
        self._proxy = self._start_proxy()
        wait_for(self._asked.exists, PATIENCE_S, "no HAProxy")

    def stop(self) -> None:
        """End everything on it."""
        self._stack.close()

    def _begin(self, command: list[str], log: Path) -> None:
        self._stack.callback(_end, self.machine.start(command, log=log, stdin=subprocess.DEVNULL))

    def _ask(self, **order: Any) -> Any:
        """An answer that nobody waited for any more, a test's time being over, is passed by."""
        self._number += 1
        self._callers.stdin.write(json.dumps(order | {"asked": self._number}).encode() + b"\n")
        self._callers.stdin.flush()
        while (answer := self._line())["asked"] != self._number:
            pass
        return answer["answer"]

    def _line(self) -> Any:
        with gevent.Timeout(START_S, AssertionError(f"no answer: {self._log}")):
            line = self._callers.stdout.readline()
        assert line, self._log.read_text()[-2000:]
        return json.loads(line)


class WorkerMachine:
    """One worker, and the provider's emulator: keys go in the clear to this host alone."""

    def __init__(self, machine: Machine, directory: Path, dsn: str) -> None:
        self.machine = machine
        directory.mkdir()
        self.log = directory / "worker.log"
        self._emulator_log = directory / "emulator.log"
        self._environ = {
            "VOICE_AI_DATABASE_DSN": dsn,
            "VOICE_AI_ESL_LISTEN_HOST": machine.address,
            "VOICE_AI_ESL_ALLOW": NETWORK,
            "VOICE_AI_ESL_CAPACITY": str(CAPACITY),
            "VOICE_AI_ESL_LEAVE_PORT_TO": "installation",
            "VOICE_AI_MEDIA_LISTEN_HOST": machine.address,
            "VOICE_AI_LOG_FORMAT": "json",
            "VOICE_AI_STORAGE_STATE_DIR": str(directory / "state"),
            "VOICE_AI_PROVIDER_ALLOWED_HOSTS": "*,127.0.0.1",
            "VOICE_AI_WORKER_DRAIN_DEADLINE_S": "60",
            # So few that workers of both machines often want the same one of a FreeSWITCH.
            "VOICE_AI_MEDIA_UNICAST_PORT_FIRST": "61000",
            "VOICE_AI_MEDIA_UNICAST_PORT_LAST": "61099",
        }
        self._worker: Any = None
        self._emulator: Any = None

    def start(self) -> None:
        """Both."""
        if self._emulator is None:
            program = [sys.executable, "-m", "esl_controller.simulator.openai", "--fast"]
            does = ["--script", "load", "--think-ms", "50", "--port", str(EMULATOR_PORT)]
            command = [*program, *does]
            self._emulator = self.machine.start(command, log=self._emulator_log, cwd=ROOT)
        self._worker = self.machine.start(
            [sys.executable, "-m", "esl_controller", "serve"],
            environ=self._environ,
            log=self.log,
            cwd=ROOT,
        )

    @property
    def running(self) -> bool:
        """Started, and not ended since."""
        return self._worker is not None and self._worker.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """To the worker alone."""
        os.kill(self._worker.pid, number)

    def wait_ended(self, timeout_s: float) -> int:
        """Its exit code."""
        with gevent.Timeout(timeout_s, AssertionError(f"the worker does not end: {self.log}")):
            return int(self._worker.wait())

    def kill(self) -> None:
        """The process alone."""
        self._worker.kill()
        self._worker.wait()

    def lose_power(self) -> None:
        """The whole machine, without a word to anybody."""
        self.machine.vanish()
        for process in (self._worker, self._emulator):
            process.kill()
            process.wait()
        self._emulator = None

    def stop(self) -> None:
        """End everything on it."""
        for process in (self._worker, self._emulator):
            if process is not None:
                _end(process)


def _end(process: Any) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Installation:
    """All of it."""

    def __init__(self, machines: dict[str, Machine], directory: Path) -> None:
        self.primary = Server(machines["db1"], directory / "db1")
        self.standby = Server(machines["db2"], directory / "db2")
        self.database = self.primary
        """Which takes writes."""
        both = f"{machines['db1'].address},{machines['db2'].address}"
        dsn = f"host={both} user=postgres dbname={NAME}"
        self.workers = [
            WorkerMachine(machines[name], directory / name, dsn)
            for name in ("workers1", "workers2")
        ]
        self._machines = machines
        self._directory = directory
        self.switches: list[SwitchMachine] = []

    def start(self) -> None:
        """Databases first; returns when calls are taken everywhere."""
        self.primary.make()
        self.primary.migrate()
        self.standby.follow(self.primary)
        for worker in self.workers:
            worker.start()
        for name in ("switch1", "switch2"):
            workers = [worker.machine.address for worker in self.workers]
            machine = self._machines[name]
            self.switches.append(SwitchMachine(machine, self._directory / name, workers))
        for switch in self.switches:
            switch.wait_ready()
        self.wait_all_taking()

    def stop(self) -> None:
        """End everything."""
        for part in (*self.switches, *self.workers):
            part.stop()
        for server in (self.primary, self.standby):
            if server.running:
                server.stop()

    def wait_all_taking(self) -> None:
        """Until both workers run, and both proxies know."""
        for worker in self.workers:
            if not worker.running:
                worker.start()
        sql = """select count(*) from v_voice_workers_realtime
                 where listening and not draining and seen_at > now() - interval '15 s'"""
        ready = lambda: self.sql(sql)[0][0] == len(self.workers)  # noqa: E731
        wait_for(ready, START_S, "workers do not register")
        for switch in self.switches:
            seen = lambda switch=switch: switch.states() == ["UP", "UP"]  # noqa: E731
            wait_for(seen, START_S, f"HAProxy does not see both workers: {switch.states()}")

    def tenant(self, **secretary: Any) -> Any:
        """A new domain, answered by the provider's emulator on each worker's machine."""
        base_url = f"ws://127.0.0.1:{EMULATOR_PORT}/v1"
        domain_uuid = str(uuid.uuid4())
        more = {"first_message": "Hello, how can I help you?", "silence_duration_ms": 200}
        with closing(psycopg2.connect(self.database.dsn)) as connection, connection:
            return demo_seed(
                connection,
                domain_uuid,
                NUMBER,
                domain_name=f"{domain_uuid[:8]}.example",
                provider=DemoProvider(base_url=base_url),
                **(more | secretary),
            )

    def sql(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """One statement, by the database's own socket."""
        return self.database.execute(sql, *parameters)

    def dial(self, tenant: Any, each: int, ramp_s: float = 0.1) -> None:
        """So many calls from each FreeSWITCH."""
        for switch in self.switches:
            switch.dial(tenant, each, ramp_s)

    def calls(self) -> list[Heard]:
        """Of all callers."""
        return [call for switch in self.switches for call in switch.report()]

    def wait_calls(self, fact: Callable[[list[Heard]], bool], what: str) -> list[Heard]:
        """Until something holds of all calls; returns them."""
        try:
            wait_for(lambda: fact(self.calls()), PATIENCE_S, what)
        except AssertionError as error:
            raise AssertionError(f"{what}: {self.calls()}") from error
        return self.calls()

    def wait_greeted(self, count: int) -> list[Heard]:
        """Until so many callers have heard the agent."""
        return self.wait_calls(
            lambda calls: sum(call.greeted_at is not None for call in calls) == count,
            f"not {count} greeted",
        )

    def hang_up(self) -> None:
        """All callers do."""
        for switch in self.switches:
            switch.hang_up()

    def shares(self, tenant: Any) -> dict[str, int]:
        """How many of a domain's calls each machine of workers had."""
        rows = self.sql(
            """select split_part(worker, ':', 1), count(*) from v_voice_conversations_realtime
               where domain_uuid = %s and outcome is distinct from 'refused' group by 1""",
            tenant.domain_uuid,
        )
        return {str(host): int(count) for host, count in rows}

    def stored(self, tenant: Any, count: int) -> list[tuple[Any, ...]]:
        """Outcome, end cause, whether the turns are whole and how many, of each call of a domain;
        waits until so many have ended, in the database."""
        sql = """select outcome, end_cause, total_turns, (
                   select array_agg(turn_number order by turn_number) from v_voice_turns_realtime t
                   where t.conversation_uuid = c.conversation_uuid)
                 from v_voice_conversations_realtime c
                 where domain_uuid = %s and ended_at is not null"""
        told = lambda: self.sql(sql, tenant.domain_uuid)  # noqa: E731
        wait_for(lambda: len(told()) == count, PATIENCE_S, f"not {count} stored: {told()}")
        return told()


def _proxy_settings(directory: Path, workers: list[str], asked: Path) -> Path:
    """The shipped file with these workers in it, and a socket to ask it."""
    text = SHIPPED.read_text()
    for number, address in enumerate(workers, start=5):
        assert f"10.0.0.{number}:" in text
        text = text.replace(f"10.0.0.{number}:", f"{address}:")
    path = directory / "haproxy.cfg"
    path.write_text(f"{text}\nglobal\n    stats socket {asked} level admin\n")
    return path


@contextmanager
def installation(directory: Path) -> Iterator[Installation]:
    """Running, and gone at the end."""
    names = ("workers1", "workers2", "switch1", "switch2", "db1", "db2")
    with network(names) as machines:
        whole = Installation(machines, directory)
        try:
            whole.start()
            yield whole
        finally:
            whole.stop()


def now() -> float:
    """As the calls' times are counted."""
    return time.monotonic()
