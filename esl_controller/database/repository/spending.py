"""What a domain has spent."""

from __future__ import annotations

from decimal import Decimal

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import Row, fetch_one


def spent(connection: Connection, domain_uuid: str, time_zone: str) -> Row:
    """Return `today_usd` and `month_usd`, Decimal: day and month as the domain's clock has them."""
    sql = """select coalesce(sum(cost_usd), 0) as month_usd,
               coalesce(sum(cost_usd) filter (where occurred_at >=
                 date_trunc('day', now() at time zone %s) at time zone %s), 0) as today_usd
             from v_voice_usage_realtime
             where domain_uuid = %s and occurred_at >=
               date_trunc('month', now() at time zone %s) at time zone %s"""
    parameters = (time_zone, time_zone, domain_uuid, time_zone, time_zone)
    row = fetch_one(connection, sql, parameters)
    assert row is not None  # an aggregate without GROUP BY has one row
    return row


def conversation_cost(
    connection: Connection, domain_uuid: str, conversation_uuid: str
) -> Decimal | None:
    """Return what one conversation cost so far; None when nothing of it could be priced."""
    sql = """select sum(cost_usd) as cost_usd from v_voice_usage_realtime
             where domain_uuid = %s and conversation_uuid = %s"""
    row = fetch_one(connection, sql, (domain_uuid, conversation_uuid))
    return None if row is None else row["cost_usd"]
