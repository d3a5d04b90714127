"""Connections that wait on the hub, and what becomes of them when something goes wrong."""

import contextlib
import traceback
from contextlib import closing

import gevent
import psycopg2
import pytest
from gevent import socket
from psycopg2 import extensions

from esl_controller.database.migrate import MigrationError, Migrator
from esl_controller.database.pool import (
    DatabaseError,
    DatabaseUnavailable,
    GreenConnection,
    Pool,
    RowRefused,
)
from esl_controller.database.servers import Servers, resolved


def ask(pool: Pool, sql: str, *parameters: object) -> list[tuple]:
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []


def wait_for(condition) -> None:
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.01)


def test_a_slow_query_does_not_stop_the_hub(database):
    """One greenlet's query waits for a lock that only another greenlet can let go of."""
    pool = Pool(database.dsn, size=3, statement_timeout_s=20)
    with pool.connection() as holder:
        holder.cursor().execute("select pg_advisory_xact_lock(1)")
        slow = gevent.spawn(ask, pool, "select pg_advisory_xact_lock(1)")
        wait_for(lambda: ask(pool, "select 1 from pg_locks where not granted and objid = 1"))
        assert not slow.ready()
    slow.get(timeout=10)
    pool.close()


def test_letters_come_and_go_whatever_the_database_takes_itself_for(bytes_database):
    """FusionPBX's own upgrade may have made the tables there."""
    pool = Pool(bytes_database.dsn, size=1)
    assert ask(pool, "select %s || 'ô'", "Olá, João…") == [("Olá, João…ô",)]
    pool.close()


def test_a_ticker_goes_on_during_a_query(pool):
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while True:
            gevent.sleep(0.001)
            ticks += 1

    ticker = gevent.spawn(tick)
    ask(pool, "select pg_sleep(0.3)")
    ticker.kill()
    assert ticks > 10


def test_queries_run_side_by_side(database):
    pool = Pool(database.dsn, size=3)
    with pool.connection() as first, pool.connection() as second:
        assert first.info.backend_pid != second.info.backend_pid
        assert pool.statistics().in_use == 2
    assert pool.statistics().idle == 2
    assert ask(pool, "select 1") == [(1,)]
    assert pool.statistics().opened == 2
    pool.close()
    assert pool.statistics().idle == 0


def test_a_transaction_is_kept_or_undone_whole(owners_pool):
    ask(owners_pool, "create table t (a integer primary key)")
    with pytest.raises(ZeroDivisionError), owners_pool.connection() as connection:
        connection.cursor().execute("insert into t values (1)")
        raise ZeroDivisionError
    assert ask(owners_pool, "select count(*) from t") == [(0,)]
    with owners_pool.connection(autocommit=True) as connection:
        connection.cursor().execute("insert into t values (1)")
        assert ask(owners_pool, "select count(*) from t") == [(1,)]


def test_exhausted_pool_waits_with_a_deadline(database):
    pool = Pool(database.dsn, size=1, wait_timeout_s=0.05)
    with pool.connection(), pytest.raises(DatabaseUnavailable, match="all 1 connections busy"):
        ask(pool, "select 1")
    statistics = pool.statistics()
    assert (statistics.wait_timeouts, statistics.in_use, statistics.waiting) == (1, 0, 0)
    assert ask(pool, "select 1") == [(1,)]
    pool.close()


def test_statement_timeout_keeps_the_connection(database):
    pool = Pool(database.dsn, size=1, statement_timeout_s=0.05)
    with pytest.raises(DatabaseUnavailable) as caught:
        ask(pool, "select pg_sleep(10)")
    assert caught.value.sqlstate == "57014"
    assert ask(pool, "select 1") == [(1,)]
    assert pool.statistics().opened == 1
    pool.close()


@pytest.mark.parametrize("interruption", ["kill", "timeout"])
def test_a_query_interrupted_costs_its_connection(database, interruption):
    pool = Pool(database.dsn, size=1, statement_timeout_s=20)
    query = gevent.spawn(ask, pool, "select pg_sleep(10)")
    if interruption == "kill":
        wait_for(lambda: pool.statistics().in_use == 1 and pool.statistics().opened == 1)
        query.kill(timeout=5)
    else:
        query.kill(timeout=5)
        with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
            ask(pool, "select pg_sleep(10)")
    statistics = pool.statistics()
    assert (statistics.in_use, statistics.idle, statistics.discarded) == (0, 0, 1)
    assert ask(pool, "select 1") == [(1,)]
    pool.close()


