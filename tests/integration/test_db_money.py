"""Budgets and call limits, counted in the database across workers."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import gevent
import pytest

from esl_controller import budget as budget_module
from esl_controller.budget import BudgetGuard, BudgetLevel, judge, low_cost
from esl_controller.call_leases import CallLeases, Refusal
from esl_controller.config_source import ConfigSource
from esl_controller.models import (
    ConversationRealtime,
    RouteEntry,
    TenantSettings,
    UsageRecord,
)
from esl_controller.pool import Pool
from esl_controller.repository import conversations
from esl_controller.repository.demo import DemoProvider

LOCAL = DemoProvider(base_url="ws://127.0.0.1:9/")


def new_id() -> str:
    return str(uuid.uuid4())


def wait_for(condition) -> None:
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.01)


def spend(pool: Pool, domain_uuid: str, amount: str, *, days_ago: int = 0) -> None:
    when = datetime.now(UTC) - timedelta(days=days_ago)
    key = {"domain_uuid": domain_uuid, "conversation_uuid": new_id()}
    usage = {"usage_uuid": new_id(), "provider": "openai", "cost_usd": Decimal(amount)}
    entries = (
        ConversationRealtime(call_uuid="c", started_at=when, **key),
        UsageRecord(occurred_at=when, **usage, **key),
    )
    with pool.connection() as connection:
        for entry in entries:
            conversations.store(connection, domain_uuid, entry)


@pytest.mark.parametrize(
    ("spent", "limit", "level"),
    [
        ("0", "10", BudgetLevel.OPEN),
        ("7.99", "10", BudgetLevel.OPEN),
        ("8", "10", BudgetLevel.WARNING),
        ("9.99", "10", BudgetLevel.WARNING),
        ("10", "10", BudgetLevel.EXHAUSTED),
        ("0", "0", BudgetLevel.EXHAUSTED),
    ],
)
def test_levels(spent, limit, level):
    assert judge(Decimal(spent), Decimal(limit), 80, "day").level is level


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_domain_s_budget_is_used_up_by_its_own_calls_only(database, pool):
    mine, other = (database.seed().domain_uuid for _ in range(2))
    tenant = TenantSettings(mine, daily_budget_usd=Decimal(10), monthly_budget_usd=Decimal(100))
    clock = Clock()
    guard = BudgetGuard(pool, clock=clock)
    spend(pool, other, "500")
    assert guard.check(tenant).level is BudgetLevel.OPEN
    spend(pool, mine, "8.5")
    assert guard.check(tenant).level is BudgetLevel.OPEN  # sums are a few seconds old
    clock.now += budget_module.REFRESH_S
    state = guard.check(tenant)
    assert (state.level, state.period, state.spent_usd) == (
        BudgetLevel.WARNING,
        "day",
        Decimal("8.5"),
    )
    guard.add(mine, Decimal("1.5"))  # counts at once on this worker
    guard.add(mine, None)
    guard.add(other, Decimal("1.5"))
    assert guard.check(tenant).level is BudgetLevel.EXHAUSTED


def test_days_and_months_begin_on_the_domain_s_clock(database, pool):
    mine = database.seed().domain_uuid
    spend(pool, mine, "3", days_ago=40)
    spend(pool, mine, "5")
    tenant = TenantSettings(mine, time_zone="America/Sao_Paulo", monthly_budget_usd=Decimal(5))
    assert BudgetGuard(pool).check(tenant).period == "month"


def test_without_a_budget_the_database_is_not_asked(tmp_path):
    away = Pool(f"host={tmp_path} dbname=none")
    assert BudgetGuard(away).check(TenantSettings(new_id())).level is BudgetLevel.OPEN
    assert away.statistics().checkouts == 0


def test_while_the_database_is_away_the_last_sums_count_on(database, pool, monkeypatch):
    mine = database.seed().domain_uuid
    spend(pool, mine, "9")
    clock = Clock()
    guard = BudgetGuard(pool, clock=clock)
    tenant = TenantSettings(mine, daily_budget_usd=Decimal(10))
    guard.check(tenant)
    monkeypatch.setattr(guard, "_pool", Pool("host=/nowhere dbname=none"))
    clock.now += budget_module.REFRESH_S
    assert guard.check(tenant).spent_usd == 9
    never_read = BudgetGuard(Pool("host=/nowhere dbname=none"))
    assert never_read.check(tenant).level is BudgetLevel.OPEN


@pytest.fixture
def entry(database, pool, secret_store) -> RouteEntry:
    tenant = database.seed(provider=LOCAL)
    route = ConfigSource(pool, secret_store).load(tenant.domain_uuid, "8000")
    assert isinstance(route, RouteEntry)
    return route


def limited(entry: RouteEntry, *, domain: int | None = None, secretary: int | None = None):
    return dataclasses.replace(
        entry,
        tenant=dataclasses.replace(entry.tenant, max_concurrent_calls=domain),
        secretary=dataclasses.replace(entry.secretary, max_concurrent_calls=secretary),
    )


def test_the_low_cost_choice_keeps_the_local_pipeline_only(entry):
    wanting = dataclasses.replace(
        entry, tenant=dataclasses.replace(entry.tenant, budget_action="low_cost")
    )
    assert low_cost(wanting) is None
    custom = dataclasses.replace(
        entry.providers[0],
        config=dataclasses.replace(entry.providers[0].config, realtime_provider="custom"),
    )
    both = dataclasses.replace(wanting, providers=(*entry.providers, custom))
    assert low_cost(both).providers == (custom,)
    assert low_cost(dataclasses.replace(both, tenant=entry.tenant)) is None


def test_limits_hold_across_workers_that_ask_at_once(database, entry):
    """Forty calls on four workers for ten places."""
    pools = [Pool(database.dsn, size=4, wait_timeout_s=20) for _ in range(4)]
    workers = [CallLeases(pool, f"w{number}") for number, pool in enumerate(pools)]
    wanted = limited(entry, domain=10)
    asking = [gevent.spawn(workers[n % 4].acquire, wanted, new_id()) for n in range(40)]
    gevent.joinall(asking, raise_error=True)
    assert [greenlet.value for greenlet in asking].count(None) == 10
    assert {greenlet.value for greenlet in asking} == {None, Refusal.DOMAIN}
    for pool in pools:
        pool.close()


def test_each_limit_is_named_and_a_place_given_back_is_free(database, pool, entry):
    leases = CallLeases(pool, "w", total_limit=3)
    one = limited(entry, domain=2, secretary=1)
    assert leases.acquire(one, "a") is None
    assert leases.acquire(one, "b") is Refusal.SECRETARY
    two = limited(entry, domain=2)
    assert leases.acquire(two, "b") is None
    assert leases.acquire(two, "c") is Refusal.DOMAIN
    assert leases.acquire(entry, "c") is None
    assert leases.acquire(entry, "d") is Refusal.TOTAL
    leases.release(entry.domain_uuid, "a")
    leases.release(entry.domain_uuid, "never held")
    count = "select count(*) from v_voice_call_leases_realtime"
    wait_for(lambda: database.execute(count) == [(2,)])
    assert leases.acquire(limited(entry, secretary=1), "e") is Refusal.SECRETARY  # b and c
    assert leases.acquire(limited(entry, secretary=3), "e") is None


def test_a_dead_worker_s_places_come_back_and_a_living_one_s_do_not(database, pool, entry):
    wanted = limited(entry, domain=2)
    dead, living = CallLeases(pool, "dead"), CallLeases(pool, "living")
    assert dead.acquire(wanted, "a") is None
    assert living.acquire(wanted, "b") is None
    assert living.acquire(wanted, "c") is Refusal.DOMAIN
    database.execute("update v_voice_call_leases_realtime set expires_at = now() + interval '1 s'")
    living.renew()
    database.execute(
        "update v_voice_call_leases_realtime set expires_at = now() where worker = 'dead'"
    )
    assert living.acquire(wanted, "c") is None
    assert living.acquire(wanted, "d") is Refusal.DOMAIN


def test_another_domain_s_calls_do_not_count(database, pool, entry, secret_store):
    other = database.seed(provider=LOCAL)
    route = ConfigSource(pool, secret_store).load(other.domain_uuid, "8000")
    leases = CallLeases(pool, "w")
    assert leases.acquire(limited(entry, domain=1), "a") is None
    assert leases.acquire(limited(route, domain=1), "a") is None


def test_while_the_database_is_away_a_worker_counts_its_own(entry):
    leases = CallLeases(Pool("host=/nowhere dbname=none"), "w")
    wanted = limited(entry, domain=1)
    assert leases.acquire(wanted, "a") is None
    assert leases.acquire(wanted, "b") is Refusal.DOMAIN
    leases.release(entry.domain_uuid, "a")
    assert leases.acquire(wanted, "b") is None
    leases.start()
    leases.stop()


def test_without_limits_the_database_is_not_asked(entry):
    away = Pool("host=/nowhere dbname=none")
    leases = CallLeases(away, "w")
    assert leases.acquire(entry, "a") is None
    leases.release(entry.domain_uuid, "a")
    assert away.statistics().checkouts == 0
