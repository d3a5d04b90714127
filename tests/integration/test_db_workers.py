"""What workers know of each other by the register, and who closes what the dead left open."""

import dataclasses
import os
import socket
import uuid
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import gevent
import psycopg2
import pytest

from esl_controller.database.models import ConversationRealtime
from esl_controller.database.pool import Pool
from esl_controller.database.repository import conversations, statements, workers
from esl_controller.database.repository.workers import WorkerRow
from esl_controller.doctor import database as doctor_database
from esl_controller.record.journal import Journal
from esl_controller.settings.table import Settings, Worker
from esl_controller.workers import register as register_module
from esl_controller.workers.register import LOST_S, WorkerRegister
from esl_controller.workers.shared_port import SharedPort

NOW = datetime.now(UTC).replace(microsecond=0)


def row(worker: str, **fields: object) -> WorkerRow:
    plain = WorkerRow(
        worker=worker,
        host="h",
        http_url=f"http://127.0.0.1:1/{worker}",
        esl_address="127.0.0.1:8084",
        started_at=NOW,
        version="1",
        capacity=10,
        calls=0,
        draining=False,
        listening=True,
    )
    return dataclasses.replace(plain, **fields)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def begin(pool: Pool, domain_uuid: str, worker: str) -> str:
    """A conversation that is going on."""
    key = str(uuid.uuid4())
    entry = ConversationRealtime(
        conversation_uuid=key,
        domain_uuid=domain_uuid,
        call_uuid=f"call-{key}",
        started_at=NOW,
        worker=worker,
    )
    with pool.connection() as connection:
        assert conversations.store(connection, domain_uuid, entry)
    return key


def age(database, worker: str, seconds: float) -> None:
    database.execute(
        "update v_voice_workers_realtime set seen_at = now() - %s * interval '1 s'"
        " where worker = %s",
        seconds,
        worker,
    )


def ends(database) -> list[tuple]:
    return database.execute(
        "select worker, outcome, end_cause from v_voice_conversations_realtime order by worker"
    )


# --- lost workers -------------------------------------------------------------------------------


def test_a_lost_worker_s_conversations_are_closed_by_whoever_sees_it(database, pool):
    """In every domain, once, by any number of workers; those of the living go on."""
    domains = [database.seed().domain_uuid for _ in range(2)]
    clock = Clock()
    living = [
        WorkerRegister(pool, lambda name=name: row(name), clock=clock) for name in ("one", "two")
    ]
    for one in living:
        one.beat()
    with pool.connection() as connection:
        workers.register(connection, row("lost"))
    for domain in domains:
        begin(pool, domain, "lost")
        begin(pool, domain, "one")
    age(database, "lost", LOST_S + 1)
    assert [one.close_lost() for one in living] == [0, 0]  # they have not been here long enough
    clock.now += LOST_S
    found = [gevent.spawn(one.close_lost) for one in living]
    gevent.joinall(found, raise_error=True)
    assert sum(one.value for one in found) >= 1
    assert ends(database) == [
        *[("lost", "failed", "worker_lost")] * 2,
        *[("one", None, None)] * 2,
    ]
    left = database.execute("select worker from v_voice_workers_realtime order by 1")
    assert left == [("one",), ("two",)]


def test_after_an_outage_nobody_judges_at_once(database, pool, monkeypatch):
    """Every row is old then; who comes back first must leave the others time to do so too."""
    clock = Clock()
    register = WorkerRegister(pool, lambda: row("one"), clock=clock)
    register.beat()
    with pool.connection() as connection:
        workers.register(connection, row("other"))
    begin(pool, database.seed().domain_uuid, "other")
    clock.now += 10 * LOST_S
    monkeypatch.setattr(register, "_pool", Pool("host=/nowhere dbname=none"))
    assert not register.beat()
    assert register.last_error
    monkeypatch.setattr(register, "_pool", pool)
    age(database, "other", 5 * LOST_S)
    register.beat()
    assert register.close_lost() == 0
    assert register.last_error == ""
    with pool.connection() as connection:
        workers.register(connection, row("other"))  # it is back, too
    clock.now += LOST_S
    assert register.close_lost() == 0
    assert ends(database) == [("other", None, None)]


