"""Two PostgreSQL servers on machines of their own, the second the synchronous standby."""

from __future__ import annotations

import os
import pwd
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from esl_controller.database.embedded import packaged_bin_dir
from esl_controller.database.migrate import Migrator
from esl_controller.database.repository.demo import prepare_standalone
from tests.hosts.network import NETWORK, Machine

USER = "nobody"
"""initdb refuses root."""
_NEW = ("--auth=trust", "--no-sync", "--encoding=UTF8")
NAME = "voice"
_SETTINGS = """
listen_addresses = '*'
unix_socket_directories = '{directory}'
fsync = off
max_connections = 60
wal_level = replica
hot_standby = on
"""


class Server:
    """One of them. The test's own statements come by its Unix socket: no network takes part."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self.machine = machine
        self.directory = directory
        self.data = directory / "data"
        directory.mkdir()
        owner = pwd.getpwnam(USER)
        os.chown(directory, owner.pw_uid, owner.pw_gid)

    @property
    def dsn(self) -> str:
        """By its Unix socket."""
        return f"host={self.directory} user=postgres dbname={NAME}"

    def make(self) -> None:
        """A new, empty server, running."""
        self._run("initdb", "-D", str(self.data), "-U", "postgres", *_NEW)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS.format(directory=self.directory))
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {NETWORK} trust\nhost replication all {NETWORK} trust\n")
        self.start()

    def follow(self, primary: Server) -> None:
        """Become its standby, and be waited for by every commit of its from then on."""
        host = primary.machine.address
        copy = ("-D", str(self.data), "-R", "-X", "stream", "-c", "fast")
        self._run("pg_basebackup", "-h", host, "-U", "postgres", *copy)
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write(f"unix_socket_directories = '{self.directory}'\n")
            file.write(f"primary_conninfo = 'host={host} user=postgres application_name=standby'\n")
        self.start()
        primary.execute("alter system set synchronous_standby_names = 'standby'")
        primary.execute("select pg_reload_conf()")
        until = time.monotonic() + 20
        sql = "select 1 from pg_stat_replication where sync_state = 'sync'"
        while not primary.execute(sql):
            assert time.monotonic() < until, "no synchronous standby"
            time.sleep(0.05)

    def start(self) -> None:
        """Run it; returns when it takes connections."""
        self._run("pg_ctl", "start", "-w", "-D", str(self.data), "-l", str(self.log))

    def stop(self) -> None:
        """As an operator does who restarts it."""
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.data))

    def kill(self) -> None:
        """As a power cut does, without a word to anybody."""
        self.machine.vanish()
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.data))

    def promote(self) -> None:
        """A standby takes writes from now on."""
        self._run("pg_ctl", "promote", "-w", "-D", str(self.data))

    @property
    def running(self) -> bool:
        """Started, and not stopped since."""
        return (self.data / "postmaster.pid").exists()

    @property
    def log(self) -> Path:
        """What it writes."""
        return self.directory / "server.log"

    def migrate(self) -> None:
        """Our tables, in a database of their own."""
        with closing(psycopg2.connect(f"host={self.directory} user=postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"create database {NAME}")
        with closing(psycopg2.connect(self.dsn)) as connection, connection:
            prepare_standalone(connection)
        Migrator(self.dsn).up()

    def execute(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """One statement on a connection of its own."""
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        binaries = os.environ.get("TEST_POSTGRES_BIN") or str(packaged_bin_dir())
        user = ("setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups", "--")
        # What the server prints would keep the pipe of whoever waits for pg_ctl open.
        self.machine.run([*user, f"{binaries}/{program}", *arguments], cwd="/")
