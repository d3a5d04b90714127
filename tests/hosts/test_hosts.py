"""Several machines: calls are shared, limits hold, and what dies takes few callers along.

`make hosts`. With FREESWITCH_HOME by real FreeSWITCHes, else by the simulator's. Each test prints
what it measured, which is what docs/scale.md says.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gevent
import pytest

from tests.hosts import freeswitch
from tests.hosts.heard import Heard, wait_for
from tests.hosts.installation import CAPACITY, Installation, installation, now

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root"),
    pytest.mark.skipif(shutil.which("haproxy") is None, reason="apt-get install haproxy"),
]
BY = "FreeSWITCH" if freeswitch.HOME else "simulated switches"


@pytest.fixture(name="place", scope="module")
def place_of_all_tests(request: pytest.FixtureRequest) -> Iterator[Installation]:
    directory = Path(tempfile.mkdtemp(prefix="voice-ai-hosts-", dir="/var/tmp"))
    directory.chmod(0o755)
    with installation(directory) as place:
        yield place
    if request.session.testsfailed:
        tell(f"what everybody has logged is in {directory}")
    else:
        shutil.rmtree(directory)


@pytest.fixture(autouse=True)
def whole(place: Installation) -> Iterator[None]:
    """Every test begins with everything up and nobody calling, and no call loses its `unicast`."""
    place.wait_all_taking()
    before = [worker.log.stat().st_size for worker in place.workers]
    yield
    place.hang_up()
    for worker, size in zip(place.workers, before, strict=True):
        assert played_by_files(worker.log.read_bytes()[size:].splitlines()) == set()


def played_by_files(lines: list[bytes]) -> set[str]:
    """Calls that lost their `unicast` and went on for a second at least. At a caller's end its port
    may be closed before the worker hears of that end."""
    told = [
        json.loads(line) for line in lines if b"media.no_unicast" in line or b"call.end" in line
    ]
    at = lambda line: datetime.fromisoformat(line["timestamp"])  # noqa: E731
    ended = {line["call_uuid"]: at(line) for line in told if line["event"] == "call.ended"}
    return {
        line["call_uuid"]
        for line in told
        if line["event"] == "media.no_unicast"
        and ended.get(line["call_uuid"], datetime.max.replace(tzinfo=UTC)) - at(line)
        > timedelta(seconds=1)
    }


def tell(what: str) -> None:
    """One line for who looks."""
    print(f"\n{BY}: {what}")


def all_served(calls: list[Heard], count: int) -> bool:
    return len(calls) == count and all(call.served and call.ended_at is None for call in calls)


def test_calls_are_spread(place: Installation) -> None:
    tenant = place.tenant()
    place.dial(tenant, 6)
    calls = place.wait_greeted(12)
    assert all_served(calls, 12)
    place.hang_up()
    place.stored(tenant, 12)
    shares = place.shares(tenant)
    tell(f"12 calls: {shares}")
    assert min(shares.values()) >= 5


def test_who_finds_a_worker_full_gets_another(place: Installation) -> None:
    """One HAProxy has filled it, the other knows only its own calls."""
    tenant = place.tenant()
    first, second = place.switches
    first.only_first_worker(True)
    first.dial(tenant, CAPACITY, 0.05)
    place.wait_greeted(CAPACITY)
    first.only_first_worker(False)
    left = """select count(*) from v_voice_workers_realtime where not listening"""
    wait_for(lambda: place.sql(left)[0][0] == 1, 10, "the full worker keeps its port")
    second.dial(tenant, 4)
    calls = place.wait_greeted(CAPACITY + 4)
    assert all_served(calls, CAPACITY + 4)
    place.hang_up()
    place.stored(tenant, CAPACITY + 4)
    assert place.shares(tenant)["workers2"] == 4


def test_a_tenants_limit_holds_across_machines(place: Installation) -> None:
    tenant = place.tenant(max_concurrent_calls=3)
    place.dial(tenant, 2, 0.3)
    answered = lambda calls: sum(bool(c.greeted_at or c.fallback_at) for c in calls) == 4  # noqa: E731
    calls = place.wait_calls(answered, "not all are answered")
    assert sum(call.served for call in calls) == 3
    place.hang_up()
    rows = place.stored(tenant, 4)
    assert [row[1] for row in rows if row[0] == "refused"] == ["overflow"]


def test_a_tenants_budget_holds_across_machines(place: Installation) -> None:
    """What the first calls cost, on one machine, is known on the other."""
    tenant = place.tenant()
    place.switches[0].dial(tenant, 3)
    cost = "select coalesce(sum(cost_usd), 0) from v_voice_usage_realtime where domain_uuid = %s"
    wait_for(lambda: place.sql(cost, tenant.domain_uuid)[0][0] > 0.01, 40, "it cost nothing")
    place.hang_up()
    place.stored(tenant, 3)
    place.sql(
        """insert into v_voice_realtime_settings (domain_uuid, daily_budget_usd, budget_action)
           values (%s, 0.01, 'turn_based')""",
        tenant.domain_uuid,
    )
    gevent.sleep(1.0)  # settings reach calls within a second
    place.dial(tenant, 2, 0.3)
    place.wait_calls(
        lambda calls: sum(call.fallback_at is not None for call in calls) == 4, "not refused"
    )
    place.stored(tenant, 7)
    refused = place.sql(
        """select end_cause, count(*), count(distinct split_part(worker, ':', 1))
           from v_voice_conversations_realtime
           where domain_uuid = %s and outcome = 'refused' group by 1""",
        tenant.domain_uuid,
    )
    assert refused == [("turn_based", 4, 2)]


def test_a_machine_is_drained(place: Installation) -> None:
    """Its calls go on, nobody is refused, and it ends when they have."""
    tenant = place.tenant()
    place.dial(tenant, 4)
    place.wait_greeted(8)
    leaving = place.workers[0]
    place.dial(tenant, 10, 0.2)
    gevent.sleep(0.3)
    leaving.signal(signal.SIGTERM)
    calls = place.wait_greeted(28)
    gevent.sleep(2.0)
    assert all_served(place.calls(), 28), calls
    assert leaving.running
    place.hang_up()
    assert leaving.wait_ended(30) == 0
    outcomes = {row[:2] for row in place.stored(tenant, 28)}
    assert outcomes == {("completed", "NORMAL_CLEARING")}
    tell(f"one machine drained among 28 calls: 28 served, {place.shares(tenant)}")


def lose_one(place: Installation, name: str, lose: Callable[[], None]) -> tuple[float, int]:
    """Of 12 callers those of one machine go on with their dialplan, while 6 others call. Returns
    after how many seconds the last of them did, and how many of the new ones were served."""
    tenant = place.tenant()
    place.dial(tenant, 6)
    before = {call.uuid for call in place.wait_greeted(12)}
    gevent.sleep(1.0)
    at = now()
    lose()
    place.dial(tenant, 3, 0.2)
    calls = place.wait_calls(
        lambda calls: (
            len([c for c in calls if c.served or c.fallback_at]) == 18
            and len([c for c in calls if c.fallback_at]) >= 6
        ),
        "somebody hears nothing",
    )
    gone = [c for c in calls if c.uuid in before and c.fallback_at is not None]
    assert len(gone) == 6
    assert all(call.ended_at is None for call in calls if call not in gone)
    later = sorted((call.fallback_at or 0.0) - at for call in gone)
    new = [call for call in calls if call.uuid not in before]
    served = sum(call.served for call in new)
    slowest = max((c.greeted_at or c.fallback_at or 0.0) - c.began_at for c in new)
    tell(
        f"{name}: its 6 callers at their dialplan after {later[0]:.2f} to {later[-1]:.2f} s; "
        f"of 6 who called then {served} served, the last heard something after {slowest:.1f} s"
    )
    return later[-1], served


def test_a_worker_is_killed(place: Installation) -> None:
    _, served = lose_one(place, "a worker killed", place.workers[0].kill)
    assert served == 6


def test_a_machine_loses_power(place: Installation) -> None:
    try:
        took_s, served = lose_one(place, "a machine gone", place.workers[0].lose_power)
    finally:
        place.workers[0].machine.come_back()
    assert served >= 4
    assert took_s < 2.0


def test_a_worker_hangs(place: Installation) -> None:
    """Whom it took while nobody knew yet is freed by the guard of his dialplan."""
    hanging = place.workers[0]
    try:
        _, served = lose_one(place, "a worker hung", lambda: hanging.signal(signal.SIGSTOP))
    finally:
        hanging.signal(signal.SIGCONT)
    assert served >= 3
    hanging.kill()


def test_a_machine_never_returns(place: Installation) -> None:
    """Its conversations are ended, and its places are free again, by the others."""
    tenant = place.tenant(max_concurrent_calls=9)
    place.dial(tenant, 3)
    place.wait_greeted(6)
    # Of a call of its last second only its own disk knows.
    begun = "select count(*) from v_voice_conversations_realtime where domain_uuid = %s"
    wait_for(lambda: place.sql(begun, tenant.domain_uuid)[0][0] == 6, 10, "not all stored")
    place.workers[0].lose_power()
    at = now()
    try:
        gevent.sleep(3.0)
        kept = sum(call.served for call in place.calls())
        assert 0 < kept < 6
        leases = """select count(*) from v_voice_call_leases_realtime
                    where domain_uuid = %s and expires_at > now()"""
        places = lambda: place.sql(leases, tenant.domain_uuid)[0][0]  # noqa: E731
        wait_for(lambda: places() == kept, 90, f"places are not given back: {places()}")
        free_s = now() - at
        ended = """select count(*) from v_voice_conversations_realtime
                   where domain_uuid = %s and end_cause = 'worker_lost'"""
        told = lambda: place.sql(ended, tenant.domain_uuid)[0][0] == 6 - kept  # noqa: E731
        wait_for(told, 90, "nobody ended its conversations")
        ended_s = now() - at
    finally:
        place.workers[0].machine.come_back()
    tell(
        f"a machine that stays away: places free after {free_s:.0f} s, ended after {ended_s:.0f} s"
    )


def test_a_proxy_is_killed(place: Installation) -> None:
    """Its FreeSWITCH's calls go on with the dialplan; new ones go to the worker named behind it."""
    tenant = place.tenant()
    switch, other = place.switches
    place.dial(tenant, 3)
    place.wait_greeted(6)
    at = now()
    switch.kill_proxy()
    try:
        switch.dial(tenant, 2)
        settled = lambda calls: (  # noqa: E731
            sum(call.served for call in calls) == 5
            and sum(call.fallback_at is not None for call in calls) == 3
        )
        place.wait_calls(settled, "not served")
        gone = [call for call in switch.report() if call.fallback_at is not None]
        later = max((call.fallback_at or 0.0) - at for call in gone)
        assert len(gone) == 3
        assert all_served(other.report(), 3)
        tell(f"HAProxy killed: its 3 callers at their dialplan after {later:.2f} s, 2 new served")
    finally:
        switch.restart_proxy()


