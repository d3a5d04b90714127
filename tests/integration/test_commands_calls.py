"""Commands that call with the simulator; `serve` where it cannot start or is interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent.subprocess
import pytest
from click.testing import CliRunner, Result

from esl_controller.cli import cli
from esl_controller.commands import simulated
from esl_controller.settings.table import every_setting
from tests.integration.service import Service, free_port, wait_for

DOMAIN = "11111111-1111-4111-8111-111111111111"


def run(*arguments: str, **environ: str) -> Result:
    unset = {row.variable: None for row in every_setting()} | {"OPENAI_API_KEY": None}
    return CliRunner(env=unset | environ).invoke(cli, arguments, catch_exceptions=False)


CALL = re.compile(r"[0-9a-f-]{36}")


def call(service: Service, command: str, *arguments: str, **environ: str) -> Result:
    """Run a command that calls this service."""
    host, port = service.address
    where = ("--host", host, "--port", str(port), "--domain", service.tenant.domain_uuid)
    return run(command, *where, *arguments, **environ)


def test_a_test_call_tells_what_the_caller_heard(serve, tmp_path: Path) -> None:
    service, recording = serve(), tmp_path / "call.wav"
    result = call(service, "test-call", "--seconds", "4", "--json", "--record", str(recording))
    report = json.loads(result.stdout)
    service.stored()
    call(service, "test-call", "--seconds", "1")
    service.stored()
    sql = "select count(distinct call_uuid) from v_voice_conversations_realtime"
    assert service.database.execute(sql) == [(2,)], "two calls had the same UUID"
    assert (result.exit_code, report["answered"], report["handed_back"]) == (0, True, False)
    assert 0 < report["first_sound_ms"] < 1000
    assert report["recording"] == str(recording)
    with wave.open(str(recording)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
    service.stored()


def test_a_test_call_nobody_takes_says_why(serve) -> None:
    service = serve()
    result = call(service, "test-call", "--extension", "8777")
    assert (result.exit_code, result.stdout) == (
        1,
        f"Call {CALL.search(result.stdout)[0]}.\n"
        "Not served: handed back to the dialplan: not_ours.\n",
    )


def test_load_counts_what_the_callers_heard(serve) -> None:
    service = serve()
    result = call(service, "load", "--calls", "3", "--seconds", "3", "--edition", "none")
    assert result.exit_code == 0
    served = "calls      3, served 3, answered 3, handed back 0, sent on 0\n"
    assert result.stdout.startswith(served)
    refused = call(service, "load", "--calls", "2", "--seconds", "1", "--extension", "8777")
    assert refused.exit_code == 1
    assert "served 0, answered 0, handed back 2" in refused.stdout
    assert "not served 2: handed back to the dialplan: not_ours\n" in refused.stdout
    told = call(service, "load", "--calls", "1", "--seconds", "1", "--extension", "8777", "--json")
    assert json.loads(told.stdout)["summary"]["not_served"] == {
        "handed back to the dialplan: not_ours": 1
    }
    service.stored()


@pytest.mark.parametrize("command", ["test-call", "load"])
def test_nobody_listens(command: str) -> None:
    where = ("--domain", DOMAIN, "--port", str(free_port()))
    result = run(command, *where)
    assert result.exit_code == 1
    assert "Connection refused; is `esl-controller serve` running?" in result.stderr
    told = json.loads(run(command, *where, "--json").stdout)
    assert "Connection refused" in told["error"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["test-call", "--domain", DOMAIN, "--edition", "x"], "'x' is not one of 'open'"),
        (["test-call", "--domain", DOMAIN, "--seconds", "-1"], "not in the range"),
        (["load", "--domain", DOMAIN, "--calls", "0"], "not in the range"),
        (["load", "--domain", DOMAIN, "--port", "70000"], "not in the range"),
    ],
)
def test_wrong_arguments_are_named(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize("command", ["test-call", "load"])
def test_callers_sent_on_by_a_dead_provider_are_not_served(serve, command: str) -> None:
    service = serve(secretary={"fallback_extension": "1000"})
    service.database.execute(
        "update v_voice_realtime_providers set base_url = 'ws://127.0.0.1:1/v1/realtime'"
    )
    more = ("--calls", "1") if command == "load" else ()
    environ = {"VOICE_AI_DATABASE_DSN": service.database.workers_dsn}
    result = call(service, command, "--seconds", "6", *more, **environ)
    assert result.exit_code == 1
    assert "sent on to 1000: unavailable (" in result.stdout
    service.stored()


def test_a_domain_is_called_by_its_name_and_what_was_said_is_shown(serve, tmp_path: Path) -> None:
    service, environ = serve(), {}
    environ["VOICE_AI_DATABASE_DSN"] = service.database.workers_dsn
    host, port = service.address
    where = ("--host", host, "--port", str(port), "--domain", service.tenant.domain_name)
    file = tmp_path / "call.wav"
    result = run("test-call", *where, "--seconds", "3", f"--record={file}", **environ)
    assert result.exit_code == 0, result.output
    assert "  agent: " in result.stdout
    assert f"The recording is in {file}.\n" in result.stdout
    service.stored()


def test_a_newcomer_calls_without_knowing_a_database_or_a_domain(
    serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As he has begun `serve --embedded-db`: there is one domain, in the packaged PostgreSQL."""
    service = serve()

    @contextmanager
    def packaged(*_: object) -> Iterator[str]:
        yield service.database.workers_dsn

    monkeypatch.setattr(simulated, "packaged_database", packaged)
    host, port = service.address
    where = ("--host", host, "--port", str(port), "--embedded-db")
    result = run("test-call", *where, "--seconds", "3")
    assert result.exit_code == 0, result.output
    assert "  agent: " in result.stdout
    service.stored()


