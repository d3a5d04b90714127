"""Budgets and call limits, counted in the database across workers."""

import dataclasses
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import gevent
import psycopg2
import pytest
from structlog.testing import capture_logs

from esl_controller.database.models import (
    ConversationRealtime,
    RouteEntry,
    TenantSettings,
    UsageRecord,
)
from esl_controller.database.pool import Pool
from esl_controller.database.repository import conversations
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.money import budget
from esl_controller.money.budget import BudgetGuard, BudgetLevel, judge, low_cost
from esl_controller.routes import places as leases_module
from esl_controller.routes.places import CallLeases, Refusal
from esl_controller.tenants.source import ConfigSource

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
    clock.now += budget.REFRESH_S
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


def test_each_budget_is_told_once_and_again_the_next_day(database, pool):
    mine = database.seed().domain_uuid
    tenant = TenantSettings(mine, daily_budget_usd=Decimal(10), monthly_budget_usd=Decimal(100))
    clock, reached = Clock(), []
    guard = BudgetGuard(pool, clock=clock, on_reached=lambda _, state: reached.append(state.level))
    with capture_logs() as lines:
        guard.check(tenant)
        guard.add(mine, Decimal(8))  # while a call goes on: no other call need come
        guard.check(tenant)
        guard.add(mine, Decimal(75))  # both budgets now, each on its own
        guard.check(tenant)
        clock.now += budget.REFRESH_S
        guard.check(tenant)  # the sums of the database: another day
        guard.add(mine, Decimal(9))
    told = [(line["event"], line["period"]) for line in lines]
    assert told == [
        ("budget_warning", "day"),
        ("budget_exhausted", "day"),
        ("budget_warning", "month"),
        ("budget_warning", "day"),
    ]
    assert {line["domain_uuid"] for line in lines} == {mine}
    assert lines[0]["spent_usd"] == "8" and lines[0]["limit_usd"] == "10"
    W, E = BudgetLevel.WARNING, BudgetLevel.EXHAUSTED
    assert reached == [W, E, W, W]


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
    clock.now += budget.REFRESH_S
    assert guard.check(tenant).spent_usd == 9
    never_read = BudgetGuard(Pool("host=/nowhere dbname=none"))
    assert never_read.check(tenant).level is BudgetLevel.OPEN


@pytest.fixture
def entry(database, pool, secret_store) -> RouteEntry:
    tenant = database.seed(provider=LOCAL)
    route = ConfigSource(pool, secret_store).load(tenant.domain_uuid, "8000")
    assert isinstance(route, RouteEntry)
    return route


def limited(
    entry: RouteEntry,
    *,
    domain: int | None = None,
    secretary: int | None = None,
    providers: Sequence[int | None] = (),
) -> RouteEntry:
    """The same settings with limits; `providers` are those of a list of copies of the first."""
    (access,) = entry.providers
    configs = [
        dataclasses.replace(
            access.config, voice_realtime_provider_uuid=new_id(), max_concurrent_calls=limit
        )
        for limit in providers
    ]
    copies = tuple(dataclasses.replace(access, config=config) for config in configs)
    return dataclasses.replace(
        entry,
        tenant=dataclasses.replace(entry.tenant, max_concurrent_calls=domain),
        secretary=dataclasses.replace(entry.secretary, max_concurrent_calls=secretary),
        providers=copies or entry.providers,
    )


def test_the_low_cost_choice_keeps_the_local_pipeline_only(entry):
    (access,) = entry.providers
    config = dataclasses.replace(access.config, realtime_provider="custom")
    custom = dataclasses.replace(access, config=config)
    both = dataclasses.replace(entry, providers=(access, custom))
    assert low_cost(both, lambda _: True).providers == (custom,)
    assert low_cost(both, lambda _: False) is None
    assert low_cost(entry, lambda _: True) is None


def test_limits_hold_across_workers_that_ask_at_once(database, entry, monkeypatch):
    """Forty calls on four workers for ten places."""
    monkeypatch.setattr(leases_module, "LONGEST_WAIT_S", 20)
    pools = [Pool(database.dsn, size=4, wait_timeout_s=20) for _ in range(4)]
    workers = [CallLeases(pool, f"w{number}") for number, pool in enumerate(pools)]
    wanted = limited(entry, domain=10)
    asking = [gevent.spawn(workers[n % 4].acquire, wanted, new_id()) for n in range(40)]
    gevent.joinall(asking, raise_error=True)
    assert [greenlet.value for greenlet in asking].count(wanted) == 10
    assert [greenlet.value for greenlet in asking].count(Refusal.DOMAIN) == 30
    for pool in pools:
        pool.close()


