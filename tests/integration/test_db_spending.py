"""Budgets' sums by quarter of an hour: right whatever is stored, repeated, corrected, erased."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import gevent
import pytest

from esl_controller.database.pool import Pool
from esl_controller.database.repository import privacy, spending
from esl_controller.money.costs import costs_of
from esl_controller.record.recordings import Recordings
from esl_controller.record.retention import Retention
from tests.integration.test_db_money import spend

NOWHERE = Recordings("/nowhere")
ADD = """insert into v_voice_usage_realtime
           (usage_uuid, domain_uuid, provider, occurred_at, cost_usd)
         values (%s, %s, 'openai', %s, %s)
         on conflict (usage_uuid) do update set cost_usd = excluded.cost_usd,
           occurred_at = excluded.occurred_at"""


def add(database, domain_uuid: str, amount: str, at: datetime, key: str = "") -> str:
    key = key or str(uuid.uuid4())
    database.execute(ADD, key, domain_uuid, at, Decimal(amount))
    return key


def spent(pool: Pool, domain_uuid: str, zone: str = "UTC") -> tuple[Decimal, Decimal]:
    with pool.connection(autocommit=True) as connection:
        row = spending.spent(connection, domain_uuid, zone)
    return row["today_usd"], row["month_usd"]


@pytest.mark.parametrize(
    "zone", ["America/Sao_Paulo", "Asia/Tokyo", "Asia/Kathmandu", "Pacific/Kiritimati"]
)
def test_day_and_month_begin_at_midnight_of_the_domain(database, pool, zone):
    """Not of UTC: for most of the world that would be some hours of the wrong day and month."""
    mine = database.seed().domain_uuid
    today = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    for amount, at in (("1", month), ("2", month - timedelta(seconds=1))):
        add(database, mine, amount, at)
    assert spent(pool, mine, zone)[1] == 1
    for amount, at in (("4", today), ("8", today - timedelta(seconds=1))):
        add(database, mine, amount, at)
    yesterday_counts = today - timedelta(seconds=1) >= month
    assert spent(pool, mine, zone) == (
        5 if today == month else 4,
        1 + 4 + (8 if yesterday_counts else 0),
    )


def test_a_repetition_changes_nothing_and_a_correction_counts_once(database, pool):
    mine, now = database.seed().domain_uuid, datetime.now(UTC)
    key = add(database, mine, "3", now)
    for _ in range(3):  # the journal's replay after a kill
        add(database, mine, "3", now, key)
    assert spent(pool, mine)[0] == 3
    add(database, mine, "2.5", now, key)
    assert spent(pool, mine)[0] == Decimal("2.5")
    database.execute("update v_voice_usage_realtime set cost_usd = null")
    assert spent(pool, mine)[0] == 0
    database.execute("delete from v_voice_usage_realtime")
    assert spent(pool, mine)[0] == 0


def test_erasing_conversations_makes_no_budget_larger(database, pool):
    mine = database.seed().domain_uuid
    spend(pool, mine, "7")
    ((key,),) = database.execute("select conversation_uuid::text from v_voice_usage_realtime")
    with pool.connection() as connection:
        privacy.erase_conversations(connection, mine, [key])
    assert spent(pool, mine)[0] == 7


def through(database, domain_uuid: str, amount: str, account: str | None, **more) -> None:
    columns = {"provider": "openai", "occurred_at": datetime.now(UTC), "purpose": "conversation"}
    columns |= {"domain_uuid": domain_uuid, "cost_usd": amount} | more
    columns["voice_realtime_provider_uuid"] = account
    marks = ", ".join(["%s"] * len(columns))
    sql = f"insert into v_voice_usage_realtime ({', '.join(columns)}) values ({marks})"
    database.execute(sql, *columns.values())


def test_each_provider_has_cost_its_own_and_what_is_nobody_s_is_divided_nowhere(database, pool):
    tenant, other = database.seed(), database.seed()
    mine, first = tenant.domain_uuid, tenant.voice_realtime_provider_uuid
    ((second,),) = database.execute(
        """insert into v_voice_realtime_providers
             (domain_uuid, realtime_provider, provider_label, priority)
           values (%s, 'openai', 'second', 200) returning voice_realtime_provider_uuid::text""",
        mine,
    )
    through(database, mine, "1", first)
    through(database, mine, "2", first, provider="deepgram")
    through(database, mine, "8", None)  # from before it was noted
    through(database, mine, "16", None, purpose="embedding")
    through(database, mine, "32", str(uuid.uuid4()))
    through(database, mine, "64", first, occurred_at=datetime.now(UTC) - timedelta(days=32))
    through(database, other.domain_uuid, "128", first)
    with pool.connection(autocommit=True) as connection:
        found = costs_of(connection, mine)
        month_usd = spending.spent(connection, mine, "UTC")["month_usd"]
    assert [(row["provider_label"], row["month_usd"]) for row in found.providers] == [
        ("demo", 3),
        ("second", 0),
    ]
    assert second not in (None, first)
    names = ("vendor", "purpose", "removed", "month_usd")
    assert [tuple(row[name] for name in names) for row in found.others] == [
        ("openai", "conversation", True, 32),
        ("openai", "embedding", False, 16),
        ("openai", "conversation", False, 8),
    ]
    told = sum(row["month_usd"] for row in (*found.providers, *found.others))
    assert told == month_usd


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Pacific/Kiritimati"])
def test_a_provider_s_day_and_month_are_those_of_the_budget(database, pool, zone):
    tenant = database.seed()
    mine, account = tenant.domain_uuid, tenant.voice_realtime_provider_uuid
    database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, time_zone) values (%s, %s)", mine, zone
    )
    today = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    for amount, at in (
        ("1", today),
        ("2", today - timedelta(seconds=1)),
        ("4", today.replace(day=1)),
        ("8", today.replace(day=1) - timedelta(seconds=1)),
    ):
        through(database, mine, amount, account, occurred_at=at)
    with pool.connection(autocommit=True) as connection:
        (row,) = costs_of(connection, mine).providers
    assert (row["today_usd"], row["month_usd"]) == spent(pool, mine, zone)


def test_a_deleted_domain_takes_its_sums_along(database, pool):
    mine = database.seed().domain_uuid
    spend(pool, mine, "7")
    database.execute("delete from v_domains where domain_uuid = %s", mine)
    assert database.execute("select count(*) from v_voice_spending_realtime") == [(0,)]


def test_folding_keeps_every_sum_while_others_add_and_fold(database, pool):
    mine, other = (database.seed().domain_uuid for _ in range(2))
    now = datetime.now(UTC)
    for _ in range(40):
        spend(pool, mine, "0.25")
    spend(pool, other, "100")
    add(database, mine, "9", now - timedelta(days=spending.KEPT_DAYS + 1))
    folders = [gevent.spawn(Retention(pool, NOWHERE).run_once) for _ in range(2)]
    adding = [gevent.spawn(spend, pool, mine, "0.25") for _ in range(4)]
    gevent.joinall(folders + adding, raise_error=True)
    assert spent(pool, mine)[1] == 11
    Retention(pool, NOWHERE).run_once()
    assert spent(pool, mine)[1] == 11
    rows = "select count(*) from v_voice_spending_realtime where domain_uuid = %s"
    ((count,),) = database.execute(rows, mine)
    assert count <= 2  # one of each quarter of an hour this test was in
    assert spent(pool, other)[1] == 100


def test_a_check_reads_sums_and_not_the_usage(database, pool):
    """So it takes as long for the largest tenant as for the smallest."""
    mine = database.seed().domain_uuid
    add(database, mine, "3", datetime.now(UTC))
    database.execute("alter table v_voice_usage_realtime disable trigger voice_ai_spending")
    database.execute("delete from v_voice_usage_realtime")
    database.execute("alter table v_voice_usage_realtime enable trigger voice_ai_spending")
    assert spent(pool, mine)[0] == 3
