"""Commands of `esl-controller` against the simulator's FreeSWITCH and a real PostgreSQL."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gevent.pywsgi
import pytest

from esl_controller.database.migrate import load_migrations
from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoProvider, prepare_standalone
from esl_controller.settings.table import Http
from esl_controller.settings.types import Secret
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM, Edition
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tenants.keys.secrets import SecretError, SecretKeys
from esl_controller.web.pages import HttpPages, SessionInfo
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase
from tests.unit.test_http import Service

TOKEN = "token-of-the-operator"
DOMAIN = "11111111-1111-4111-8111-111111111111"
Doctor = Callable[..., tuple[dict[str, dict[str, str]], int]]


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    with Switch(SwitchConfig(quirks=CALM, seed=1, temp_dir=tmp_path)) as switch:
        yield switch


@pytest.fixture
def doctor(tmp_path: Path, switch: Switch, database: TestDatabase) -> Doctor:
    """Run the doctor of a healthy installation, with changes."""
    SecretKeys.load_or_create(tmp_path / "secret.key")
    environ = {
        "VOICE_AI_ESL_PORT": "0",
        "VOICE_AI_MEDIA_PORT": "0",
        "VOICE_AI_FREESWITCH_PORT": str(switch.listen_inbound()),
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
        "VOICE_AI_PROVIDER_API_KEY": "key",
    }

    def look(*arguments: str, **changes: str) -> tuple[dict[str, dict[str, str]], int]:
        result = run("doctor", "--json", *arguments, **{**environ, **changes})
        report = json.loads(result.stdout)
        assert report["healthy"] == (result.exit_code == 0)
        return {finding["check"]: finding for finding in report["findings"]}, result.exit_code

    return look


def set_edition(switch: Switch, edition: Edition) -> None:
    switch.quirks = replace(switch.quirks, edition=edition)


def states(findings: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: finding["state"] for name, finding in findings.items()}


def test_a_healthy_installation(doctor: Doctor) -> None:
    findings, code = doctor(VOICE_AI_MEDIA_FLAVOUR="open")
    assert code == 0
    found = states(findings)
    assert found.pop("timers") in {"ok", "warning"}  # tests may run on a busy machine
    assert found.pop("media path") in {"ok", "note"}  # the core may be compiled or not
    assert found == {
        "media port 0": "ok",
        "ESL port 0": "ok",
        "addresses": "ok",
        "spool directory": "ok",
        "disk": "ok",
        "secret key": "ok",
        "open files": "ok",
        "workers": "ok",
        "database": "ok",
        "FusionPBX tables": "ok",
        "clock": "ok",
        "migrations": "ok",
        "running workers": "ok",
        "database role": "ok",
        "doors": "ok",
        "secret files": "ok",
        "dialplan order": "note",
        "tenants' keys": "ok",
        "FreeSWITCH": "ok",
        "FreeSWITCH sessions": "ok",
        "FreeSWITCH password": "warning",
        "mod_lua": "ok",
        "mod_audio_stream": "ok",
        "playback": "ok",
        "provider key": "ok",
        "provider host": "note",
        "provider model": "ok",
    }


def test_the_table_for_people_has_advice(doctor: Doctor) -> None:
    result = run("doctor", VOICE_AI_FREESWITCH_PORT="1", VOICE_AI_FREESWITCH_TIMEOUT_S="0.5")
    assert result.exit_code == 1
    assert "failed   FreeSWITCH" in result.stdout
    assert "→ check mod_event_socket" in result.stdout


def test_what_failed_before_an_upgrade_does_not_count(doctor: Doctor, tmp_path: Path) -> None:
    away = {"VOICE_AI_FREESWITCH_PORT": "1", "VOICE_AI_FREESWITCH_TIMEOUT_S": "0.5"}
    report = tmp_path / "report.json"
    report.write_text(run("doctor", "--json", **away).stdout)
    same = run("doctor", "--known", str(report), **away)
    assert (same.exit_code, "failed   FreeSWITCH" in same.stdout) == (0, True)
    report.write_text('{"findings": []}')
    new = run("doctor", "--known", str(report), **away)
    assert new.exit_code == 1
    assert "new failures: " in new.stderr
    report.write_text("no report")
    assert run("doctor", "--known", str(report), **away).exit_code == 1


@pytest.mark.parametrize(
    ("edition", "state", "words"),
    [
        (Edition.OPEN, "note", "open or voxcom-us or cloudfieldcz"),
        (Edition.CLOSED, "note", "1.0.3 or 1.1.0"),
        (Edition.ALCHEMILLA, "warning", "this one can end FreeSWITCH"),
        (Edition.EARSHOT, "ok", "earshot"),
        (Edition.NONE, "failed", "not loaded"),
    ],
)
def test_the_edition_of_the_audio_module(
    doctor: Doctor, switch: Switch, edition: Edition, state: str, words: str
) -> None:
    set_edition(switch, edition)
    finding = doctor()[0]["mod_audio_stream"]
    assert finding["state"] == state
    assert words in finding["detail"]


@pytest.mark.parametrize(
    "first, last, whose",
    [(18000, 19999, "FreeSWITCH's RTP ports"), (40000, 41999, "the ports of other programs")],
)
def test_ports_that_others_use_are_pointed_out(
    doctor: Doctor, first: int, last: int, whose: str
) -> None:
    ports = {
        "VOICE_AI_MEDIA_UNICAST_PORT_FIRST": str(first),
        "VOICE_AI_MEDIA_UNICAST_PORT_LAST": str(last),
    }
    findings, code = doctor(**ports)
    assert (findings["playback"]["state"], code) == ("warning", 0)
    assert whose in findings["playback"]["detail"]


def test_a_stock_freeswitch_is_enough_with_unicast(doctor: Doctor, switch: Switch) -> None:
    set_edition(switch, Edition.NONE)
    findings, code = doctor(VOICE_AI_MEDIA_INPUT="unicast")
    assert code == 0
    assert "unicast, UDP" in findings["playback"]["detail"]


@pytest.mark.parametrize(
    ("changes", "check", "state"),
    [
        ({"VOICE_AI_MEDIA_FLAVOUR": "alchemilla"}, "mod_audio_stream", "failed"),
        ({"VOICE_AI_MEDIA_PLAYBACK": "json"}, "playback", "failed"),
        ({"VOICE_AI_MEDIA_PLAYBACK": "file"}, "playback", "note"),
        ({"VOICE_AI_MEDIA_UNICAST_HOST": "192.0.2.1"}, "playback", "warning"),
        ({"VOICE_AI_FREESWITCH_PASSWORD": "wrong"}, "FreeSWITCH", "failed"),
        ({"VOICE_AI_FREESWITCH_HOST": "192.0.2.1"}, "addresses", "failed"),
        ({"VOICE_AI_MEDIA_LISTEN_HOST": "0.0.0.0"}, "addresses", "failed"),
        ({"VOICE_AI_MEDIA_LISTEN_HOST": "192.0.2.1"}, "media port 0", "failed"),
        ({"VOICE_AI_MEDIA_PORT": "8080"}, "media port 8080", "warning"),
        ({"VOICE_AI_WORKER_COUNT": "250", "VOICE_AI_ESL_CAPACITY": "1"}, "workers", "warning"),
        ({"VOICE_AI_ESL_CAPACITY": "2000"}, "open files", "ok"),
        ({"VOICE_AI_STORAGE_SPOOL_DIR": "/proc/spool"}, "spool directory", "failed"),
        ({"VOICE_AI_STORAGE_SECRET_KEY_FILE": "/nowhere/key"}, "secret key", "note"),
        ({"VOICE_AI_STORAGE_SECRET_KEY_FILE": "/etc/passwd"}, "secret key", "failed"),
        ({"VOICE_AI_DATABASE_DSN": "host=127.0.0.1 port=1 dbname=x"}, "database", "failed"),
        ({"VOICE_AI_DATABASE_DSN": ""}, "database setting", "failed"),
        ({"VOICE_AI_PROVIDER_API_KEY": ""}, "provider key", "warning"),
    ],
)
def test_what_can_be_wrong(doctor: Doctor, changes: dict[str, str], check: str, state: str) -> None:
    environ = {"OPENAI_API_KEY": "", "VOICE_AI_FREESWITCH_TIMEOUT_S": "0.3", **changes}
    finding = doctor(**environ)[0][check]
    assert finding["state"] == state
    assert finding["detail"]
    assert bool(finding["advice"]) == (state != "ok")


def test_a_look_makes_no_key(doctor: Doctor, tmp_path: Path) -> None:
    """Made by root, it would be one that the workers cannot read."""
    doctor(VOICE_AI_STORAGE_SECRET_KEY_FILE=str(tmp_path / "new" / "key"))
    assert list(tmp_path.rglob("key")) == []


def test_a_port_held_by_another_program(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finding = doctor(VOICE_AI_ESL_PORT=str(port))[0][f"ESL port {port}"]
    assert finding["state"] == "failed"
    assert "VOICE_AI_ESL_PORT" in finding["advice"]


def test_migrations_not_run(doctor: Doctor, empty_database: TestDatabase) -> None:
    findings, code = doctor(VOICE_AI_DATABASE_DSN=empty_database.dsn)
    assert code == 1
    assert findings["migrations"]["detail"].startswith(
        f"{len(load_migrations())} to run, first 007_"
    )


def test_the_provider_is_reached_only_when_asked(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as provider:
        port = provider.getsockname()[1]
        near = {"VOICE_AI_PROVIDER_BASE_URL": f"ws://127.0.0.1:{port}/v1/realtime"}
        assert doctor("--online", **near)[0]["provider host"]["state"] == "ok"
        # A TCP connection is made, and the certificate never comes.
        mute = {
            "VOICE_AI_PROVIDER_BASE_URL": f"wss://127.0.0.1:{port}/v1/realtime",
            "VOICE_AI_TIMEOUTS_PROVIDER_CONNECT_S": "0.2",
        }
        finding = doctor("--online", **mute)[0]["provider host"]
    assert (finding["state"], "nothing within 0.2 s" in finding["detail"]) == ("failed", True)


@pytest.fixture
def worker() -> Iterator[dict[str, str]]:
    """The HTTP pages of a worker with one conversation; gives the settings to find it."""
    session = SessionInfo(
        call_uuid="c-1", domain_uuid="d-1", started_at="2026-11-22", provider="openai", turns=4
    )
    pages = HttpPages(Http(admin_token=Secret(TOKEN)), Metrics(), Service(listed=[session]))
    server = gevent.pywsgi.WSGIServer(("127.0.0.1", 0), pages, log=None)
    server.start()
    yield {
        "VOICE_AI_MEDIA_PORT": str(server.server_port),
        "VOICE_AI_HTTP_ADMIN_TOKEN": TOKEN,
    }
    server.stop()


def test_a_running_worker_holds_its_ports_by_right(doctor: Doctor, worker: dict[str, str]) -> None:
    findings, _ = doctor(**worker)
    assert findings[f"media port {worker['VOICE_AI_MEDIA_PORT']}"]["detail"].startswith("worker 0")
    assert findings["ESL port 0"]["detail"] == "held by 1 running workers"


def test_workers_beyond_the_settings_are_found_in_the_register(
    doctor: Doctor, database: TestDatabase
) -> None:
    """A supervisor started more than this shell's settings say."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        database.execute(
            """insert into v_voice_workers_realtime
                 (worker, host, http_url, esl_address, started_at, seen_at, version, capacity)
               select 'w' || n, %s, 'http://127.0.0.1:' || %s + n, 'x', now(), now(), '1', 1
               from generate_series(0, 2) n""",
            socket.gethostname(),
            port - 2,
        )
        findings, code = doctor(VOICE_AI_MEDIA_PORT=str(port - 2))
    assert (findings[f"media port {port}"]["state"], code) == ("failed", 1)  # held, and no answer
    assert findings["workers"]["detail"].startswith("3 ")
    assert "3 here" in findings["running workers"]["detail"]


