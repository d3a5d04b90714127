"""Tickets that are good once, over all workers."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import fetch_one

GOOD_S = 300
"""No ticket is good for longer."""


def spend_ticket(connection: Connection, domain_uuid: str, ticket_uuid: str) -> bool:
    """Whether it had not been spent; it is now. What has expired of the domain is forgotten."""
    sql = """with old as (
               delete from v_voice_spent_tickets_realtime
               where domain_uuid = %s and expires_at < now())
             insert into v_voice_spent_tickets_realtime (ticket_uuid, domain_uuid, expires_at)
             values (%s, %s, now() + %s * interval '1 second')
             on conflict (ticket_uuid) do nothing returning 1"""
    return fetch_one(connection, sql, (domain_uuid, ticket_uuid, domain_uuid, GOOD_S)) is not None
