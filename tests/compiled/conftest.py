"""A service for whole calls."""

from tests.integration.call_fixtures import serve
from tests.integration.db_fixtures import (
    clean_databases,
    database,
    migrated_relations,
    migrated_template,
    open_directory,
    postgres_server,
)

__all__ = [
    "clean_databases",
    "database",
    "migrated_relations",
    "migrated_template",
    "open_directory",
    "postgres_server",
    "serve",
]