def whole_turns(rows: list[tuple[object, ...]]) -> bool:
    """No line of any conversation is missing."""
    return all(turns == list(range(1, len(turns) + 1)) for *_, turns in rows if turns)  # type: ignore


def test_the_database_is_restarted(place: Installation) -> None:
    """Who talks goes on, who calls meanwhile is answered, and all of it is stored afterwards."""
    tenant = place.tenant()
    place.dial(tenant, 4)
    place.wait_greeted(8)
    place.database.stop()
    at = now()
    place.dial(tenant, 2)
    calls = place.wait_greeted(12)
    slowest = max(call.greeted_at - call.began_at for call in calls[-4:] if call.greeted_at)
    gevent.sleep(max(0.0, 8.0 - (now() - at)))
    place.database.start()
    away_s = now() - at
    gevent.sleep(3.0)
    assert all_served(place.calls(), 12)
    place.hang_up()
    rows = place.stored(tenant, 12)
    assert {row[:2] for row in rows} == {("completed", "NORMAL_CLEARING")}
    assert whole_turns(rows)
    assert min(row[2] for row in rows) > 1
    tell(f"database away {away_s:.1f} s: 12 served, slowest greeting {slowest:.2f} s, all stored")


def test_a_machine_dies_while_the_database_is_away(place: Installation) -> None:
    """What was said is on its disk, and stored when it is there again."""
    tenant = place.tenant()
    place.dial(tenant, 3)
    place.wait_greeted(6)
    place.database.stop()
    gevent.sleep(5.0)
    place.workers[0].lose_power()
    gevent.sleep(3.0)
    gone = sum(call.fallback_at is not None for call in place.calls())
    assert 0 < gone < 6
    place.database.start()
    place.workers[0].machine.come_back()
    place.wait_all_taking()
    place.hang_up()
    rows = place.stored(tenant, 6)
    ends = [("completed", "NORMAL_CLEARING")] * (6 - gone) + [("failed", "worker_lost")] * gone
    assert sorted(row[:2] for row in rows) == ends
    lost = [row for row in rows if row[0] == "failed"]
    assert whole_turns(rows)
    assert min(len(row[3] or ()) for row in lost) > 1
    tell(f"machine lost with its database away: turns stored {[len(row[3]) for row in lost]}")


