"""deploy/service on a Debian 12 booted with systemd, and the units it writes (`make systemd`).

The tests go in their order: what one started the next finds running.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.arch.tree import ROOT
from tests.host import debian
from tests.host.machine import Machine, booted, wait_for

pytestmark = [
    pytest.mark.systemd,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("systemd-nspawn") is None,
        reason="needs root, and apt-get install systemd-container",
    ),
]

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "procps",
    "iproute2",
    "python3",
    "python3-venv",
    "postgresql",
)
DOMAIN = "11111111-1111-4111-8111-111111111111"
NUMBER = "8001"
EMULATOR_PORT = 9100
SETTINGS = "/etc/voice-ai/voice-ai.toml"
RECORDINGS = "/var/lib/freeswitch/recordings"
AS_WORKER = (
    *("runuser", "-u", "voice-ai", "--", "env", f"VOICE_AI_CONFIG={SETTINGS}"),
    "/usr/local/bin/esl-controller",
)
WORKERS = ("voice-ai@0", "voice-ai@1")
# What pip asks for was fetched before: a booted machine reaches nobody.
FETCHED = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}


@pytest.fixture(scope="module")
def work() -> Iterator[Path]:
    """On a disk. SYSTEMD_FOLDER names one to keep: its Debian is used again."""
    kept = os.environ.get("SYSTEMD_FOLDER")
    path = Path(kept or tempfile.mkdtemp(prefix="voice-ai-systemd-", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path / "machine")
    if not kept:
        shutil.rmtree(path)


@pytest.fixture(scope="module")
def root(work: Path) -> Path:
    """A Debian with the project in /src and what pip will ask for in /wheels."""
    base, root = work / "debian", work / "machine"
    if not (base / "wheels").exists():
        if not base.exists():
            debian.make(base, *PACKAGES)
        _fetch_wheels(base)
    subprocess.run(["cp", "-a", base, root], check=True)
    (root / "src").mkdir()
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    packed = ["tar", "--create", "--null", "--files-from=-"]
    archive = subprocess.run(packed, cwd=ROOT, input=files.stdout, capture_output=True, check=True)
    subprocess.run(["tar", "--extract", "-C", root / "src"], input=archive.stdout, check=True)
    return root


def _fetch_wheels(base: Path) -> None:
    shutil.copytree(ROOT / "deploy/locks", base / "tmp/locks")
    index = {k: v for k, v in os.environ.items() if k in {"PIP_INDEX_URL", "PIP_TRUSTED_HOST"}}
    fetch = """python3 -m venv /tmp/venv
        /tmp/venv/bin/pip download --quiet --require-hashes --dest /wheels \
            --requirement /tmp/locks/build.txt --requirement /tmp/locks/service.txt"""
    index["PIP_CERT"] = "/etc/ssl/certs/ca-certificates.crt"
    done = debian.run(base, "sh", "-ec", fetch, **index)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def machine(root: Path, work: Path) -> Iterator[Machine]:
    """Booted."""
    with booted(root, work / "boot.log") as machine:
        yield machine


@pytest.fixture(scope="module")
def host(machine: Machine) -> Machine:
    """With database, program and settings, as the scripts make them; no worker runs yet."""
    machine.told("/src/deploy/database", "--create")
    (machine.root / "root/key").write_text("sk-of-the-operator\n")
    done = machine.run(
        "/src/deploy/service", "--workers", "2", "--key-file", "/root/key", **FETCHED
    )
    # No FreeSWITCH answers here, which doctor says.
    assert "seen: esl-controller" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    machine.told("/src/deploy/database")
    with (machine.root / SETTINGS.lstrip("/")).open("a") as file:  # below [provider]
        file.write('allowed_hosts = ["*", "127.0.0.1"]\n')
    machine.told("install", "--directory", "--owner=voice-ai", "--mode=0770", RECORDINGS)
    starts = [line for line in done.stdout.splitlines() if "systemctl daemon-reload" in line]
    machine.told("bash", "-c", starts[0].partition(". ")[2])
    return machine


@pytest.fixture(scope="module")
def tenant(host: Machine, work: Path) -> Iterator[Machine]:
    """With a secretary, and the emulated provider on the machine's network."""
    sql = f"insert into v_domains (domain_uuid, domain_name) values ('{DOMAIN}', 'a.example')"
    host.told("runuser", "-u", "postgres", "--", "psql", "--quiet", "fusionpbx", "-c", sql)
    url = f"--base-url=ws://127.0.0.1:{EMULATOR_PORT}/v1/realtime"
    add = f"provider add openai --domain {DOMAIN} {url} --key-stdin </root/key"
    host.told("sh", "-c", f"{' '.join(AS_WORKER)} {add}")
    esl_controller(
        host,
        "secretary",
        "add",
        NUMBER,
        "--domain",
        DOMAIN,
        "--name=Reception",
        "--prompt=Be kind.",
        "--greeting=Good morning!",
    )
    does = ("--fast", "--script", "load", "--think-ms", "50", "--port", str(EMULATOR_PORT))
    with (work / "emulator.log").open("wb") as log:
        emulator = host.python(
            "-m", "esl_controller.simulator.openai", *does, stdout=log, stderr=log
        )
    yield host
    emulator.terminate()
    emulator.wait(20)


