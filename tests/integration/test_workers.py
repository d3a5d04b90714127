"""Workers as an operator runs them: a shared port, a call on another worker, one that hangs."""

from __future__ import annotations

import json
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import certifi
import pytest
import yaml
from gevent import subprocess
from structlog.testing import capture_logs

from esl_controller.app import App
from esl_controller.simulator.caller_script import AgentSilent
from esl_controller.simulator.switch.action import Action
from tests.integration.api_kit import TOKEN
from tests.integration.service import (
    FALLBACK,
    TestCall,
    free_port,
    hang_up_after,
    service,
    settings_for,
    wait_for,
)
from tests.integration.two_workers import (
    PATIENCE_S,
    Pair,
    Worker,
    new_database,
    pair_of,
    supervised,
)

_LISTENING = "voice_ai_realtime_listening"


@pytest.fixture(scope="module")
def shared(postgres_server: Any, migrated_template: str) -> Iterator[Any]:
    with new_database(postgres_server, migrated_template) as database:
        yield database


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    """Processes of one test; all are told to end."""
    with ExitStack() as stack:
        for worker in workers:
            stack.callback(lambda worker=worker: worker.alive and worker.stop())
        yield


@contextmanager
def workers_of(
    database: Any, tmp_path: Path, count: int = 2, **environ: str
) -> Iterator[list[Worker]]:
    port = free_port()
    workers = [
        Worker(index, database.dsn, tmp_path, esl_port=port, **environ) for index in range(count)
    ]
    with running(*workers):
        yield workers


def ready(worker: Worker) -> int:
    """Status of /ready."""
    host, port = worker.media
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/ready", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def health(worker: Worker) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(worker.page("/health"))
    return answer


def in_the_register(pair: Pair) -> list[tuple[Any, ...]]:
    return pair.database.execute(
        """select worker, http_url, calls, draining, listening
           from v_voice_workers_realtime order by http_url"""
    )


def settled(pair: Pair, calls: int) -> bool:
    """The gauges tell all calls, and no full worker has the port open while the other has room."""
    states = [
        (worker.metric("voice_ai_realtime_active_sessions"), worker) for worker in pair.workers
    ]
    if sum(active for active, _ in states) != calls:
        return False  # told once a second
    full = [worker for active, worker in states if active >= 2]
    return len(full) != 1 or full[0].metric(_LISTENING) == 0


@pytest.mark.slow
def test_a_full_worker_leaves_calls_to_the_one_with_room(shared: Any, tmp_path: Path) -> None:
    """Two of two places each, one port: none of four callers is turned away, the fifth is."""
    with (
        workers_of(shared, tmp_path, VOICE_AI_ESL_CAPACITY="2") as workers,
        pair_of(workers, shared, tmp_path) as pair,
    ):
        tenant = pair.tenant_with()
        calls: list[TestCall] = []
        for _ in range(4):
            call, _ = pair.talk(workers[0], tenant)
            calls.append(call)
            wait_for(lambda: settled(pair, len(calls)), PATIENCE_S)
        assert pair.dial(workers[0], tenant, actions_after=FALLBACK).wait().outcome == "overflow"
        wait_for(lambda: any(worker.metric(_LISTENING) == 1 for worker in workers), PATIENCE_S)
        pair.hang_up(*calls)
        wait_for(lambda: all(worker.metric(_LISTENING) == 1 for worker in workers), PATIENCE_S)
        assert sum(worker.metric("voice_ai_realtime_port_pauses_total") for worker in workers) > 0
        assert [ready(worker) for worker in workers] == [200, 200]


