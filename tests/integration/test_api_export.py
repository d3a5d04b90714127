"""The table of conversations: all, each once, whatever happens while it is sent."""

from __future__ import annotations

import csv
import http.client
import io
import re
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
import pytest

from esl_controller.database.pool import DatabaseError, DatabaseUnavailable
from esl_controller.database.repository import pages
from esl_controller.web.api import export
from tests.integration.api_kit import TOKEN, Client
from tests.integration.api_rows import begin
from tests.integration.hub_watch import HubWatch
from tests.integration.service import Service

FILL = """insert into v_voice_conversations_realtime
            (conversation_uuid, domain_uuid, call_uuid, caller_id, caller_name, destination,
             started_at, ended_at, outcome, provider, model, summary, summary_fields)
          select gen_random_uuid(), %s, 'c' || n, 'n' || n, 'Ana', '8001',
            timestamptz '2026-01-01' - interval '0.3 ms' * (n / 70), now(),
            case when n %% 400 = 0 then 'failed' else 'completed' end, 'openai', 'gpt-realtime-2.1',
            repeat('They asked for a table of four. ', 6), '{"people": 4, "name": "Ana"}'
          from generate_series(%s, %s) n"""


@pytest.fixture
def page(running: Service) -> str:
    return f"/domains/{running.tenant.domain_uuid}/exports/conversations"


def fill(running: Service, first: int, last: int) -> None:
    running.database.execute(FILL, running.tenant.domain_uuid, first, last)


def opened(client: Client, path: str) -> tuple[Any, Any]:
    connection = http.client.HTTPConnection(*client.address, timeout=30)
    connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {TOKEN}"})
    return connection, connection.getresponse()


def callers(body: bytes) -> list[str]:
    return [row["caller_id"] for row in csv.DictReader(io.StringIO(body.decode()))]


def test_each_conversation_comes_once_although_calls_come_meanwhile(running, client, page):
    """Many of the same moment; those that come are newer, older, and in between."""
    fill(running, 1, 2500)
    connection, response = opened(client, page)
    body = response.read(20_000)
    for first, moment in ((10_001, "2027-01-01"), (20_001, "2025-01-01"), (30_001, "2026-01-01")):
        fill(running, first, first + 120)
        running.database.execute(
            "update v_voice_conversations_realtime set started_at = %s where caller_id = any(%s)",
            moment,
            [f"n{number}" for number in range(first, first + 121)],
        )
    body += response.read()
    connection.close()
    found = Counter(callers(body))
    assert set(found.values()) == {1}
    assert {f"n{number}" for number in range(1, 2501)} <= found.keys()
    assert "n10001" not in found, "newer than its beginning"


def test_what_is_rare_is_found_without_a_long_query(running, client, page, monkeypatch):
    """However few fit, a query looks at so many conversations and no more."""
    fill(running, 1, 2400)
    looked, list_page = [], pages.list_page

    def noted(connection, domain_uuid, wanted, limit):
        sql = """select count(*) from v_voice_conversations_realtime where domain_uuid = %s
                   and (started_at, conversation_uuid) < (%s, %s)
                   and (started_at, conversation_uuid) >= (%s, %s)"""
        last = ("-infinity", "00000000-0000-0000-0000-000000000000")
        after = wanted.after or pages.Position("infinity", last[1])
        until = wanted.until or pages.Position(*last)
        ends = (after.started_at, after.conversation_uuid, until.started_at)
        (found,) = running.database.execute(sql, domain_uuid, *ends, until.conversation_uuid)
        looked.append(found[0])
        return list_page(connection, domain_uuid, wanted, limit)

    monkeypatch.setattr(pages, "list_page", noted)
    for query in ("failed=true", "outcome=failed&text=nothing"):
        looked.clear()
        names = callers(client.get(f"{page}?{query}").body)
        assert names == ([f"n{400 * n}" for n in range(1, 7)] if query == "failed=true" else [])
        assert looked == [1000, 1000, 400]