def test_each_limit_is_named_and_a_place_given_back_is_free(database, pool, entry):
    leases = CallLeases(pool, "w", total_limit=3)
    one = limited(entry, domain=2, secretary=1)
    assert leases.room(one) == leases.acquire(one, "a") == one
    assert leases.room(one) is leases.acquire(one, "b") is Refusal.SECRETARY
    two = limited(entry, domain=2)
    assert leases.acquire(two, "b") == two
    assert leases.acquire(two, "c") is Refusal.DOMAIN
    assert leases.acquire(entry, "c") == entry
    assert leases.room(entry) is leases.acquire(entry, "d") is Refusal.TOTAL
    leases.release(entry.domain_uuid, "a")
    leases.release(entry.domain_uuid, "never held")
    count = "select count(*) from v_voice_call_leases_realtime"
    wait_for(lambda: database.execute(count) == [(2,)])
    assert leases.acquire(limited(entry, secretary=1), "e") is Refusal.SECRETARY  # b and c
    assert isinstance(leases.acquire(limited(entry, secretary=3), "e"), RouteEntry)


def test_a_provider_that_is_full_is_passed_over(pool, entry):
    one, other = CallLeases(pool, "one"), CallLeases(pool, "other")
    wanted = limited(entry, providers=[1, 1])
    first, second = wanted.providers
    assert one.acquire(wanted, "a").providers == (first, second)
    assert other.acquire(wanted, "b").providers == (second,)
    assert one.acquire(wanted, "c") is Refusal.PROVIDER
    spare = dataclasses.replace(wanted, providers=(*wanted.providers, *entry.providers))
    assert other.acquire(spare, "c").providers == entry.providers


def test_a_dead_worker_s_places_come_back_and_a_living_one_s_do_not(database, pool, entry):
    wanted = limited(entry, domain=2)
    dead, living = CallLeases(pool, "dead"), CallLeases(pool, "living")
    assert dead.acquire(wanted, "a") == wanted
    assert living.acquire(wanted, "b") == wanted
    assert living.acquire(wanted, "c") is Refusal.DOMAIN
    database.execute("update v_voice_call_leases_realtime set expires_at = now() + interval '1 s'")
    living.renew()
    database.execute(
        "update v_voice_call_leases_realtime set expires_at = now() where worker = 'dead'"
    )
    assert living.acquire(wanted, "c") == wanted
    assert living.acquire(wanted, "d") is Refusal.DOMAIN


def test_another_domain_s_calls_do_not_count(database, pool, entry, secret_store):
    other = database.seed(provider=LOCAL)
    route = ConfigSource(pool, secret_store).load(other.domain_uuid, "8000")
    leases = CallLeases(pool, "w")
    assert isinstance(leases.acquire(limited(entry, domain=1), "a"), RouteEntry)
    assert isinstance(leases.acquire(limited(route, domain=1), "a"), RouteEntry)


def test_while_the_database_is_away_a_worker_counts_its_own(entry):
    leases = CallLeases(Pool("host=/nowhere dbname=none"), "w")
    wanted = limited(entry, domain=1)
    assert leases.acquire(wanted, "a") == wanted
    assert leases.acquire(wanted, "b") is Refusal.DOMAIN
    leases.release(entry.domain_uuid, "a")
    assert leases.acquire(wanted, "b") == wanted
    capped = limited(entry, providers=[1])
    assert isinstance(leases.acquire(capped, "c"), RouteEntry)
    assert leases.acquire(capped, "d") is Refusal.PROVIDER
    leases.start()
    leases.stop()


def test_after_an_outage_running_calls_are_counted_again(database, pool, entry, monkeypatch):
    """Those taken while the database was away, and those whose lease ran out meanwhile."""
    leases, other = CallLeases(pool, "w"), CallLeases(pool, "other")
    wanted = limited(entry, domain=3)
    leases.acquire(wanted, "before")
    leases.acquire(wanted, "ends meanwhile")
    monkeypatch.setattr(leases, "_pool", Pool("host=/nowhere dbname=none"))
    leases.acquire(wanted, "during")
    leases.renew()  # in vain
    database.execute("delete from v_voice_call_leases_realtime")
    monkeypatch.setattr(leases, "_pool", pool)
    held = leases_module.leases.hold

    def hold(connection, *arguments, **more):
        held(connection, *arguments, **more)
        leases.release(entry.domain_uuid, "ends meanwhile")

    monkeypatch.setattr(leases_module.leases, "hold", hold)
    leases.renew()
    monkeypatch.undo()
    calls = database.execute("select call_uuid from v_voice_call_leases_realtime order by 1")
    assert calls == [("before",), ("during",)]
    assert other.acquire(wanted, "last") == wanted
    assert other.acquire(wanted, "one more") is Refusal.DOMAIN


