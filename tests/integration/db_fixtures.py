"""One PostgreSQL for the whole test run, and a fresh, migrated database for each test.

TEST_POSTGRES_BIN names another PostgreSQL's binaries, to run the same tests on that version.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from nacl.public import PrivateKey
from psycopg2 import extensions

from esl_controller.database import role
from esl_controller.database.embedded import EmbeddedPostgres
from esl_controller.database.migrate import Migrator
from esl_controller.database.pool import Pool, make_cooperative
from esl_controller.database.repository.demo import DemoTenant, demo_seed, prepare_standalone
from esl_controller.tenants.keys.secrets import SecretKeys, SecretStore
from tests.integration.leftovers import own_directory

make_cooperative()


class TestDatabase:
    """A database of its own for one test, with one connection for the test's own statements."""

    __test__ = False

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self.server = server
        self.name = name
        self._connection: extensions.connection | None = None

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    @property
    def workers_dsn(self) -> str:
        """As the role of the workers, who may do what they need and nothing else."""
        return extensions.make_dsn(self.dsn, user=role.NAME)

    def execute(self, sql: str, *parameters: object) -> list[tuple]:
        """Run one statement by itself and return its rows. After a table of FusionPBX's is made
        the workers' role may read of it what it always may."""
        if self._connection is None:
            self._connection = psycopg2.connect(self.dsn)
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            rows = cursor.fetchall() if cursor.description else []
        if "create table" in sql:
            self.execute(role.role_sql())
        return rows

    def disconnect(self) -> None:
        """Forget the connection; the next statement makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def seed(self, *, extension: str = "8000", name: str = "", **more: object) -> DemoTenant:
        """Store a new domain with a provider and a secretary."""
        domain_uuid = str(uuid.uuid4())
        with closing(psycopg2.connect(self.dsn)) as connection, connection:
            domain_name = name or f"{domain_uuid[:8]}.example"
            return demo_seed(connection, domain_uuid, extension, domain_name=domain_name, **more)


class Recorder(extensions.connection):
    """A connection that remembers the statements it was given, parameters filled in."""

    def cursor(self, *args: object, cursor_factory: type = extensions.cursor, **more: object):
        statements = self.__dict__.setdefault("statements", [])

        class Recording(cursor_factory):
            def execute(self, query: str, parameters: object = None) -> None:
                super().execute(query, parameters)
                statements.append(self.query.decode())

        return super().cursor(*args, cursor_factory=Recording, **more)


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
    with own_directory(_quick_directory()) as directory:
        directory.chmod(0o755)
        yield directory


def _quick_directory() -> Path:
    """Memory, where there is enough: a new database is three hundred files."""
    shared_memory = Path("/dev/shm")
    roomy = shared_memory.is_dir() and shutil.disk_usage(shared_memory).free > 2 * 1024**3
    usable = roomy and os.access(shared_memory, os.W_OK)
    return shared_memory if usable else Path(tempfile.gettempdir())


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
    execute(postgres_server.dsn(name), role.role_sql())
    return name


@pytest.fixture(scope="session")
def migrated_relations(postgres_server: EmbeddedPostgres, migrated_template: str) -> list[tuple]:
    """What a database is compared with before another test gets it."""
    template = TestDatabase(postgres_server, migrated_template)
    relations = _relations(template)
    template.disconnect()  # nobody may be connected to a template that is copied
    return relations


@pytest.fixture
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """A database without any table."""
    database = _create(postgres_server, "template1")
    yield database
    _drop(database)


@pytest.fixture
def bytes_database(postgres_server: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """One that knows no letters, as `initdb` makes them where the host has no language set."""
    database = _create(postgres_server, "template0 encoding 'SQL_ASCII'")
    yield database
    _drop(database)


@pytest.fixture(scope="session")
def clean_databases() -> list[TestDatabase]:
    """Migrated databases that a test left as it found them: making one takes far longer."""
    return []


@pytest.fixture
def database(
    postgres_server: EmbeddedPostgres,
    migrated_template: str,
    migrated_relations: list[tuple],
    clean_databases: list[TestDatabase],
) -> Iterator[TestDatabase]:
    """A migrated database without any domain."""
    database = clean_databases.pop() if clean_databases else None
    database = database or _create(postgres_server, migrated_template)
    yield database
    _disconnect_all(database)
    if _relations(database) == migrated_relations:
        database.execute("delete from v_domains")
        database.execute("delete from v_voice_workers_realtime")  # belongs to no domain
        clean_databases.append(database)
    else:
        _drop(database)


@pytest.fixture
def secret_store() -> SecretStore:
    """A key pair of this test's own, and one variable of the operator's."""
    keys = SecretKeys([PrivateKey.generate()])
    return SecretStore(keys, environment_names=["OPENAI_API_KEY"])


@pytest.fixture
def owners_pool(database: TestDatabase) -> Iterator[Pool]:
    """For tests that make tables of their own."""
    pool = Pool(database.dsn, size=4)
    yield pool
    pool.close()


@pytest.fixture
def pool(database: TestDatabase) -> Iterator[Pool]:
    """As the workers' role: a statement that needs a right it has not fails here."""
    pool = Pool(database.workers_dsn, size=4)
    yield pool
    pool.close()


def _create(server: EmbeddedPostgres, template: str) -> TestDatabase:
    database = TestDatabase(server, f"t_{uuid.uuid4().hex[:12]}")
    execute(server.dsn(), f"create database {database.name} template {template}")
    return database


def _drop(database: TestDatabase) -> None:
    database.disconnect()
    execute(database.server.dsn(), f"drop database {database.name} with (force)")


def _disconnect_all(database: TestDatabase) -> None:
    """End every connection but the test's own."""
    database.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()"""
    )


def _relations(database: TestDatabase) -> list[tuple]:
    """Every table, index and trigger, and how many columns of which type there are."""
    return database.execute(
        """select relname, relkind::text from pg_class where relnamespace = 'public'::regnamespace
           union all select attname, atttypid::text || attnotnull from pg_attribute a
             join pg_class c on c.oid = attrelid
             where relnamespace = 'public'::regnamespace and not attisdropped
           union all select tgname, tgenabled::text from pg_trigger where not tgisinternal
           order by 1, 2"""
    )