def esl_controller(machine: Machine, *words: str) -> str:
    """A command as the workers' user."""
    return machine.told(*AS_WORKER, *words)


def load(machine: Machine, calls: int, seconds: float) -> subprocess.Popen[str]:
    """Calls by the simulated switch."""
    wanted = ["--calls", str(calls), "--seconds", str(seconds), "--domain", DOMAIN]
    wanted += ["--extension", NUMBER, "--port", "8084", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return machine.python("-m", "esl_controller", "load", *wanted, **pipes)


def told(calls: subprocess.Popen[str]) -> dict[str, Any]:
    """What `load` found, when it has ended."""
    output, errors = calls.communicate(timeout=120)
    assert output, errors[-2000:]
    found: dict[str, Any] = json.loads(output)["summary"]
    return found


def pids(machine: Machine) -> list[int]:
    """Of the workers, as the machine numbers them."""
    return [int(machine.unit(name, "MainPID")) for name in WORKERS]


def sql(machine: Machine, statement: str) -> str:
    psql = ("psql", "--tuples-only", "--no-align", "fusionpbx", "-c", statement)
    return machine.told("runuser", "-u", "postgres", "--", *psql)


def ended_at(machine: Machine, name: str) -> int:
    """Microseconds since the boot."""
    return int(machine.unit(name, "InactiveEnterTimestampMonotonic"))


def states(machine: Machine) -> set[str]:
    return {machine.unit(name, "ActiveState") for name in WORKERS}


def test_the_units_are_sound_and_the_workers_run(host: Machine) -> None:
    units = host.root / "etc/systemd/system"
    shipped = {path.name: path.read_text() for path in (host.root / "src/deploy/systemd").iterdir()}
    assert {name: (units / name).read_text() for name in shipped} == shipped
    full = ("voice-ai@0.service", "voice-ai-speech.service", "voice-ai.target")
    told_ = host.run("systemd-analyze", "verify", *full)
    assert (told_.returncode, told_.stderr) == (0, "")
    assert states(host) == {"active"}
    assert host.unit("voice-ai.target", "ActiveState") == "active"
    print("\n" + host.told("systemctl", "status", "--no-pager", "voice-ai@0"))
    print(
        host.run("systemd-analyze", "security", "--no-pager", "voice-ai@0").stdout.splitlines()[-1]
    )


def test_a_worker_writes_where_it_must_and_nowhere_else(host: Machine) -> None:
    ours = f"/var/lib/voice-ai /var/log/voice-ai {RECORDINGS} /tmp /dev/shm"
    others = "/etc/voice-ai /opt/voice-ai/bin /usr /root /var/lib/postgresql"
    try_ = 'if touch "$at/x" 2>/dev/null; then echo "$at"; rm "$at/x"; fi'
    tries = f"for at in {ours} {others}; do {try_}; done"
    into = ("nsenter", f"--target={pids(host)[0]}", "--mount", "--", "runuser", "-u", "voice-ai")
    found = host.told(*into, "--", "sh", "-c", tries).split()
    assert found == ours.split()
    status = host.told("cat", f"/proc/{pids(host)[0]}/status")
    rows = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert int(rows["CapBnd"], 16) == 0
    assert rows["NoNewPrivs"] == "1"
    assert rows["Seccomp"] == "2"


def test_calls_are_answered(tenant: Machine) -> None:
    found = told(load(tenant, calls=4, seconds=6))
    assert (found["calls"], found["served"]) == (4, 4), json.dumps(found)
    ended = "select count(*) from v_voice_conversations_realtime where outcome is not null"
    wait_for(lambda: sql(tenant, ended) == "4", "four conversations in the database")


def test_a_worker_that_hangs_is_killed_by_the_watchdog_and_started_again(tenant: Machine) -> None:
    before = pids(tenant)
    tenant.told("kill", "-STOP", str(before[0]))
    wait_for(lambda: pids(tenant)[0] not in (0, before[0]), "a new worker 0", 40)
    wait_for(lambda: states(tenant) == {"active"}, "both active")
    assert pids(tenant)[1] == before[1]
    journal = tenant.told("journalctl", "--unit=voice-ai@0", "--no-pager", "--output=cat")
    assert "Watchdog timeout" in journal


def test_a_worker_that_is_killed_comes_back(tenant: Machine) -> None:
    before = pids(tenant)
    for _ in range(7):  # more than systemd's own limit of starts
        pid = pids(tenant)[1]
        tenant.told("kill", "-KILL", str(pid))
        wait_for(lambda pid=pid: pids(tenant)[1] not in (0, pid), "a new worker 1", 30)
    wait_for(lambda: states(tenant) == {"active"}, "both active")
    assert pids(tenant)[0] == before[0]


def test_stopping_the_target_returns_when_the_last_call_has_ended(tenant: Machine) -> None:
    """Also the speech process stays for it."""
    tenant.told("systemctl", "start", "voice-ai-speech")
    call = load(tenant, calls=1, seconds=12)
    going_on = "select count(*) from v_voice_conversations_realtime where outcome is null"
    wait_for(lambda: sql(tenant, going_on) == "1", "a call going on")
    tenant.told("systemctl", "stop", "voice-ai.target")
    assert (states(tenant), sql(tenant, going_on)) == ({"inactive"}, "0")
    found = told(call)
    assert (found["calls"], found["served"]) == (1, 1), json.dumps(found)
    assert {tenant.unit(name, "Result") for name in WORKERS} == {"success"}
    ended = [ended_at(tenant, name) for name in (*WORKERS, "voice-ai-speech")]
    assert ended[2] == max(ended), ended
    tenant.told("systemctl", "start", "voice-ai.target")
    wait_for(lambda: states(tenant) == {"active"}, "both active")


def test_restart_takes_one_after_the_other_under_calls(tenant: Machine) -> None:
    before = pids(tenant)
    calls = load(tenant, calls=10, seconds=12)
    going_on = "select count(*) from v_voice_conversations_realtime where outcome is null"
    wait_for(lambda: int(sql(tenant, going_on)) >= 8, "calls going on")
    esl_controller(tenant, "restart")
    assert told(calls)["served"] == 10
    assert not {*before} & {*pids(tenant)}
    assert states(tenant) == {"active"}


def test_a_reload_is_heard(tenant: Machine) -> None:
    before = pids(tenant)
    tenant.told("systemctl", "reload", *WORKERS)
    assert pids(tenant) == before
    assert states(tenant) == {"active"}


def test_the_speech_unit_runs(tenant: Machine) -> None:
    tenant.told("systemctl", "enable", "--now", "voice-ai-speech")
    socket = tenant.root / "var/lib/voice-ai/speech/socket"
    wait_for(socket.exists, "the speech process listens", 30)
    assert tenant.unit("voice-ai-speech", "ActiveState") == "active"
    assert tenant.unit("voice-ai-speech", "NRestarts") == "0"


def test_upgrade_and_rollback(tenant: Machine) -> None:
    first = os.readlink(tenant.root / "opt/voice-ai")
    before = pids(tenant)
    tenant.told("/src/deploy/upgrade", **FETCHED)
    second = os.readlink(tenant.root / "opt/voice-ai")
    assert second != first
    assert not {*before} & {*pids(tenant)}
    assert second in tenant.told("cat", f"/proc/{pids(tenant)[0]}/maps")
    tenant.told("/src/deploy/rollback")
    assert os.readlink(tenant.root / "opt/voice-ai") == first
    assert told(load(tenant, calls=2, seconds=5))["served"] == 2


def test_no_journal_has_a_secret(tenant: Machine) -> None:
    journal = tenant.told("journalctl", "--no-pager", "--output=cat")
    assert "call" in journal
    for name in ("owner.dsn", "database.dsn", "admin.token", "provider.key"):
        secret = (tenant.root / "etc/voice-ai" / name).read_text().strip()
        if "://" in secret:
            secret = secret.partition("://")[2].partition("@")[0].partition(":")[2]
        assert secret and secret not in journal, name


def test_all_of_it_is_there_after_the_next_boot(tenant: Machine, work: Path) -> None:
    """Nobody starts anything by hand."""
    tenant.run("systemctl", "poweroff")
    wait_for(lambda: not tenant.leader, "powered off")
    with booted(tenant.root, work / "boot.log") as again:
        wait_for(lambda: states(again) == {"active"}, "both active")
        assert again.unit("voice-ai.target", "ActiveState") == "active"
