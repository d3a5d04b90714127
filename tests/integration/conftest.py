"""Fixtures every integration test may ask for."""

from tests.integration.db_fixtures import (
    database,
    empty_database,
    migrated_template,
    open_directory,
    pool,
    postgres_server,
    secret_store,
)

__all__ = [
    "database",
    "empty_database",
    "migrated_template",
    "open_directory",
    "pool",
    "postgres_server",
    "secret_store",
]
