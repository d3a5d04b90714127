"""Runs the programs an operator watches with, each in a directory of its own, on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import gevent.subprocess
import requests

from tests.arch.tree import ROOT
from tests.integration.service import free_port

DASHBOARDS = ROOT / "deploy" / "dashboards"
STATSD = ROOT / "build" / "statsd" / "node_modules" / "statsd" / "stats.js"
"""Where `npm install --prefix build/statsd statsd` puts it."""
START_S = 20.0

GRAPHITE_SETTINGS = """
from graphite.settings import *
SECRET_KEY = "of a test"
LOG_DIR = INDEX_DIR = {root!r}
INDEX_FILE = {root!r} + "/index"
STORAGE_DIR = {root!r}
WHISPER_DIR = {root!r} + "/whisper"
STANDARD_DIRS = [WHISPER_DIR]
CARBONLINK_HOSTS = []
ALLOWED_HOSTS = ["*"]
FIND_CACHE_DURATION = DEFAULT_CACHE_DURATION = 0
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {root!r} + "/users"}}}}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
"""
CARBON = """[cache]
STORAGE_DIR = {root}
CONF_DIR = {root}
LOCAL_DATA_DIR = {root}/whisper/
LOG_DIR = {root}
PID_DIR = {root}
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
ENABLE_LOGROTATION = False
USER =
"""


@contextlib.contextmanager
def running(command: list[str], log: Path, **environ: str) -> Iterator[None]:
    """One program, ended with the block."""
    with log.open("wb") as output:
        child = gevent.subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env={**os.environ, **environ},
        )
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(5)
            except gevent.subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def answers(url: str, log: Path) -> None:
    """Wait until it does."""
    until = time.monotonic() + START_S
    while True:
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=2).ok:
                return
        assert time.monotonic() < until, log.read_text()[-3000:]
        gevent.sleep(0.1)


@contextlib.contextmanager
def prometheus(root: Path, worker_port: int) -> Iterator[str]:
    """With the shipped configuration and alerts, looking every second. Yields its address."""
    shipped = (DASHBOARDS / "prometheus.yml").read_text()
    rules = ROOT / "deploy" / "alerts" / "voice-ai.rules.yml"
    text = shipped.replace("15s", "1s").replace("/etc/prometheus/voice-ai.rules.yml", str(rules))
    target = f'targets: ["127.0.0.1:{worker_port}"]'
    text = re.sub(r'targets: \["127.0.0.1:8085".*\]', target, text)
    root.mkdir()
    (root / "prometheus.yml").write_text(text)
    url, log = f"http://127.0.0.1:{free_port()}", root / "log"
    command = ["prometheus", f"--config.file={root / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={root / 'data'}"]
    command += [f"--web.listen-address={url.removeprefix('http://')}"]
    with running(command, log):
        answers(f"{url}/-/ready", log)
        yield url


@contextlib.contextmanager
def graphite(root: Path, statsd_port: int) -> Iterator[str]:
    """StatsD with the shipped settings, carbon with the shipped schemas, graphite-web."""
    root.mkdir()
    line, web = free_port(), free_port()
    for name in ("storage-schemas.conf", "storage-aggregation.conf"):
        text = (DASHBOARDS / name).read_text().replace("10s:1d", "1s:1h")
        (root / name).write_text(text)
    carbon = CARBON.format(root=root, line=line, pickle=free_port(), query=free_port())
    (root / "carbon.conf").write_text(carbon)
    (root / "watch_settings.py").write_text(GRAPHITE_SETTINGS.format(root=str(root)))
    shipped = (DASHBOARDS / "statsd.js").read_text()
    for old, new in (("8125", statsd_port), ("8126", free_port()), ("2003", line), ("10000", 1000)):
        assert old in shipped
        shipped = shipped.replace(old, str(new))
    (root / "statsd.js").write_text(shipped)
    url = f"http://127.0.0.1:{web}"
    system = {"PYTHONPATH": str(root), "DJANGO_SETTINGS_MODULE": "watch_settings"}
    django = ["/usr/bin/python3", "-m", "django"]
    tables = [*django, "migrate", "--run-syncdb", "--verbosity", "0"]
    with contextlib.ExitStack() as stack:
        start = stack.enter_context
        cache = ["carbon-cache", f"--config={root / 'carbon.conf'}", "--nodaemon", "start"]
        start(running(cache, root / "carbon.log"))
        start(running(["node", str(STATSD), str(root / "statsd.js")], root / "statsd.log"))
        gevent.subprocess.check_call(tables, env={**os.environ, **system})
        serve = [*django, "runserver", "--noreload", f"127.0.0.1:{web}"]
        start(running(serve, root / "web.log", **system))
        answers(f"{url}/metrics/find?query=*", root / "web.log")
        yield url