def test_wrong_data_and_wrong_statements_are_told_apart(owners_pool):
    ask(owners_pool, "create table t (a integer primary key)")
    ask(owners_pool, "insert into t values (1)")
    for statement in ("insert into t values (1)", "select 'x'::uuid"):
        with pytest.raises(RowRefused):
            ask(owners_pool, statement)
    with pytest.raises(DatabaseError) as caught:
        ask(owners_pool, "select * from nothing")
    assert type(caught.value) is DatabaseError
    assert caught.value.sqlstate == "42P01"
    assert owners_pool.statistics().opened == 1


def test_a_server_that_became_read_only_is_unavailable(owners_pool):
    ask(owners_pool, "create table t (a integer)")
    with pytest.raises(DatabaseUnavailable), owners_pool.connection() as connection:
        connection.cursor().execute("set transaction read only; insert into t values (1)")


def test_idle_connections_the_server_ended_are_not_lent(database, pool):
    pid = ask(pool, "select pg_backend_pid()")[0][0]
    database.execute("select pg_terminate_backend(%s)", pid)
    wait_for(lambda: not database.execute("select 1 from pg_stat_activity where pid = %s", pid))
    assert ask(pool, "select 1") == [(1,)]
    assert pool.statistics().discarded == 1


def test_a_connection_ended_in_use_is_unavailable(database, pool):
    with pytest.raises(DatabaseUnavailable), pool.connection() as connection:
        database.execute("select pg_terminate_backend(%s)", connection.info.backend_pid)
        connection.cursor().execute("select 1")
        connection.cursor().execute("select 1")
    assert pool.statistics().idle == 0
    assert ask(pool, "select 1") == [(1,)]


def test_old_connections_are_replaced(database):
    pool = Pool(database.dsn, size=1, max_age_s=0)
    ask(pool, "select 1")
    ask(pool, "select 1")
    assert pool.statistics().opened == 2
    pool.close()
    with pytest.raises(DatabaseUnavailable, match="closed"):
        ask(pool, "select 1")


def test_connecting_has_a_deadline():
    """A peer that accepts and says nothing; libpq's own connect_timeout would not help."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        dsn = f"host=127.0.0.1 port={listener.getsockname()[1]} dbname=x connect_timeout=1"
        pool = Pool(dsn, connect_timeout_s=0.05)
        with pytest.raises(DatabaseUnavailable, match=r"within 0\.05 s"):
            ask(pool, "select 1")
        assert pool.statistics().connect_failures == 1


def test_a_network_that_swallows_answers_has_a_deadline(database):
    """The server's statement_timeout cannot reach us then; ours ends the wait."""
    pool = Pool(database.dsn, size=1)
    with pytest.raises(DatabaseUnavailable, match="no answer within"), pool.connection() as lent:
        lent.wait_limit_s = 0.05
        lent.cursor().execute("select pg_sleep(4)")
    assert pool.statistics().idle == 0
    pool.close()


def test_connections_made_elsewhere_wait_without_our_limits(database, monkeypatch):
    """A migration may take an hour, in a process that has a pool as well."""
    monkeypatch.setattr(GreenConnection, "wait_limit_s", 0.01)
    with closing(psycopg2.connect(database.dsn)) as connection:
        connection.cursor().execute("select pg_sleep(0.1)")


def test_refused_connections_are_unavailable(tmp_path):
    with pytest.raises(DatabaseUnavailable, match="cannot connect"):
        ask(Pool(f"host={tmp_path} dbname=x"), "select 1")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgres//u:sekret@127.0.0.1/x",
        "postgresql://u:sek%zzret@127.0.0.1/x",
        "host=127.0.0.1 password=se kret",
        "host=127.0.0.1 password=sekret bogus=1",
    ],
)
def test_a_connection_string_that_cannot_be_read_is_not_repeated(dsn):
    """libpq quotes it, with the password in it."""
    with pytest.raises(DatabaseUnavailable, match="connection string") as refused:
        ask(Pool(dsn), "select 1")
    with pytest.raises(MigrationError, match="connection string") as not_migrated:
        Migrator(dsn).status()
    for error in (refused.value, not_migrated.value):
        assert "kret" not in "".join(traceback.format_exception(error))