def test_migrate_runs_shows_and_reverts(empty_database: TestDatabase) -> None:
    environ = {"VOICE_AI_DATABASE_DSN": empty_database.dsn}
    with closing(Pool(empty_database.dsn)) as pool, pool.connection() as connection:
        prepare_standalone(connection)
    assert '"dry_run": true' in run("migrate", "--dry-run", "--json", **environ).stdout
    names = json.loads(run("migrate", "--json", **environ).stdout)["migrations"]
    assert names[0] == "007_create_secretaries_realtime.sql"
    assert run("migrate", **environ).stdout == "Nothing to do.\n"
    rows = json.loads(run("migrate", "--status", "--json", **environ).stdout)
    assert {row["state"] for row in rows} == {"applied"}
    later = sum(name > "014" for name in names)
    undone = run("migrate", "--down-to", "13", **environ).stdout
    assert undone == f"{later} migrations undone.\n"
    assert "pending  014" in run("migrate", "--status", **environ).stdout


def test_going_back_counts_what_it_removes_and_asks(database: TestDatabase) -> None:
    environ = {"VOICE_AI_DATABASE_DSN": database.dsn}
    database.seed()
    back = ("migrate", "--down-to", "6")
    asked = run(*back, stdin="n\n", **environ)
    assert (asked.exit_code, "1  rows of v_voice_secretaries_realtime" in asked.stderr) == (1, True)
    told = json.loads(run(*back, "--json", **environ).stdout)
    assert told == {"error": "Remove 2 rows? Nothing was done: say --yes"}
    assert run("migrate", **environ).stdout == "Nothing to do.\n"
    assert run(*back, "--dry-run", **environ).exit_code == 0
    assert database.execute("select count(*) from v_voice_secretaries_realtime") == [(1,)]
    assert run(*back, "--yes", **environ).stdout.endswith("migrations undone.\n")