def test_conditions_of_time_hold(running, client, page):
    fill(running, 1, 300)
    moments = running.database.execute(
        """select min(started_at)::text, max(started_at)::text
           from v_voice_conversations_realtime where caller_id in ('n100', 'n200')"""
    )
    ((first, last),) = [
        tuple(one.replace(" ", "T").replace("+00", "Z") for one in row) for row in moments
    ]
    names = callers(client.get(f"{page}?from={first}&to={last}").body)
    assert sorted(names, key=lambda name: int(name[1:])) == [f"n{n}" for n in range(140, 210)]


def test_a_database_that_is_away_for_a_moment_ends_no_table(running, client, page, monkeypatch):
    fill(running, 1, 200)
    monkeypatch.setattr(export, "PAUSES_S", (0.01, 0.01))
    asked, list_page = [], pages.list_page

    def failing(*arguments):
        asked.append(None)
        if len(asked) in (2, 3):
            raise DatabaseUnavailable("away")
        return list_page(*arguments)

    monkeypatch.setattr(pages, "list_page", failing)
    assert len(set(callers(client.get(page).body))) == 200


def test_a_table_that_was_not_sent_whole_is_seen_to_be_so(running, client, page, monkeypatch):
    fill(running, 1, 200)
    list_page = pages.list_page

    def failing(connection, domain_uuid, wanted, limit):
        if wanted.after is not None:
            raise DatabaseError("broken")
        return list_page(connection, domain_uuid, wanted, limit)

    monkeypatch.setattr(pages, "list_page", failing)
    connection, response = opened(client, page)
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    response.close()
    connection.close()
    monkeypatch.setattr(pages, "find_edge", failing_at_once)
    assert client.get(page).status == 503


def failing_at_once(*_: Any) -> None:
    raise DatabaseError("broken")


def test_a_third_at_once_is_told_to_wait_and_who_leaves_gives_his_place_up(running, client, page):
    fill(running, 1, 60_000)
    reading = [opened(client, page) for _ in range(2)]
    assert client.get(page).status == 429
    assert client.get(page.replace("exports/", "")).status == 200, "no place of a reader's"
    for connection, response in reading:
        response.close()
        connection.close()
    with gevent.Timeout(10):
        while client.get(f"{page}?outcome=refused").status != 200:
            gevent.sleep(0.05)


def test_what_is_structured_is_json(running, client, page):
    fill(running, 1, 1)
    begin(running.app._pool, running.tenant.domain_uuid, caller_id="-1+cmd", caller_name="@x")
    body = client.get(page).body.decode()
    rows = {row["caller_name"]: row for row in csv.DictReader(io.StringIO(body))}
    assert rows["Ana"]["summary_fields"] == '{"name":"Ana","people":4}'
    assert rows["'@x"]["caller_id"] == "'-1+cmd"


def resident_mb() -> float:
    pages_held = Path("/proc/self/statm").read_text().split()[1]
    return int(pages_held) * resource.getpagesize() / 1e6


@pytest.mark.slow
def test_sixty_thousand(running, client, page):
    """Read as fast as it can be, and nothing of it kept; `-s` shows the figures."""
    fill(running, 1, 60_000)
    running.database.execute("vacuum analyze v_voice_conversations_realtime")
    pool, watch, times = running.app._pool, HubWatch(), bytearray(60_001)
    client.get(f"{page}?outcome=refused")  # what is made once is made
    before, most, size = resident_mb(), 0.0, 0
    statements, began = pool.statistics().checkouts, time.monotonic()
    with watch:
        connection, response = opened(client, page)
        for line in response:
            size += len(line)
            if found := re.search(rb",n(\d+),Ana,", line):
                times[int(found[1])] += 1
            if size % 100 == 0:
                most = max(most, resident_mb() - before)
    took_s, statements = time.monotonic() - began, pool.statistics().checkouts - statements
    response.close()
    connection.close()
    assert (times[0], set(times[1:])) == (0, {1})
    print(
        f"\n60000 of 60000, each once: {size / 1e6:.1f} MB in {took_s:.1f} s by {statements} "
        f"queries; the hub was late by {watch.worst_ms:.1f} ms at most, and memory grew by "
        f"{most:.1f} MB, that of the reader included"
    )
    assert most < 8