def test_an_end_that_came_first_is_not_overwritten(database, pool):
    domain = database.seed().domain_uuid
    key = begin(pool, domain, "w")
    slow = psycopg2.connect(database.dsn)
    with closing(slow):
        slow.cursor().execute(
            "update v_voice_conversations_realtime set ended_at = now(), outcome = 'completed'"
        )

        def close() -> int:
            with pool.connection(autocommit=True) as connection:
                return conversations.close_abandoned(connection, domain, "w", NOW)

        closing_it = gevent.spawn(close)
        gevent.sleep(0.1)
        slow.commit()
        assert closing_it.get(timeout=5) == 0
    with pool.connection() as connection:
        stored = conversations.find_conversation(connection, domain, key)
    assert stored is not None and stored.outcome == "completed"


def test_a_worker_leaves_the_register_unless_something_is_left_to_store(database, pool):
    register = WorkerRegister(pool, lambda: row("one"))
    register.start()
    there = "select count(*) from v_voice_workers_realtime"
    with gevent.Timeout(5):
        while database.execute(there) != [(1,)]:
            gevent.sleep(0.01)
    register.stop(all_stored=False)
    assert database.execute(there) == [(1,)]
    register.stop(all_stored=True)
    assert database.execute(there) == [(0,)]


def test_the_obituary_names_the_host_the_worker_had(database, pool, tmp_path: Path, monkeypatch):
    """A container made anew has another host name, and finds the old one's spool."""
    monkeypatch.setattr(socket, "gethostname", lambda: "container-1")
    dead = Journal(tmp_path / "spool", pool)
    begin(pool, database.seed().domain_uuid, dead.worker)
    os.close(dead._spool._lock)  # as the kernel does when the process ends
    monkeypatch.setattr(socket, "gethostname", lambda: "container-2")
    following = Journal(tmp_path / "spool", pool)
    following.start()
    with gevent.Timeout(5):
        while ends(database)[0][1] is None:
            gevent.sleep(0.01)
    assert following.stop()
    assert dead.worker.startswith("container-1:")
    assert ends(database) == [(dead.worker, "failed", "worker_lost")]


def test_a_failing_beat_is_told_once(database, pool, monkeypatch):
    register = WorkerRegister(Pool("host=/nowhere dbname=none"), lambda: row("one"))
    told: list[object] = []
    monkeypatch.setattr(register_module._log, "warning", lambda *a, **k: told.append(k))
    for _ in range(3):
        assert not register.beat()
    assert len(told) == 1


# --- who has a call -----------------------------------------------------------------------------


def test_the_owner_of_a_call_is_found(database, pool):
    mine, other = (database.seed().domain_uuid for _ in range(2))
    key = begin(pool, mine, "one")
    with pool.connection() as connection:
        found = workers.find_owner(connection, mine, f"call-{key}")
        assert found and (found.worker, found.http_url, found.alive) == ("one", None, False)
        workers.register(connection, row("one"))
        found = workers.find_owner(connection, mine, f"call-{key}")
        assert found and (found.alive, found.http_url) == (True, "http://127.0.0.1:1/one")
        assert workers.find_owner(connection, other, f"call-{key}") is None
        assert [one["worker"] for one in workers.list_workers(connection)] == ["one"]


def test_a_caller_who_was_transferred_is_anybodys_when_his_worker_is_no_more(database, pool):
    mine = database.seed().domain_uuid
    key = begin(pool, mine, "one")
    sql = "update v_voice_conversations_realtime set ended_at = now(), outcome = %s"
    with pool.connection() as connection:
        find = partial(workers.find_owner, connection, mine, f"call-{key}")
        statements.execute(connection, sql, ("transferred",))
        workers.register(connection, row("two"))
        assert (find().worker, find().alive, find().away) == ("two", True, True)
        workers.register(connection, row("one"))
        assert find().worker == "one"
        statements.execute(connection, sql, ("completed",))
        assert find() is None


# --- the shared port ----------------------------------------------------------------------------


@dataclasses.dataclass
class Port:
    """An `EslServer` as far as sharing the port goes."""

    capacity: int = 10
    active_calls: int = 0
    draining: bool = False
    listening: bool = True

    def pause_listener(self) -> None:
        self.listening = False

    def resume_listener(self) -> None:
        self.listening = True


