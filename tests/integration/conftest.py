"""Fixtures every integration test may ask for."""

from collections.abc import Generator, Iterator

import pytest

from tests.integration.api_fixtures import client, domain, running
from tests.integration.call_fixtures import serve
from tests.integration.db_fixtures import (
    bytes_database,
    clean_databases,
    database,
    empty_database,
    migrated_relations,
    migrated_template,
    open_directory,
    owners_pool,
    pool,
    postgres_server,
    secret_store,
)
from tests.integration.db_outage import outage, outage_server
from tests.integration.db_vectors import vector_server
from tests.integration.errand_house import house
from tests.integration.hub_watch import HubWatch

__all__ = [
    "bytes_database",
    "clean_databases",
    "client",
    "database",
    "domain",
    "empty_database",
    "house",
    "migrated_relations",
    "migrated_template",
    "open_directory",
    "outage",
    "outage_server",
    "owners_pool",
    "pool",
    "postgres_server",
    "running",
    "secret_store",
    "serve",
    "vector_server",
]

WATCH = pytest.StashKey[HubWatch]()


@pytest.fixture(autouse=True)
def hub_watch(request: pytest.FixtureRequest) -> Iterator[HubWatch]:
    """How late this process was woken during the test: nothing can be in time that woke up late."""
    with HubWatch() as watch:
        request.node.stash[WATCH] = watch
        yield watch


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure says how busy the machine was, so that nobody has to run it again to find out."""
    report = yield
    watch = item.stash.get(WATCH, None)
    if report.failed and watch is not None:
        words = f"this process was woken up to {watch.worst_ms:.0f} ms late"
        report.sections.append(("machine", words))
    return report
