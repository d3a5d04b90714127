"""A running service whose API is open, for the tests that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api_kit import OPEN, Client, client_of
from tests.integration.db_fixtures import TestDatabase
from tests.integration.service import Service, service


@pytest.fixture
def running(database: TestDatabase, tmp_path: Path) -> Iterator[Service]:
    with service(database, tmp_path, **OPEN) as one:
        yield one


@pytest.fixture
def client(running: Service) -> Client:
    return client_of(running)


@pytest.fixture
def domain(running: Service) -> str:
    """Where the API has what is the tenant's."""
    return f"/domains/{running.tenant.domain_uuid}"