def test_one_domain_that_is_gone_does_not_keep_the_others_from_renewal(
    database, pool, entry, secret_store
):
    other = database.seed(provider=LOCAL)
    route = ConfigSource(pool, secret_store).load(other.domain_uuid, "8000")
    leases = CallLeases(pool, "w")
    leases.acquire(limited(entry, domain=1), "a")
    leases.acquire(limited(route, domain=1), "b")
    database.execute("delete from v_domains where domain_uuid = %s", entry.domain_uuid)
    database.execute("update v_voice_call_leases_realtime set expires_at = now()")
    leases.renew()
    alive = "select call_uuid from v_voice_call_leases_realtime where expires_at > now()"
    assert database.execute(alive) == [("b",)]


def test_a_slow_database_does_not_keep_a_caller_waiting(database, pool, entry, monkeypatch):
    """Somebody holds the tables; the call is judged by what this worker knows."""
    monkeypatch.setattr(leases_module, "LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr(budget, "LONGEST_WAIT_S", 0.2)
    tenant = dataclasses.replace(entry.tenant, daily_budget_usd=Decimal(1))
    leases, guard = CallLeases(pool, "w"), BudgetGuard(pool)
    with closing(psycopg2.connect(database.dsn)) as holder:
        holder.cursor().execute("lock table v_voice_call_leases_realtime, v_voice_usage_realtime")
        began = time.monotonic()
        wanted = limited(entry, domain=1)
        assert leases.acquire(wanted, "a") == wanted
        assert leases.acquire(wanted, "b") is Refusal.DOMAIN
        assert guard.check(tenant).level is BudgetLevel.OPEN
        assert time.monotonic() - began < pool.statement_timeout_s / 2
        assert pool.statistics().in_use == 0
    assert leases.room(wanted) == wanted  # its place was never stored
    leases.renew()
    assert leases.room(wanted) is Refusal.DOMAIN


def test_without_limits_the_database_is_not_asked(entry):
    away = Pool("host=/nowhere dbname=none")
    leases = CallLeases(away, "w")
    assert leases.acquire(entry, "a") == leases.room(entry) == entry
    leases.release(entry.domain_uuid, "a")
    assert away.statistics().checkouts == 0


def test_a_call_does_not_stand_in_its_own_way(database, pool, entry):
    """From one secretary to another, on the same worker or the next: one call, one place."""
    here, there = CallLeases(pool, "here"), CallLeases(pool, "there")
    wanted = limited(entry, domain=1, secretary=1, providers=[1])
    for worker in (here, here, there):
        assert worker.acquire(wanted, "a") == wanted
    assert there.acquire(wanted, "b") is Refusal.DOMAIN
    away = CallLeases(Pool("host=/nowhere dbname=none"), "w")
    assert away.acquire(wanted, "a") == away.acquire(wanted, "a") == wanted
    assert away.acquire(wanted, "b") is Refusal.DOMAIN


def test_the_place_of_a_call_that_went_on_is_its_new_holder_s(database, pool, entry):
    here, there = CallLeases(pool, "here"), CallLeases(pool, "there")
    wanted = limited(entry, domain=5)
    held_by = "select worker from v_voice_call_leases_realtime"
    here.acquire(wanted, "a")
    there.acquire(wanted, "a")
    here.renew()
    assert database.execute(held_by) == [("there",)]
    here._release(entry.domain_uuid, "a")
    assert database.execute(held_by) == [("there",)]
    there._release(entry.domain_uuid, "a")
    assert database.execute(held_by) == []


def test_of_two_that_hold_one_place_the_last_gives_it_back(database, pool, entry):
    leases = CallLeases(pool, "w")
    wanted = limited(entry, domain=1)
    leases.acquire(wanted, "a")
    leases.acquire(wanted, "a")
    leases.release(entry.domain_uuid, "a")
    leases.renew()
    assert leases.acquire(wanted, "b") is Refusal.DOMAIN
    leases.release(entry.domain_uuid, "a")
    wait_for(lambda: database.execute("select 1 from v_voice_call_leases_realtime") == [])
    assert leases.acquire(wanted, "b") == wanted