@pytest.mark.slow
def test_a_call_is_ended_by_any_worker(shared: Any, tmp_path: Path) -> None:
    with (
        workers_of(shared, tmp_path) as workers,
        pair_of(workers, shared, tmp_path) as pair,
    ):
        tenant = pair.tenant_with()
        stranger = pair.tenant_with()
        call, _ = pair.talk(workers[0], tenant)
        page = f"/domains/{tenant.domain_uuid}/calls/{call.leg.uuid}/hangup"
        find = "select worker from v_voice_conversations_realtime where call_uuid = %s"
        wait_for(lambda: pair.database.execute(find, call.leg.uuid), PATIENCE_S)
        ((owner,),) = pair.database.execute(find, call.leg.uuid)
        names = {row[1]: row[0] for row in in_the_register(pair)}
        (other,) = [w for w in workers if names["http://{}:{}".format(*w.media)] != owner]

        elsewhere = f"/domains/{stranger.domain_uuid}/calls/{call.leg.uuid}/hangup"
        assert other.client.post(elsewhere).status == 404
        assert other.client.ask("POST", page, **{"X-Voice-AI-Forwarded": "1"}).status == 404
        assert other.client.post(f"{page[:-7]}x/hangup").status == 404
        told = other.client.post(f"{page[:-6]}tell?actor=Maria%20S", {"text": "Be brief."})
        assert (told.status, told.json["result"], told.json["worker"]) == (200, "done", owner)
        answer = other.client.post(page)
        assert (answer.status, answer.json["result"], answer.json["worker"]) == (200, "done", owner)
        call.wait()
        pair.wait_stored(call)
        assert call.row()["outcome"] == "completed"
        acts = other.client.get(f"{page[:-6]}audits").json["audits"]
        assert [(act["actor"], act["action"], act["result"]) for act in acts] == [
            ("Maria S", "tell", "done"),
            ("operator", "hangup", "done"),
        ]
        assert other.client.post(page).status == 404  # over

        again, _ = pair.talk(workers[0], tenant)
        page = f"/domains/{tenant.domain_uuid}/calls/{again.leg.uuid}/hangup"
        wait_for(lambda: pair.database.execute(find, again.leg.uuid), PATIENCE_S)
        pair.database.execute("update v_voice_workers_realtime set http_url = 'http://127.0.0.1:9'")
        answers = [worker.client.post(page) for worker in workers]
        assert sorted(answer.status for answer in answers) == [200, 503]
        (refused,) = [answer for answer in answers if answer.status == 503]
        assert refused.json["type"] == "urn:voice-ai:problem:worker-unavailable"
        again.wait()
        assert not [line for w in workers for line in w.log_lines() if TOKEN in line]


@pytest.mark.slow
def test_a_worker_that_hangs_is_killed_and_started_again(shared: Any, tmp_path: Path) -> None:
    notify = tmp_path / "notify.sock"
    with workers_of(shared, tmp_path, count=1, NOTIFY_SOCKET=str(notify)) as (worker,):
        command = [sys.executable, "-m", "esl_controller", "watchdog", "--hang-s", "2"]
        with subprocess.Popen([*command, "--socket", str(notify)]) as watchdog:
            try:
                wait_for(notify.exists, PATIENCE_S)
                with supervised(worker):
                    wait_for(lambda: worker.alive, PATIENCE_S)
                    worker.wait_ready()
                    hung = worker.pid
                    worker.signal(signal.SIGSTOP)
                    wait_for(lambda: worker.pid != hung, PATIENCE_S)
                    worker.wait_ready()
                assert worker.stop() == 0
                assert watchdog.poll() is None
            finally:
                watchdog.terminate()


