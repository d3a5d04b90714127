"""Fixtures every integration test may ask for."""

from tests.integration.call_fixtures import serve
from tests.integration.db_fixtures import (
    clean_databases,
    database,
    empty_database,
    migrated_relations,
    migrated_template,
    open_directory,
    pool,
    postgres_server,
    secret_store,
)
from tests.integration.db_outage import outage, outage_server

__all__ = [
    "clean_databases",
    "database",
    "empty_database",
    "migrated_relations",
    "migrated_template",
    "open_directory",
    "outage",
    "outage_server",
    "pool",
    "postgres_server",
    "secret_store",
    "serve",
]