def test_the_database_fails_over(place: Installation) -> None:
    """The primary's machine is gone, the standby is promoted; nothing stored is missing."""
    tenant = place.tenant()
    place.dial(tenant, 4)
    place.wait_greeted(8)
    place.primary.kill()
    at = now()
    place.dial(tenant, 2)
    place.wait_greeted(12)
    gevent.sleep(max(0.0, 5.0 - (now() - at)))
    place.standby.promote()
    promoted = now()
    place.database = place.standby
    turns = "select count(*) from v_voice_turns_realtime where domain_uuid = %s"
    had = place.sql(turns, tenant.domain_uuid)[0][0]
    wait_for(lambda: place.sql(turns, tenant.domain_uuid)[0][0] > had, 40, "nobody stores")
    stored_s = now() - promoted
    sql = "select count(*) from v_voice_workers_realtime where seen_at > now() - interval '9 s'"
    wait_for(lambda: place.sql(sql)[0][0] == 2, 40, "workers do not find it")
    seen_s = now() - promoted
    place.dial(place.tenant(), 1)  # one of whom nothing is remembered
    calls = place.wait_greeted(14)
    assert all_served(calls, 14)
    place.hang_up()
    rows = place.stored(tenant, 12)
    assert {row[:2] for row in rows} == {("completed", "NORMAL_CLEARING")}
    assert whole_turns(rows)
    slowest = max(c.greeted_at - c.began_at for c in calls if c.greeted_at and c.began_at > at)
    tell(
        f"failed over {promoted - at:.1f} s after the primary's machine was gone: conversations "
        f"stored again after {stored_s:.1f} s, both workers seen after {seen_s:.1f} s, "
        f"slowest greeting {slowest:.2f} s, 12 of 12 stored"
    )
