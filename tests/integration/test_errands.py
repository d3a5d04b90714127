"""Errands: queued once, taken by one, delivered to real receivers, buried, sent again, erased."""

from __future__ import annotations

import email
import random
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import gevent
import pytest

from bench import errand_worker
from esl_controller.database.acts import errand
from esl_controller.database.pool import Pool
from esl_controller.database.repository import errands
from esl_controller.errands.base import Delivered
from esl_controller.errands.service import ErrandService
from esl_controller.errands.signature import is_valid
from esl_controller.tenants.keys.secrets import SecretKeys, SecretStore
from tests.integration.errand_house import NOW, SECRET, House, event
from tests.integration.service import wait_for


def test_a_webhook_can_be_believed(house: House) -> None:
    wanted = house.ask("webhook", "c:call.started", event(caller_id="5511"))
    house.ask("webhook", "c:call.started", event(caller_id="another"))
    house.work()
    (posted,) = house.http.posted
    headers = posted.headers
    at_s = int(headers["x-webhook-timestamp"])
    signature = headers["x-webhook-signature"]
    assert is_valid(SECRET, signature, at_s, posted.body, now_s=time.time())
    assert headers["idempotency-key"] == "c:call.started"
    assert headers["x-webhook-id"] == posted.json["id"] == wanted.errand_uuid
    assert posted.json["data"] == {"caller_id": "5511"}
    assert SECRET.encode() not in posted.body
    row = house.row(wanted)
    assert (row.state, row.attempts, row.result) == ("delivered", 1, {"status": 200})


def test_events_that_were_not_chosen_are_not_sent(house: House) -> None:
    house.set(webhook_events=["call.ended"])
    skipped = house.ask("webhook", "k", event("call.started"))
    house.work()
    assert house.http.posted == []
    assert house.row(skipped).state == "delivered"


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [(503, "queued", "answered 503"), (404, "queued", "answered 404"), (410, "dead", "410")],
)
def test_what_the_other_side_answers(house: House, status: int, state: str, why: str) -> None:
    house.http.answer = lambda _: (status, {})
    wanted = house.ask("webhook", "k", event())
    house.work()
    row = house.row(wanted)
    assert (row.state, row.attempts) == (state, 1)
    assert why in (row.last_error or "")
    house.http.answer = lambda _: (200, {})
    with house.pool.connection() as connection:
        assert errands.send_again(connection, house.domain, wanted.errand_uuid)
        assert not errands.send_again(connection, house.database.seed().domain_uuid, "0" * 32)
    house.work()
    assert house.row(wanted).state == "delivered"
    keys = {posted.headers["idempotency-key"] for posted in house.http.posted}
    assert (len(house.http.posted), keys) == (2, {"k"})


def test_given_up_after_its_time(house: House) -> None:
    house.http.stop()
    wanted = house.ask("webhook", "k", event())
    house.work()
    assert house.row(wanted).state == "queued"
    house.database.execute(
        "update v_voice_realtime_errands set first_attempt_at = now() - interval '2 days'"
    )
    house.hurry()
    house.work()
    row = house.row(wanted)
    assert row.state == "dead"
    assert row.last_error is not None
    assert row.last_error.startswith("given up after 86400 s: 127.0.0.1")
    assert house.service.counters.results == {("webhook", "retried"): 1, ("webhook", "dead"): 1}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"webhook_secret": None}, "unsigned"),
        ({"webhook_secret": "env:OPENAI_API_KEY"}, "unsigned"),
        ({"webhook_secret": "sealed:0123456789abcdef:AAAA"}, "webhook_secret: sealed with key"),
        ({"webhook_url": None}, "no webhook_url"),
        ({"webhook_url": "http://10.0.0.7/"}, "VOICE_AI_SERVICES_ALLOWED_HOSTS"),
    ],
)
def test_what_cannot_work_is_told_at_once(house: House, settings: dict[str, Any], why: str) -> None:
    house.set(**settings)
    wanted = house.ask("webhook", "k", event())
    house.work()
    row = house.row(wanted)
    assert row.state == "dead"
    assert why in (row.last_error or "")


def test_one_worker_at_a_time_and_a_late_one_changes_nothing(house: House) -> None:
    wanted = house.ask("webhook", "k", event())
    with house.pool.connection() as connection:
        (mine,) = errands.take(connection, house.domain, worker="w1", lease_s=30, limit=5)
        assert errands.take(connection, house.domain, worker="w2", lease_s=30, limit=5) == []
        assert not errands.drop(connection, house.domain, wanted.errand_uuid), "it is running"
    house.database.execute(
        "update v_voice_realtime_errands set lease_until = now() - interval '1 s'"
    )
    with house.pool.connection() as connection:
        (again,) = errands.take(connection, house.domain, worker="w1", lease_s=30, limit=5)
        assert again.attempts == 2
        assert not errands.finish(connection, house.domain, mine, {}, forget=False)
        assert not errands.retry(connection, house.domain, mine, in_s=0, why="late")
        assert errands.finish(connection, house.domain, again, {"status": 200}, forget=False)
        assert not errands.bury(connection, house.domain, again, "late")
        assert errands.insert(connection, house.domain, wanted), "the journal's repeat"
    assert house.row(wanted).state == "delivered"


