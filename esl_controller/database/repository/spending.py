"""What a domain has spent: sums of the quarters of an hour that migration 018 keeps."""

from __future__ import annotations

from decimal import Decimal

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import Row, execute, fetch_all, fetch_one

KEPT_DAYS = 62
"""Sums older than any month that can still be going on are forgotten; the usage itself stays."""
_MONTH = "date_trunc('month', now() at time zone %s) at time zone %s"
_SUMS = """coalesce(sum(cost_usd), 0) as month_usd, coalesce(sum(cost_usd) filter (
  where occurred_at >= date_trunc('day', now() at time zone %s) at time zone %s), 0) as today_usd"""


def spent(connection: Connection, domain_uuid: str, time_zone: str) -> Row:
    """Return `today_usd` and `month_usd`, Decimal: day and month as the domain's clock has them."""
    sql = """select coalesce(sum(cost_usd), 0) as month_usd,
               coalesce(sum(cost_usd) filter (where began_at >=
                 date_trunc('day', now() at time zone %s) at time zone %s), 0) as today_usd
             from v_voice_spending_realtime
             where domain_uuid = %s and began_at >=
               date_trunc('month', now() at time zone %s) at time zone %s"""
    parameters = (time_zone, time_zone, domain_uuid, time_zone, time_zone)
    row = fetch_one(connection, sql, parameters)
    assert row is not None  # an aggregate without GROUP BY has one row
    return row


def fold(connection: Connection, domain_uuid: str) -> int:
    """Make one row of the several of a quarter, and forget old ones; return how many went.

    What is deleted is what is added up, so several workers may fold at once, and no reader ever
    sees a sum that is too small or too large.
    """
    sql = """with gone as (
               delete from v_voice_spending_realtime
               where domain_uuid = %s and began_at < now() - %s * interval '1 day'),
             several as (
               select began_at from v_voice_spending_realtime
               where domain_uuid = %s and began_at >= now() - %s * interval '1 day'
               group by began_at having count(*) > 1),
             folded as (
               delete from v_voice_spending_realtime
               where domain_uuid = %s and began_at in (select began_at from several)
               returning began_at, cost_usd)
             insert into v_voice_spending_realtime (domain_uuid, began_at, cost_usd)
             select %s, began_at, sum(cost_usd) from folded group by began_at"""
    parameters = (domain_uuid, KEPT_DAYS, domain_uuid, KEPT_DAYS, domain_uuid, domain_uuid)
    return execute(connection, sql, parameters)


def by_provider(connection: Connection, domain_uuid: str, time_zone: str) -> list[Row]:
    """Return what each provider of the domain has cost, in fail-over order, with `today_usd` and
    `month_usd` as `spent` has them; 0 for one that was not used."""
    sql = f"""select p.voice_realtime_provider_uuid, p.provider_label, p.realtime_provider,
               coalesce(u.today_usd, 0) as today_usd, coalesce(u.month_usd, 0) as month_usd
             from v_voice_realtime_providers p left join (
               select voice_realtime_provider_uuid, {_SUMS} from v_voice_usage_realtime
               where domain_uuid = %s and occurred_at >= {_MONTH} group by 1) u
               on u.voice_realtime_provider_uuid = p.voice_realtime_provider_uuid
             where p.domain_uuid = %s
             order by p.priority, p.created_at, p.voice_realtime_provider_uuid"""
    zones = (time_zone, time_zone)
    return fetch_all(connection, sql, (*zones, domain_uuid, *zones, domain_uuid))


def besides_providers(connection: Connection, domain_uuid: str, time_zone: str) -> list[Row]:
    """Return what was paid through none of the providers the domain has now, by `vendor`, `purpose`
    and whether its provider was `removed`. Together with `by_provider` it is all."""
    sql = f"""select u.provider as vendor, u.purpose,
               u.voice_realtime_provider_uuid is not null as removed, {_SUMS}
             from v_voice_usage_realtime u
             where u.domain_uuid = %s and u.occurred_at >= {_MONTH} and not exists (
               select 1 from v_voice_realtime_providers p where p.domain_uuid = u.domain_uuid
               and p.voice_realtime_provider_uuid = u.voice_realtime_provider_uuid)
             group by 1, 2, 3 having sum(u.cost_usd) > 0
             order by month_usd desc, vendor, purpose, removed"""
    zones = (time_zone, time_zone)
    return fetch_all(connection, sql, (*zones, domain_uuid, *zones))


def conversation_cost(
    connection: Connection, domain_uuid: str, conversation_uuid: str
) -> Decimal | None:
    """Return what one conversation cost so far; None when nothing of it could be priced."""
    sql = """select sum(cost_usd) as cost_usd from v_voice_usage_realtime
             where domain_uuid = %s and conversation_uuid = %s"""
    row = fetch_one(connection, sql, (domain_uuid, conversation_uuid))
    return None if row is None else row["cost_usd"]