def test_migrate_tells_what_is_wrong() -> None:
    result = run("migrate", VOICE_AI_DATABASE_DSN="host=127.0.0.1 port=1 dbname=x")
    assert result.exit_code == 1
    assert "cannot connect" in result.stderr


def test_a_sealed_key_opens_for_its_tenant_only(tmp_path: Path, database: TestDatabase) -> None:
    tenant = database.seed().domain_uuid
    path = tmp_path / "secret.key"
    environ = {
        "VOICE_AI_STORAGE_SECRET_KEY_FILE": str(path),
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
    }
    sealed = run("keys", "seal", "--domain", tenant, stdin="sk-key\n", **environ)
    credential = sealed.stdout.strip()
    assert "sk-key" not in credential
    assert SecretKeys.load(path).open(tenant, credential).reveal() == "sk-key"
    with pytest.raises(SecretError):
        SecretKeys.load(path).open(DOMAIN, credential)
    nobody = run("keys", "seal", "--domain", DOMAIN, stdin="sk-key\n", **environ)
    assert (nobody.exit_code, "there is no domain" in nobody.stderr) == (1, True)
    shown = json.loads(run("keys", "show", "--json", **environ).stdout)
    assert credential.split(":")[1] == shown["key_id"]


def test_an_empty_key_is_not_sealed(tmp_path: Path, database: TestDatabase) -> None:
    environ = {
        "VOICE_AI_STORAGE_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
    }
    tenant = database.seed().domain_uuid
    result = run("keys", "seal", "--domain", tenant, stdin="\n", **environ)
    assert result.exit_code == 1


def test_a_rotation_seals_every_stored_key_again(tmp_path: Path, database: TestDatabase) -> None:
    path = tmp_path / "secret.key"
    environ = {
        "VOICE_AI_STORAGE_SECRET_KEY_FILE": str(path),
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
    }
    old = SecretKeys.load_or_create(path)
    tenant = database.seed(provider=DemoProvider(credential=None))
    database.execute(
        "update v_voice_realtime_providers set credential = %s",
        old.seal(tenant.domain_uuid, "sk-a"),
    )
    rotated = json.loads(run("keys", "rotate", "--json", **environ).stdout)
    assert (rotated["resealed"], rotated["problems"]) == (1, [])
    ((credential,),) = database.execute("select credential from v_voice_realtime_providers")
    new = SecretKeys.load(path)
    assert new.key_id == rotated["key_id"] != old.key_id
    assert new.is_current(credential)
    assert new.open(tenant.domain_uuid, credential).reveal() == "sk-a"
