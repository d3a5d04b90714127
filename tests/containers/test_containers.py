"""The image is built and compose.yaml started on a Docker of the test's own (`make containers`).

The tests go in their order: what one started the next finds running.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esl_controller import __version__
from tests.containers import images, installation
from tests.containers.engine import engine, missing
from tests.containers.installation import (
    API_KEY,
    DOMAIN,
    EMULATOR_PORT,
    EVERYTHING,
    FREESWITCH_PASSWORD,
    NUMBER,
    Installation,
    told,
    wait_for,
)

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

HEALTHY = {
    "database": "healthy",
    "tables": "exited",
    "worker-0": "healthy",
    "worker-1": "healthy",
    "turn-based": "healthy",
    "graphite": "running",
    "grafana": "running",
}


@pytest.fixture(scope="module")
def work() -> Iterator[Path]:
    """On a disk, for images. CONTAINERS_FOLDER names one to keep: the next run builds less."""
    kept = os.environ.get("CONTAINERS_FOLDER")
    path = Path(kept or tempfile.mkdtemp(prefix="voice-ai-containers-", dir="/var/tmp"))
    path.mkdir(exist_ok=True)
    shutil.rmtree(path / "project", ignore_errors=True)
    yield path
    if not kept:
        shutil.rmtree(path)


@pytest.fixture(scope="module")
def site(work: Path) -> Iterator[Installation]:
    """Images made; nothing started yet."""
    source = work / "project"
    installation.copy_project(source)
    with engine(work / "engine", alone=False) as building:
        base = images.python_base(building, work / "debian")
        images.of_others(building, base)
        compose = ("compose", "--project-directory", source / "deploy")
        (source / "deploy/.env").write_text("IMAGE_TAG=latest\n")
        building.docker(*compose, "build", timeout_s=900)
        (source / "deploy/.env").unlink()
    with engine(work / "engine", alone=True) as running:
        site = Installation(running, source)
        emulator = site.emulator(work / "emulator.log")
        try:
            yield site
        finally:
            emulator.terminate()
            emulator.wait(20)
            site.compose("down", "--volumes", "--timeout", "5")


def test_the_first_start_says_what_is_missing(site: Installation) -> None:
    done = site.start(*EVERYTHING)
    assert done.returncode == 1
    assert "secrets/freeswitch.password" in done.stdout
    assert site.states() == {}
    for name, owner in (("admin.token", 8085), ("pgpass", 8085), ("grafana.password", 472)):
        status = (site.secrets / name).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o400, owner), name


def test_the_second_starts_everything_and_waits_until_it_is_healthy(site: Installation) -> None:
    (site.secrets / "freeswitch.password").write_text(FREESWITCH_PASSWORD)
    key = site.secrets / "provider.key"
    key.write_text(API_KEY)
    key.chmod(0o400)
    os.chown(key, 8085, 8085)
    more = "VOICE_AI_PROVIDER_ALLOWED_HOSTS=*,127.0.0.1\n"
    with (site.deploy / ".env").open("a") as file:
        file.write(f"{more}VOICE_AI_PROVIDER_API_KEY=file:/etc/voice-ai/provider.key\n")
    before = {path: path.read_bytes() for path in site.secrets.iterdir()}
    done = site.start(*EVERYTHING)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert site.states() == HEALTHY
    assert {path: path.read_bytes() for path in site.secrets.iterdir()} == before
    assert site.esl_controller("--version").strip() == f"esl-controller, version {__version__}"


def test_a_worker_may_do_little(site: Installation) -> None:
    status = site.compose("exec", "--no-TTY", "worker-0", "cat", "/proc/1/status")
    rows = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert rows["Uid"].split() == ["8085"] * 4
    assert int(rows["CapEff"], 16) == int(rows["CapBnd"], 16) == 0
    assert rows["NoNewPrivs"] == "1"
    writing = ("exec", "--no-TTY", "worker-0", "sh", "-c")
    places = "/ /opt/voice-ai /etc/voice-ai /var/lib/voice-ai /tmp"
    tries = f"for at in {places}; do touch $at/x 2>/dev/null && echo $at; done; true"
    assert site.compose(*writing, tries).split() == ["/var/lib/voice-ai", "/tmp"]
    unread = "cat /etc/voice-ai/database.password /etc/voice-ai/grafana.password || echo no"
    assert site.compose(*writing, unread).strip() == "no"


def test_calls_are_answered(site: Installation) -> None:
    domain = f"insert into v_domains (domain_uuid, domain_name) values ('{DOMAIN}', 'a.example')"
    site.sql(domain)
    url = f"--base-url=ws://127.0.0.1:{EMULATOR_PORT}/v1/realtime"
    add = ("provider", "add", "openai", "--domain", DOMAIN, url, "--key-stdin")
    site.esl_controller(*add, input=API_KEY)
    site.esl_controller(
        *("secretary", "add", NUMBER, "--domain", DOMAIN, "--name=Reception"),
        *("--prompt=Be kind.", "--greeting=Good morning!"),
    )
    found = told(site.load(calls=4, seconds=8))
    assert (found["calls"], found["served"]) == (4, 4), json.dumps(found)
    print(f"\n4 calls in containers: {json.dumps(found)}")
    ended = "select count(*) from v_voice_conversations_realtime where outcome is not null"
    wait_for(lambda: site.sql(ended) == "4", "four conversations in the database")


def test_what_happened_is_seen_in_graphite(site: Installation) -> None:
    """StatsD has the shipped names, carbon the shipped steps."""
    url = "http://127.0.0.1:8200/render?target=voice_ai.*.*.active_sessions&from=-5min&format=json"
    shown = wait_for(
        lambda: "datapoints" in (page := site.fetch(url)) and page, "points in Graphite"
    )
    steps = {
        b[1] - a[1]
        for one in json.loads(shown)
        for a, b in zip(one["datapoints"], one["datapoints"][1:], strict=False)
    }
    assert steps == {10}
    found = json.loads(site.fetch("http://127.0.0.1:3000/"))
    assert found["has_password"]
    assert "http://graphite" in found["sources"][0]
    assert "/etc/dashboards" in found["providers"][0]
    assert len(found["dashboards"]) == 1


def test_version_1_is_beside_it(site: Installation) -> None:
    assert "version 1" in site.fetch("http://127.0.0.1:8100/")


def test_a_worker_that_dies_is_started_again(site: Installation) -> None:
    before = site.engine.inspect("voice-ai-worker-1-1")["State"]
    os.kill(before["Pid"], signal.SIGKILL)

    def is_back() -> bool:
        state = site.engine.inspect("voice-ai-worker-1-1")["State"]
        return bool(
            state["Pid"] not in (0, before["Pid"]) and state["Health"]["Status"] == "healthy"
        )

    wait_for(is_back, "worker 1 healthy again")


def test_stop_lets_a_call_end_and_start_finds_what_was_stored(site: Installation) -> None:
    call = site.load(calls=1, seconds=15)
    going_on = "select count(*) from v_voice_conversations_realtime where outcome is null"
    wait_for(lambda: site.sql(going_on) == "1", "a call going on")
    site.compose("stop", "worker-0", "worker-1")
    found = told(call)
    assert (found["calls"], found["served"]) == (1, 1), json.dumps(found)
    for name in ("voice-ai-worker-0-1", "voice-ai-worker-1-1"):
        assert site.engine.inspect(name)["State"]["ExitCode"] == 0
    site.compose("stop")
    done = site.start(*EVERYTHING)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert site.sql("select count(*) from v_voice_conversations_realtime") == "5"
    found = told(site.load(calls=1, seconds=5))
    assert found["served"] == 1, found


def test_no_log_and_no_container_shows_a_secret(site: Installation) -> None:
    shown = site.compose("logs", "--no-color") + json.dumps(
        [site.engine.inspect(name) for name in site.compose("ps", "--all", "--quiet").split()]
    )
    assert "call" in shown
    for path in site.secrets.iterdir():
        secret = path.read_text().strip().rpartition(":")[2]
        assert secret not in shown, path.name