@pytest.mark.slow
def test_sighup_has_a_worker_read_its_files_again(shared: Any, tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text("[]")
    with workers_of(shared, tmp_path, count=1, VOICE_AI_STORAGE_PRICE_FILE=str(prices)) as (
        worker,
    ):
        worker.start()
        worker.wait_ready()

        def told(event: str, times: int) -> bool:
            return sum(f'"event":"{event}"' in line for line in worker.log_lines()) >= times

        worker.signal(signal.SIGHUP)
        wait_for(lambda: told("app.reloaded", 1), PATIENCE_S)
        prices.write_text("[{}]")
        worker.signal(signal.SIGHUP)
        wait_for(lambda: told("app.reloaded", 2), PATIENCE_S)
        assert told("app.prices_not_reloaded", 1)
        assert worker.alive
        assert ready(worker) == 200
        assert health(worker)["status"] == "healthy"
        assert json.loads(worker.command("health", "--json"))["status"] == "healthy"
        assert worker.stop() == 0
        mine = f"http://{worker.media[0]}:{worker.media[1]}"
        here = "select 1 from v_voice_workers_realtime where http_url = %s"
        assert shared.execute(here, mine) == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_workers_are_restarted_one_after_the_other(shared: Any, tmp_path: Path) -> None:
    with (
        workers_of(shared, tmp_path) as workers,
        supervised(*workers),
    ):
        wait_for(lambda: all(worker.alive for worker in workers), PATIENCE_S)
        for worker in workers:
            worker.wait_ready()
        before = [worker.pid for worker in workers]
        restarted = json.loads(workers[0].command("restart", "--json"))["restarted"]
        assert restarted == sorted("http://{}:{}".format(*w.media) for w in workers)
        assert not set(before) & {worker.pid for worker in workers}
        assert [ready(worker) for worker in workers] == [200, 200]


@pytest.mark.slow
def test_a_pods_command_and_probes_fit_a_worker(
    shared: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What deploy/kubernetes has a cluster do, done to a process."""
    folder = Path(__file__).parents[2] / "deploy" / "kubernetes"
    pod = yaml.safe_load((folder / "workers.yaml").read_text())["spec"]["template"]
    scaling = yaml.safe_load((folder / "autoscaling.yaml").read_text())["spec"]
    (container,) = pod["spec"]["containers"]
    paths = {name: container[name]["httpGet"]["path"] for name in container if "Probe" in name}
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    with workers_of(shared, tmp_path, count=1, POD="1") as (worker,):
        worker.program = [*container["command"], *container["args"]]
        worker.start()
        worker.wait_ready()
        told = {name: json.loads(worker.page(path)) for name, path in paths.items()}
        assert set(told) == {"startupProbe", "readinessProbe", "livenessProbe"}
        (metric,) = scaling["metrics"]
        assert worker.metric(metric["pods"]["metric"]["name"]) == 0
        before = container["lifecycle"]["preStop"]["exec"]["command"]
        assert subprocess.run([before[0], "0"]).returncode == 0
        assert worker.stop() == 0  # `exec`: the signal is the worker's own


# --- in one process -----------------------------------------------------------------------------


def test_health_tells_of_a_provider_that_fails_and_of_one_that_works(
    database: Any, tmp_path: Path
) -> None:
    with service(database, tmp_path) as site:
        view = site.app.view
        wait_for(lambda: view.status() == "healthy")
        assert view.providers() == {}
        site.call([hang_up_after(AgentSilent(0.3))]).wait()
        assert view.providers() == {"openai": "available"}
        site.tenant.emulator.stop()
        for _ in range(3):
            site.call([], actions_after=[Action("hangup")]).wait()
        assert (view.providers(), view.status()) == ({"openai": "unavailable"}, "unavailable")
        assert view.is_ready()  # the next caller's tenant may have another provider
        assert view.provider_results()["openai"]["last_ok_s_ago"] is not None


def test_ready_is_said_only_while_the_port_is_open(database: Any, tmp_path: Path) -> None:
    app = App(settings_for(tmp_path), database.dsn)
    assert (app.view.is_ready(), app.view.status()) == (False, "starting")
    app.start()
    try:
        app.port.stop()  # it would open the port again at its next look
        assert app.view.is_ready()
        wait_for(lambda: app.view.status() == "healthy")
        app.esl.pause_listener()
        assert not app.view.is_ready()
        assert app.view.status() == "unavailable"  # nobody wanted it closed
        app.port.left_to_others = True
        assert app.view.status() == "full"
        app.port.left_to_others = False
        app.esl.resume_listener()
        assert app.view.status() == "healthy"
    finally:
        app.drain()
    assert (app.view.is_ready(), app.view.status()) == (False, "draining")


def test_a_new_ca_file_is_used_and_a_broken_one_is_not(database: Any, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(Path(certifi.where()).read_bytes())
    with service(database, tmp_path, provider={"ca_file": str(ca_file)}) as site:
        app = site.app
        before = app._network
        app.reload()
        renewed = app._network
        assert renewed is not before
        ca_file.write_text("no certificate")
        with capture_logs() as lines:
            app.reload()
        assert app._network is renewed
        assert [line["event"] for line in lines if line["log_level"] == "error"] == [
            "app.ca_file_not_reloaded"
        ]
