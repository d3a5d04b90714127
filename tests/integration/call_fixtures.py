"""Fixtures of the tests that make calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.held import held, wait_until_back_to
from tests.integration.service import Service, service


@pytest.fixture
def serve(database: Any, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts a service; ends it after the test and sees that nothing is left of it."""
    before = held()
    with ExitStack() as stack:

        def start(**options: Any) -> Service:
            return stack.enter_context(service(database, tmp_path, **options))

        yield start
    database.disconnect()
    wait_until_back_to(before)