def test_a_tenant_whose_receiver_hangs_holds_up_nobody(house: House) -> None:
    house.http.answer = lambda _: (gevent.sleep(30), (200, {}))[1]
    for number in range(20):
        house.ask("webhook", str(number), event())
    other = house.database.seed().domain_uuid
    with house.pool.connection() as connection:
        wanted = errand("email", other, "k", {"to": ["a@b.example"], "text": "t"}, NOW)
        errands.insert(connection, other, wanted)
    house.service = house.worker("w", of_one_domain=3)
    assert house.service.run_once() == 4
    wait_for(lambda: house.mail.mailed, 5)
    wait_for(lambda: len(house.http.posted) == 3, 5)
    assert house.service.run_once() == 0
    house.service._running.kill(block=True, timeout=1)


def test_an_attempt_has_a_deadline(house: House) -> None:
    house.http.answer = lambda _: (gevent.sleep(30), (200, {}))[1]
    wanted = house.ask("webhook", "k", event())
    house.service = house.worker("w", attempt_s=0.05)
    house.work()
    assert (house.row(wanted).state, house.row(wanted).last_error) == ("queued", "not done in time")


def test_a_bug_of_a_kind_is_its_own(house: House) -> None:
    class Broken:
        limit_s = 60.0

        def deliver(self, _errand: Any, _means: Any) -> Any:
            raise RuntimeError("secret words")

    house.service = ErrandService(house.pool, {"x": Broken()}, house.means, "w")
    broken, unknown = house.ask("x", "k", {}), house.ask("y", "k", {})
    house.work()
    assert house.row(broken).last_error == "internal error: RuntimeError"
    assert (house.row(unknown).state, "knows no" in (house.row(unknown).last_error or "")) == (
        "dead",
        True,
    )


def test_what_cannot_be_stored_is_over_all_the_same(house: House) -> None:
    class Odd:
        limit_s = 60.0

        def deliver(self, wanted: Any, _means: Any) -> Delivered:
            more = [wanted] if wanted.payload else []
            return Delivered({"said": "\ud800"}, more)

    house.service = ErrandService(house.pool, {"x": Odd()}, house.means, "w")
    done, dead = house.ask("x", "a", {}), house.ask("x", "b", {"more": 1})
    house.work()
    assert (house.row(done).state, house.row(done).result) == ("delivered", {})
    assert house.row(dead).last_error == "what came of it cannot be stored"


def test_an_errand_that_kills_its_worker_comes_to_an_end(house: House) -> None:
    wanted = house.ask("webhook", "k", event())
    house.database.execute("update v_voice_realtime_errands set attempts = 200")
    house.work()
    assert (house.row(wanted).state, house.http.posted) == ("dead", [])


def test_erasing_and_retention_reach_the_queue(house: House) -> None:
    call = house.conversation([])
    kept, gone = (
        house.ask("webhook", "a", event()),
        house.ask("webhook", "b", event(), conversation_uuid=call),
    )
    with house.pool.connection() as connection:
        other = house.database.seed().domain_uuid
        assert errands.erase(connection, other, [call]) == 0
        assert errands.erase(connection, house.domain, [call]) == 1
        assert errands.find(connection, house.domain, gone.errand_uuid) is None
    house.work()
    old = timedelta(days=31)
    house.database.execute("update v_voice_realtime_errands set ended_at = ended_at - %s", old)
    with house.pool.connection() as connection:
        assert errands.forget_old(connection, house.domain, None) == 1
        assert errands.find(connection, house.domain, kept.errand_uuid) is None


def test_the_bench_has_a_service_to_kill(tmp_path: Path) -> None:
    """Nothing else calls it: when its parts change, its workers must not end before they begin."""
    key_file = tmp_path / "secret.key"
    SecretKeys.load_or_create(key_file)
    bench = errand_worker.service("host=127.0.0.1 port=1", 25, "w", key_file)
    assert isinstance(bench, ErrandService)
    bench.stop()


def test_killed_at_random_each_arrives(
    outage: Any, secret_store: SecretStore, request: pytest.FixtureRequest
) -> None:
    """`python -m bench.errands` in small: workers, receiver and database, in one process."""
    chance = random.Random(1)
    pool = Pool(outage.database.dsn, size=4, connect_timeout_s=0.5, wait_timeout_s=5.0)
    request.addfinalizer(pool.close)
    house = House(outage.database, pool, secret_store)
    request.addfinalizer(house.stop)
    house.http.answer = lambda _: (chance.choice([200, 200, 503]), {})
    asked = [house.ask("webhook" if n % 2 else "email", str(n), content(n)) for n in range(40)]
    pace = {"lease_s": 0.6, "attempt_s": 0.5, "look_s": 0.05, "first_retry_s": 0.05}
    workers = [gevent.spawn(house.worker(f"w{n}", **pace).run) for n in range(2)]
    for number in range(6):
        gevent.sleep(0.15)
        workers.pop(0).kill()
        workers.append(gevent.spawn(house.worker(f"x{number}", **pace).run))
        if number == 3:
            outage.begin(kill=True)
            outage.end()
    wait_for(lambda: all(house.row(one).state == "delivered" for one in asked), 20)
    gevent.killall(workers)
    arrived = {one.headers["idempotency-key"] for one in house.http.posted}
    arrived |= {
        email.message_from_bytes(one.content)["Idempotency-Key"] for one in house.mail.mailed
    }
    assert arrived == {str(number) for number in range(40)}
    assert len({one.json["id"] for one in house.http.posted}) == 20


def content(number: int) -> Any:
    return event(number=number) if number % 2 else {"to": ["a@b.example"], "text": "t"}