class Sharing:
    """One worker: its port, its row, and the look it takes once a second."""

    def __init__(self, pool: Pool, name: str, *, anywhere: bool = False, **more: object) -> None:
        self.port = Port()
        self.row = lambda: row(
            name, calls=self.port.active_calls, listening=self.port.listening, **more
        )
        self.register = WorkerRegister(pool, self.row)
        self.register.beat()
        tell = self.register.beat
        self.sharing = SharedPort(self.port, pool, name, tell=tell, anywhere=anywhere)

    def take(self, calls: int) -> bool:
        """Have so many calls, look; whether the port is open then."""
        self.port.active_calls = calls
        self.sharing.look()
        return self.port.listening


def test_a_full_worker_leaves_the_port_to_one_with_room(database, pool):
    one, two = Sharing(pool, "one"), Sharing(pool, "two")
    assert one.take(9)
    assert not one.take(10)
    assert database.execute(
        "select worker, listening from v_voice_workers_realtime order by 1"
    ) == [("one", False), ("two", True)]
    assert two.take(10)  # the last one answers, and hands back
    assert not one.take(10)  # the other's row still says that it has room
    two.register.beat()
    assert one.take(10)
    assert two.take(10)


def test_the_port_opens_when_there_is_room_again(database, pool):
    one, _two = Sharing(pool, "one"), Sharing(pool, "two")
    assert not one.take(10)
    assert one.take(9)
    assert (one.sharing.pauses, one.sharing.left_to_others) == (1, False)
    assert database.execute("select bool_and(listening) from v_voice_workers_realtime") == [(True,)]


@pytest.mark.parametrize(
    "other",
    [{"host": "elsewhere"}, {"esl_address": "127.0.0.1:9"}, {"draining": True}, {"calls": 10}],
)
def test_nobody_else_with_room_keeps_it_open(database, pool, other):
    """Alone, or beside workers that cannot take this port's calls."""
    with pool.connection() as connection:
        workers.register(connection, row("two", **other))
    one = Sharing(pool, "one")
    assert one.take(10)


def test_with_several_hosts_a_full_worker_leaves_its_port_to_any_other(database, pool):
    one = Sharing(pool, "one", anywhere=True)
    two = Sharing(pool, "two", anywhere=True, host="elsewhere", esl_address="10.0.0.6:8084")
    assert not one.take(10)
    assert two.take(10)  # the last one answers
    two.register.beat()
    assert one.take(10)


def test_a_worker_that_has_vanished_is_no_help(database, pool):
    one, _two = Sharing(pool, "one"), Sharing(pool, "two")
    assert not one.take(10)
    age(database, "two", workers.FRESH_S + 1)
    assert one.take(10)


def test_without_the_database_the_port_stays_open(database, pool, monkeypatch):
    one, _two = Sharing(pool, "one"), Sharing(pool, "two")
    assert not one.take(10)
    monkeypatch.setattr(one.sharing, "_pool", Pool("host=/nowhere dbname=none"))
    assert one.take(10)
    assert one.take(10)


# --- doctor -------------------------------------------------------------------------------------


HERE = {"host": socket.gethostname()}


@pytest.mark.parametrize(
    ("rows", "state", "words"),
    [
        ([], "ok", "0 here, 0 on 0 hosts"),
        ([HERE, HERE], "ok", "2 here, 2 on 1 hosts"),
        ([HERE], "warning", "VOICE_AI_WORKER_COUNT is 2"),
        ([HERE, HERE, {"http_url": "http://10.0.0.2:8085"}], "ok", "2 here, 3 on 2 hosts"),
        ([HERE, HERE, {"host": "far"}], "note", "those of far listen on loopback"),
        ([HERE, HERE | {"version": "2"}], "note", "of several versions"),
    ],
)
def test_doctor_counts_the_workers_of_the_register(database, pool, rows, state, words):
    settings = Settings(worker=Worker(count=2))
    with pool.connection() as connection:
        for number, fields in enumerate(rows):
            workers.register(connection, row(f"w{number}", **fields))
        found = doctor_database._workers(settings, workers.list_workers(connection))
    assert (found.state.value, words in found.detail) == (state, True), found
