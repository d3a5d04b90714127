"""The packaged PostgreSQL: started once, found again, and what stands in its way is named."""

import os
from pathlib import Path

import gevent
import pytest
from gevent.event import Event

from esl_controller.database import embedded
from esl_controller.database.embedded import EmbeddedDatabaseError, EmbeddedPostgres
from esl_controller.database.embedded_use import in_use
from tests.integration.db_fixtures import execute, new_server


def test_starting_twice_uses_the_one_that_runs(postgres_server):
    again = EmbeddedPostgres(postgres_server.data_dir)
    assert again.start() == postgres_server.dsn()
    assert again.pid == postgres_server.pid


def test_the_last_of_several_users_stops_it(open_directory):
    """Each user is a worker; they come and go at the same moments."""
    directory = open_directory / "shared"
    having: list[Event] = []

    def use(until: Event) -> None:
        with in_use(new_server(directory)) as dsn:
            assert execute(dsn, "select 1") == [(1,)]
            having.append(until)
            until.wait()

    first, second = Event(), Event()
    users = [gevent.spawn(use, until) for until in (first, first, second)]
    with gevent.Timeout(60):
        while len(having) < len(users):
            gevent.sleep(0.02)
        server = new_server(directory)
        first.set()
        gevent.joinall(users[:2], raise_error=True)
        assert execute(server.dsn(), "select 1") == [(1,)]
        second.set()
        gevent.joinall(users, raise_error=True)
    assert server.pid is None


def test_a_server_somebody_else_runs_is_left_running(postgres_server):
    with in_use(EmbeddedPostgres(postgres_server.data_dir)) as dsn:
        assert dsn == postgres_server.dsn()
    assert postgres_server.pid is not None


def test_only_a_private_socket_listens(postgres_server):
    assert postgres_server.socket_dir.stat().st_mode & 0o777 == 0o700
    assert execute(postgres_server.dsn(), "show listen_addresses") == [("",)]


def test_databases_are_made_and_dropped(postgres_server):
    dsn = postgres_server.create_database("made_here")
    assert execute(dsn, "select current_database()") == [("made_here",)]
    with pytest.raises(EmbeddedDatabaseError, match="already exists"):
        postgres_server.create_database("made_here")
    postgres_server.drop_database("made_here")
    postgres_server.drop_database("made_here")


def test_killed_and_started_again_it_has_what_was_committed(outage):
    execute(outage.database.dsn, "create table kept (a integer)")
    execute(outage.database.dsn, "insert into kept values (7)")
    outage.begin(kill=True)
    outage.end()
    assert execute(outage.database.dsn, "select a from kept") == [(7,)]


@pytest.mark.parametrize("content", ["", "x", "999999999\n/data", f"{os.getpid()}\n/data"])
def test_a_stale_pid_file_is_not_a_server(tmp_path, content):
    server = EmbeddedPostgres(tmp_path)
    assert server.pid is None
    (tmp_path / "postmaster.pid").write_text(content)
    assert server.pid is None  # the last number is this test's own
    server.stop()
    server.kill()


def test_the_first_closed_parent_is_found(tmp_path):
    somebody = embedded._Account("somebody", os.getuid() + 4321, os.getgid() + 4321)
    closed = tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & 0o001:
            first = parent
    assert embedded._first_closed_parent(closed / "inner" / "data", somebody) == first
    owner = embedded._Account("me", os.getuid(), os.getgid())
    assert embedded._first_closed_parent(closed / "inner" / "data", owner) is None
    assert embedded._first_closed_parent(closed, None) is None


def test_a_closed_parent_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_first_closed_parent", lambda *_: Path("/closed"))
    monkeypatch.setattr(embedded, "_account", lambda: embedded._Account("postgres", 1, 1))
    with pytest.raises(EmbeddedDatabaseError, match="'postgres', who may not enter /closed"):
        EmbeddedPostgres(tmp_path / "data").start()
    assert not (tmp_path / "data").exists()


def test_long_paths_get_a_short_socket_directory(tmp_path):
    server = EmbeddedPostgres(tmp_path / ("x" * 100))
    assert len(str(server.socket_dir)) < embedded.MAX_SOCKET_DIR_BYTES
    assert server.socket_dir != EmbeddedPostgres(tmp_path / ("y" * 100)).socket_dir


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(EmbeddedDatabaseError, match=r"pip install '\.\[demo\]'"):
        embedded.packaged_bin_dir()


def test_a_failing_program_says_why(open_directory):
    directory = open_directory / "bad"
    directory.mkdir(mode=0o755)
    server = EmbeddedPostgres(directory / "data", bin_dir=Path("/usr/bin"))
    with pytest.raises(EmbeddedDatabaseError, match="initdb failed"):
        server.start()