@pytest.mark.parametrize("command", ["test-call", "load"])
def test_who_names_no_domain_needs_a_database(command: str) -> None:
    result = run(command)
    assert (result.exit_code, "no database is set" in result.stderr) == (1, True)


def test_a_recording_that_cannot_be_kept_is_noticed_before_the_call(tmp_path: Path) -> None:
    file = tmp_path / "none" / "call.wav"
    result = run("test-call", "--domain", DOMAIN, "--record", str(file))
    assert (result.exit_code, "cannot be written: No such file" in result.stderr) == (1, True)


def test_what_the_caller_shall_say_must_be_sound() -> None:
    result = run("test-call", "--domain", DOMAIN, "--say", __file__)
    assert (result.exit_code, "not a WAV file" in result.stderr) == (1, True)


@pytest.mark.parametrize("variable", ["VOICE_AI_ESL_PORT", "VOICE_AI_MEDIA_PORT"])
def test_a_worker_names_the_port_it_cannot_have(variable: str, tmp_path: Path) -> None:
    environ = {
        "VOICE_AI_DATABASE_DSN": "host=127.0.0.1 port=1 dbname=x",
        "VOICE_AI_ESL_PORT": str(free_port()),
        "VOICE_AI_MEDIA_PORT": str(free_port()),
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
    }
    with socket.create_server(("127.0.0.1", int(environ[variable]))):
        done = process("serve", environ)
        assert done.wait(20) == 1
    told = done.stderr.read().splitlines()[-1]
    assert told.startswith(f"Error: cannot listen on 127.0.0.1:{environ[variable]} ({variable}): ")


def process(command: str, environ: dict[str, str], *arguments: str, **options: Any) -> Any:
    """The real program."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return gevent.subprocess.Popen(
        [sys.executable, "-m", "esl_controller", command, *arguments],
        env=keep | environ,
        stderr=gevent.subprocess.PIPE,
        text=True,
        **options,
    )


def test_ctrl_c_ends_a_worker_without_a_traceback(tmp_path: Path) -> None:
    environ = {
        "VOICE_AI_DATABASE_DSN": "host=127.0.0.1 port=1 dbname=x",
        "VOICE_AI_ESL_PORT": str(free_port()),
        "VOICE_AI_MEDIA_PORT": str(free_port()),
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
    }
    worker = process("serve", environ)
    lines = []
    while "app.ready" not in (lines or [""])[-1]:
        lines.append(worker.stderr.readline())
    worker.send_signal(signal.SIGINT)
    assert worker.wait(20) == 0
    assert "Traceback" not in worker.stderr.read()


def test_a_second_ctrl_c_does_not_wait_for_the_calls(serve) -> None:
    from esl_controller.commands.serve import _interrupted
    from esl_controller.commands.shared import Shell

    service = serve(worker={"drain_deadline_s": 600})
    running, shell = service.call(), Shell(None, as_json=False)
    wait_for(lambda: service.app.view.active_sessions() == 1 and running.leg.answered.is_set())
    waiting = gevent.spawn(_interrupted, shell, service.app)
    wait_for(lambda: service.app.manager.draining)
    assert not service.app.stopped.is_set()
    _interrupted(shell, service.app)
    assert service.app.stopped.is_set()
    waiting.join(5)
    assert waiting.dead
    running.wait()


@pytest.mark.slow
def test_the_demo_holds_a_conversation(tmp_path: Path) -> None:
    """The whole of `make demo`: asks, listens, interrupts, presses keys, hangs up."""
    out = tmp_path / "out"
    arguments = ("--json", "--provider", "openai", "--out", str(out))
    done = process("demo", {}, *arguments, stdout=gevent.subprocess.PIPE)
    report = json.loads(done.stdout.read())
    assert (done.wait(5), done.stderr.read()) == (0, "")
    roles = [turn["role"] for turn in report["turns"]]
    assert roles == ["assistant", *["user", "assistant"] * 4]
    assert [turn["interrupted"] for turn in report["turns"]].count(True) == 1
    assert len(report["waits"]) == 4
    assert all(0 < wait["ear_ms"] < 3000 for wait in report["waits"])
    assert len(report["silenced_ms"]) == 1
    with wave.open(report["recording"]) as sound:
        assert sound.getnchannels() == 2
    assert "Where the time went" in Path(report["page"]).read_text()


def test_the_demo_says_where_it_cannot_write() -> None:
    result = run("demo", "--out", "/proc/demo")
    assert (result.exit_code, "cannot write to /proc/demo" in result.stderr) == (1, True)