def test_a_missing_table_says_what_to_do(pool):
    with pytest.raises(DatabaseError, match=r'"v_nothing" does not exist: has .*migrate'):
        ask(pool, "select 1 from v_nothing")


def test_names_are_looked_up_by_gevent():
    assert extensions.parse_dsn(resolved("host=localhost dbname=x"))["hostaddr"] in (
        "127.0.0.1",
        "::1",
    )
    for given in ("host=/tmp dbname=x", "dbname=x", "host=a hostaddr=127.0.0.1"):
        assert resolved(given) == given


# --- several servers ------------------------------------------------------------------------------


@pytest.fixture(name="silent")
def silent_server(tmp_path):
    """A server's socket that takes connections and says nothing, as a machine that hangs."""
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(str(tmp_path / ".s.PGSQL.5432"))
        sock.listen()
        sock.settimeout(0.01)
        yield sock


def asked(silent) -> int:
    """How often it was connected to since the last time."""
    count = 0
    with contextlib.suppress(TimeoutError):
        while True:
            silent.accept()[0].close()
            count += 1
    return count


def two_servers(database, silent) -> str:
    parts = extensions.parse_dsn(database.dsn)
    directory = silent.getsockname().rpartition("/")[0]
    return extensions.make_dsn(**(parts | {"host": f"{directory},{parts['host']}"}))


def test_the_next_server_is_tried_and_then_tried_first(database, silent):
    pool = Pool(two_servers(database, silent), size=2, connect_timeout_s=1.0)
    with pool.connection(), pool.connection():
        assert pool.statistics().opened == 2
    assert asked(silent) == 1
    pool.close()


def test_who_has_little_time_leaves_a_better_order_to_the_next(database, silent):
    pool = Pool(two_servers(database, silent), connect_timeout_s=20.0)
    with pytest.raises(DatabaseUnavailable), pool.connection(limit_s=0.1):
        raise AssertionError("a server that says nothing was connected to")
    assert ask(pool, "select 1") == [(1,)]
    assert asked(silent) == 1
    pool.close()


def test_all_reasons_are_told(tmp_path):
    with pytest.raises(DatabaseUnavailable) as refused:
        ask(Pool(f"host={tmp_path}/a,{tmp_path}/b user=x password=secret"), "select 1")
    assert f"{tmp_path}/a" in str(refused.value)
    assert f"{tmp_path}/b" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("host=a dbname=x", ["host=a dbname=x"]),
        (
            "postgresql://u@a:1,b:2/x",
            [
                "user=u host=a port=1 dbname=x target_session_attrs=read-write",
                "user=u host=b port=2 dbname=x target_session_attrs=read-write",
            ],
        ),
        (
            "host=a,b hostaddr=10.0.0.1,10.0.0.2 port=5 target_session_attrs=any",
            [
                "host=a hostaddr=10.0.0.1 port=5 target_session_attrs=any",
                "host=b hostaddr=10.0.0.2 port=5 target_session_attrs=any",
            ],
        ),
    ],
)
def test_a_string_of_several_servers_is_one_for_each(dsn, expected):
    found = [extensions.parse_dsn(one) for one in Servers(dsn).in_turn()]
    assert found == [extensions.parse_dsn(one) for one in expected]


def test_a_server_that_became_a_standby_is_left(database):
    pool = Pool(database.dsn, size=1)
    with pytest.raises(DatabaseUnavailable) as refused, pool.connection() as connection:
        connection.cursor().execute("set transaction read only; create table t ()")
    assert refused.value.sqlstate == "25006"
    assert pool.statistics().idle == 0
    pool.close()


def test_a_server_that_falls_silent_is_asked_on_no_connection_more(database):
    pool = Pool(database.dsn, size=2)
    with pool.connection(), pool.connection():
        pass
    assert pool.statistics().idle == 2
    with pytest.raises(DatabaseUnavailable, match="no answer"), pool.connection() as connection:
        connection.wait_limit_s = 0.1
        connection.cursor().execute("select pg_sleep(5)")
    assert pool.statistics().idle == 0
    pool.close()
