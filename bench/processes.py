"""The processes of a measurement: database, worker, provider, callers; each on its own."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.migrate import Migrator
from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoProvider, demo_seed, prepare_standalone

DOMAIN_UUID = "11111111-1111-4111-8111-111111111111"
EXTENSION = "8001"
START_S = 30.0


PORTS = itertools.count(20_000 + os.getpid() * 101 % 10_000)
"""Below the ephemeral range (ip_local_port_range): none is lent to a connection of our own callers
between the moment it is chosen and the moment the worker listens. Two at once are far apart."""


def free_port() -> int:
    """A TCP port nobody listens on now."""
    for port in PORTS:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


def free_ports(count: int) -> list[int]:
    """So many in a row: worker n has its media at the first one's port + n."""
    ports: list[int] = []
    while len(ports) < count:
        port = free_port()
        ports = [*ports, port] if ports and port == ports[-1] + 1 else [port]
    return ports


@contextmanager
def database(directory: Path) -> Iterator[str]:
    """A PostgreSQL of our own with the product's tables."""
    server = EmbeddedPostgres(directory, durable=False)
    dsn = server.start()
    try:
        pool = Pool(dsn, size=1)
        with pool.connection() as connection:
            prepare_standalone(connection)
        Migrator(dsn).up()
        pool.close()
        yield dsn
    finally:
        server.stop()


def seed(dsn: str, base_url: str, kind: str = "openai", **secretary: Any) -> None:
    """One tenant with a greeting, speaking through `base_url`."""
    settings = {"agent_id": "bench"} if kind == "elevenlabs" else {}
    pool = Pool(dsn, size=1)
    with pool.connection() as connection:
        demo_seed(
            connection,
            DOMAIN_UUID,
            EXTENSION,
            provider=DemoProvider(
                base_url=base_url, realtime_provider=kind, provider_settings=settings
            ),
            first_message="Good morning, how can I help you?",
            max_duration_seconds=3600,
            silence_duration_ms=300,
            **secretary,
        )
    pool.close()


@dataclass(slots=True)
class Process:
    """A running process and its CPU so far."""

    popen: subprocess.Popen[str]
    errors: Path
    """What it printed to stderr."""

    def last_words(self) -> str:
        """The end of its stderr, for the report of a failure."""
        return self.errors.read_text("utf-8", "replace")[-2000:].strip()

    def cpu_s(self) -> float:
        """User and system seconds."""
        times = psutil.Process(self.popen.pid).cpu_times()
        return float(times.user + times.system)

    def rss_kb(self) -> float:
        """Resident memory in kilobytes."""
        return psutil.Process(self.popen.pid).memory_info().rss / 1024

    def stop(self) -> str:
        """End it; returns what it still printed."""
        self.popen.send_signal(signal.SIGTERM)
        try:
            out, _ = self.popen.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            out, _ = self.popen.communicate()
        return out or ""


@contextmanager
def running(arguments: list[str], environ: dict[str, str] | None = None) -> Iterator[Process]:
    """A Python process of ours."""
    with tempfile.NamedTemporaryFile(prefix="bench", suffix=".stderr") as errors:
        popen = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONWARNINGS": "ignore", **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        process = Process(popen, Path(errors.name))
        try:
            yield process
        finally:
            if popen.poll() is None:
                process.stop()


def first_json(process: Process) -> dict[str, Any]:
    """The first line a process prints."""
    assert process.popen.stdout is not None
    line = process.popen.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.popen.args!r} said nothing: {process.last_words()}")
    return dict(json.loads(line))


def wait_ready(worker: Process, port: int) -> None:
    """Until the worker answers /ready. Raises RuntimeError with its last words."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and worker.popen.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the worker did not become ready: {worker.last_words()}")


def metrics(port: int) -> dict[str, float]:
    """The worker's Prometheus samples by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}
