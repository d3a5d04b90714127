"""A database server of its own that a test may stop, kill and start again."""

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from esl_controller.database import role
from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.migrate import Migrator
from esl_controller.database.repository.demo import prepare_standalone
from tests.integration.db_fixtures import TestDatabase, execute, new_server


class Outage:
    """One server with one migrated database. `durable` keeps what was committed when killed."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self.database = TestDatabase(server, f"o_{uuid.uuid4().hex[:12]}")
        execute(server.dsn(), f"create database {self.database.name}")
        with closing(psycopg2.connect(self.database.dsn)) as connection, connection:
            prepare_standalone(connection)
        Migrator(self.database.dsn).up()
        execute(self.database.dsn, role.role_sql())

    def begin(self, *, kill: bool = False) -> None:
        """Stop the server as an operator does, or as a power cut does."""
        if kill:
            self._server.kill()
        else:
            self._server.stop()

    def end(self) -> None:
        """Start it again."""
        self._server.start()
        self.database.disconnect()


@pytest.fixture(scope="session")
def outage_server(open_directory: Path) -> Iterator[EmbeddedPostgres]:
    directory = open_directory / "outage"
    directory.mkdir(mode=0o755)
    server = new_server(directory, durable=True)
    server.start()
    yield server
    server.stop()
    with contextlib.suppress(OSError):
        shutil.rmtree(directory)


@pytest.fixture
def outage(outage_server: EmbeddedPostgres) -> Iterator[Outage]:
    outage = Outage(outage_server)
    yield outage
    outage.end()
