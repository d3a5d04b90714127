"""One PostgreSQL for the whole test run, and a fresh, migrated database for each test.

TEST_POSTGRES_BIN names another PostgreSQL's binaries, to run the same tests on that version.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from nacl.public import PrivateKey

from esl_controller.embedded_db import EmbeddedPostgres
from esl_controller.migrate import Migrator
from esl_controller.pool import Pool, make_cooperative
from esl_controller.repository.demo import DemoTenant, demo_seed, prepare_standalone
from esl_controller.secrets import SecretKeys, SecretStore

make_cooperative()


@dataclass(frozen=True)
class TestDatabase:
    """A database of its own for one test."""

    __test__ = False

    server: EmbeddedPostgres
    name: str

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    def execute(self, sql: str, *parameters: object) -> list[tuple]:
        """Run one statement by itself and return its rows."""
        return execute(self.dsn, sql, *parameters)

    def seed(self, *, extension: str = "8000", name: str = "", **more: object) -> DemoTenant:
        """Store a new domain with a provider and a secretary."""
        domain_uuid = str(uuid.uuid4())
        with closing(psycopg2.connect(self.dsn)) as connection, connection:
            domain_name = name or f"{domain_uuid[:8]}.example"
            return demo_seed(connection, domain_uuid, extension, domain_name=domain_name, **more)


def execute(dsn: str, sql: str, *parameters: object) -> list[tuple]:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []


def new_server(directory: Path, *, durable: bool = False) -> EmbeddedPostgres:
    """Return a server, not started, of the PostgreSQL the tests are run on."""
    binaries = os.environ.get("TEST_POSTGRES_BIN")
    return EmbeddedPostgres(
        directory / "data", bin_dir=Path(binaries) if binaries else None, durable=durable
    )


@pytest.fixture(scope="session")
def open_directory() -> Iterator[Path]:
    """A directory the server's user may enter (pytest's own are closed to others)."""
    directory = Path(tempfile.mkdtemp(prefix="voice-ai-test-", dir=_quick_directory()))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def _quick_directory() -> str | None:
    """Memory, where there is enough: a new database is three hundred files."""
    shared_memory = Path("/dev/shm")
    roomy = shared_memory.is_dir() and shutil.disk_usage(shared_memory).free > 2 * 1024**3
    return str(shared_memory) if roomy and os.access(shared_memory, os.W_OK) else None


@pytest.fixture(scope="session")
def postgres_server(open_directory: Path) -> Iterator[EmbeddedPostgres]:
    server = new_server(open_directory)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    name = "migrated_template"
    execute(postgres_server.dsn(), f"create database {name}")
    with closing(psycopg2.connect(postgres_server.dsn(name))) as connection, connection:
        prepare_standalone(connection)
    Migrator(postgres_server.dsn(name)).up()
    return name


@pytest.fixture
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """A database without any table."""
    yield from _database(postgres_server, "template1")


@pytest.fixture
def database(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[TestDatabase]:
    """A migrated database without any domain."""
    yield from _database(postgres_server, migrated_template)


@pytest.fixture
def secret_store() -> SecretStore:
    """A key pair of this test's own."""
    return SecretStore(SecretKeys([PrivateKey.generate()]))


@pytest.fixture
def pool(database: TestDatabase) -> Iterator[Pool]:
    pool = Pool(database.dsn, size=4)
    yield pool
    pool.close()


def _database(server: EmbeddedPostgres, template: str) -> Iterator[TestDatabase]:
    name = f"t_{uuid.uuid4().hex[:12]}"
    execute(server.dsn(), f"create database {name} template {template}")
    yield TestDatabase(server, name)
    execute(server.dsn(), f"drop database {name} with (force)")
