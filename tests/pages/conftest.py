"""One PostgreSQL, one worker, one web server and one browser for all tests of the pages.

Worker and browser end with the last of them: other tests would see what the worker logs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.db_fixtures import (
    _create,
    _drop,
    migrated_template,
    open_directory,
    postgres_server,
)
from tests.pages.browser import Browser, missing
from tests.pages.proxy import Proxy
from tests.pages.world import World, world, write_microphone

__all__ = ["migrated_template", "open_directory", "postgres_server"]

REQUIRED = "PAGES_REQUIRED"
"""Set in CI: what would be left out for want of PHP or Chromium is a failure there."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lacking = missing()
    if not lacking:
        return
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    if os.environ.get(REQUIRED):
        if here:
            raise pytest.UsageError(f"tests of the pages need {', '.join(lacking)}")
        return
    for item in here:
        item.add_marker(pytest.mark.skip(reason=f"needs {', '.join(lacking)}"))


@pytest.fixture(scope="package")
def here(
    postgres_server: object, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The worker, two domains and the web server."""
    database = _create(postgres_server, migrated_template)
    with world(database, tmp_path_factory.mktemp("pages")) as one:
        yield one
    _drop(database)


@pytest.fixture(scope="package")
def browser(here: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, behind what nginx does; a recorded sentence is its microphone, again and again."""
    sound = write_microphone(tmp_path_factory.mktemp("microphone") / "caller.wav")
    worker = here.app.media.address
    with (
        Proxy(("127.0.0.1", here.web.port), worker) as proxy,
        Browser(proxy.url, f"--use-file-for-fake-audio-capture={sound}") as one,
    ):
        yield one


@pytest.fixture(autouse=True)
def no_php_warning(here: World) -> Iterator[None]:
    """Every warning of PHP fails the test that caused it."""
    before = here.web.warnings()
    yield
    assert here.web.warnings()[len(before) :] == []
