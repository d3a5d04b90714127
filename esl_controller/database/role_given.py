"""Runs the SQL of `role.py`."""

from __future__ import annotations

import psycopg2
from psycopg2.extensions import encrypt_password

from esl_controller.database.pool import CLIENT_ENCODING, cannot_connect
from esl_controller.database.role import role_sql


class RoleNotGiven(Exception):
    """With why; nothing was changed."""


def give_role(dsn: str, name: str, password: str | None, *, connect_timeout_s: float) -> None:
    """As the owner of the tables; `password` None leaves the role's as it is.

    Raises RoleNotGiven; ValueError for a name that is none.
    """
    sql = role_sql(name)
    try:
        connection = psycopg2.connect(
            dsn,
            connect_timeout=max(1, int(connect_timeout_s)),
            client_encoding=CLIENT_ENCODING,
        )
    except psycopg2.Error as error:
        raise RoleNotGiven(cannot_connect(error)) from error
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            if password is not None:
                # Sent as PostgreSQL stores it: its log may hold statements.
                stored = encrypt_password(password, name, connection, "scram-sha-256")
                cursor.execute(f"alter role {name} password %s", (stored,))
    except psycopg2.Error as error:
        why = str(error).strip().splitlines()[0]
        advice = "Run it as the owner of the tables, who may create roles"
        raise RoleNotGiven(f"{why}\n{advice}") from error
    finally:
        connection.close()
