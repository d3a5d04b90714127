"""The journal against a real PostgreSQL: stored once, whatever fails in between."""

import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import gevent
import pytest

from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.database.pool import Pool
from esl_controller.database.repository import conversations
from esl_controller.record import entries as journal_entries
from esl_controller.record import journal as journal_module
from esl_controller.record.journal import MAX_SETTLED, Journal
from tests.integration.hub_watch import HubWatch

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def new_id() -> str:
    return str(uuid.uuid4())


def conversation(domain_uuid: str, **fields: object) -> ConversationRealtime:
    given = {"conversation_uuid": new_id(), "call_uuid": new_id(), "started_at": NOW, **fields}
    return ConversationRealtime(domain_uuid=domain_uuid, **given)


def whole_call(domain_uuid: str) -> list:
    """Every kind of entry a call leaves behind, in the order it leaves them."""
    start = conversation(domain_uuid, caller_id="+5511999990000", worker="test")
    key = {"domain_uuid": domain_uuid, "conversation_uuid": start.conversation_uuid}
    end = conversation(
        domain_uuid,
        conversation_uuid=start.conversation_uuid,
        call_uuid=start.call_uuid,
        ended_at=NOW + timedelta(seconds=30),
        outcome="completed",
        total_turns=2,
        transcript=[{"role": "user", "text": "olá \x00", "timestamp": 0.5}],
        estimated_cost=Decimal("0.0123"),
    )
    return [
        start,
        Turn(turn_uuid=new_id(), turn_number=1, role="user", content="olá", started_at=NOW, **key),
        Turn(
            turn_uuid=new_id(), turn_number=2, role="assistant", started_at=NOW, total_ms=612, **key
        ),
        FunctionCallRecord(
            function_call_uuid=new_id(),
            function_name="lookup_customer",
            arguments={"phone": "1"},
            status="completed",
            started_at=NOW,
            **key,
        ),
        TransferRecord(
            transfer_uuid=new_id(),
            transfer_type="blind",
            destination="200",
            status="completed",
            started_at=NOW,
            **key,
        ),
        UsageRecord(
            usage_uuid=new_id(),
            provider="openai",
            occurred_at=NOW,
            input_audio_tokens=10,
            cost_usd=Decimal("0.0123"),
            **key,
        ),
        end,
    ]


@pytest.fixture
def journal(tmp_path: Path, pool: Pool):
    journal = Journal(tmp_path / "spool", pool)
    journal.start()
    yield journal
    journal.stop(timeout_s=5)


def test_a_call_is_stored_whole(database, pool, journal):
    tenant = database.seed()
    entries = whole_call(tenant.domain_uuid)
    for entry in entries:
        assert journal.record(entry)
    assert journal.wait_stored(5)
    with pool.connection() as connection:
        key = (connection, tenant.domain_uuid, entries[0].conversation_uuid)
        stored = conversations.find_conversation(*key)
        assert conversations.list_turns(*key) == entries[1:3]
        assert conversations.list_function_calls(*key) == [entries[3]]
        assert conversations.list_transfers(*key) == [entries[4]]
        assert conversations.list_usage(*key) == [entries[5]]
    assert stored is not None
    assert stored.outcome == "completed"
    assert stored.caller_id == "+5511999990000"  # told at the start, not again at the end
    assert stored.transcript[0]["text"] == "olá "  # PostgreSQL holds no NUL
    assert journal.statistics.rejected == journal.statistics.dropped == 0


def rejected_texts(spool_dir: Path) -> str:
    return "".join(path.read_text() for path in (spool_dir / "rejected").glob("*"))


def test_what_the_database_refuses_is_set_aside_and_the_rest_stored(
    database, pool, journal, tmp_path
):
    tenant = database.seed()
    good = [conversation(tenant.domain_uuid) for _ in range(3)]
    orphan = Turn(
        turn_uuid=new_id(),
        domain_uuid=tenant.domain_uuid,
        conversation_uuid=new_id(),
        turn_number=1,
        role="user",
        content="nobody's",
        started_at=NOW,
    )
    stolen = conversation(database.seed().domain_uuid, conversation_uuid=good[0].conversation_uuid)
    for entry in (good[0], orphan, good[1], stolen, good[2]):
        assert journal.record(entry)
    assert journal.wait_stored(5)
    assert journal.statistics.rejected == 2
    assert database.execute("select count(*) from v_voice_conversations_realtime") == [(3,)]
    text = rejected_texts(tmp_path / "spool")
    assert "violates foreign key" in text and "belongs to another domain" in text
    assert orphan.turn_uuid in text


def test_what_was_deleted_while_a_call_went_on_costs_the_call_nothing(database, pool, journal):
    """Its secretary by a page, another conversation by `erase`."""
    tenant = database.seed()
    start = conversation(tenant.domain_uuid, secretary_realtime_uuid=tenant.secretary_realtime_uuid)
    journal.record(start)
    assert journal.wait_stored(5)
    database.execute("delete from v_voice_secretaries_realtime")
    journal.record(replace(start, ended_at=NOW, outcome="completed", transcript=[{"text": "a"}]))
    paid = {"provider": "openai", "occurred_at": NOW, "cost_usd": Decimal(2)}
    journal.record(
        UsageRecord(
            usage_uuid=new_id(),
            domain_uuid=tenant.domain_uuid,
            conversation_uuid=new_id(),
            **paid,
        )
    )
    assert journal.wait_stored(5)
    assert (journal.statistics.rejected, journal.statistics.stored) == (0, 3)
    assert database.execute(
        "select outcome, secretary_realtime_uuid from v_voice_conversations_realtime"
    ) == [("completed", None)]
    assert database.execute("select cost_usd, conversation_uuid from v_voice_usage_realtime") == [
        (2, None)
    ]


def test_entries_of_a_deleted_domain_do_not_stop_the_others(database, pool, journal):
    tenant, gone = database.seed(), database.seed()
    database.execute("delete from v_domains where domain_uuid = %s", gone.domain_uuid)
    for domain_uuid in (gone.domain_uuid, tenant.domain_uuid):
        journal.record(conversation(domain_uuid))
    assert journal.wait_stored(5)
    assert (journal.statistics.rejected, journal.statistics.stored) == (1, 1)


def test_a_call_turned_away_in_a_domain_that_does_not_exist_is_not_kept(
    database, pool, journal, tmp_path
):
    database.seed()
    journal.record(conversation(new_id(), outcome="refused", ended_at=NOW))
    assert journal.wait_stored(5)
    assert journal.statistics.rejected == 0
    assert rejected_texts(tmp_path / "spool") == ""
    assert database.execute("select count(*) from v_voice_conversations_realtime") == [(0,)]


def test_a_missing_table_is_waited_for(database, pool, journal):
    """Migrations not run yet: nothing is thrown away for that."""
    tenant = database.seed()
    database.execute("alter table v_voice_turns_realtime rename to away")
    entries = whole_call(tenant.domain_uuid)
    for entry in entries:
        journal.record(entry)
    with gevent.Timeout(10):
        while not journal.statistics.flush_failures:
            gevent.sleep(0.01)
    assert not journal.wait_stored(0)
    database.execute("alter table away rename to v_voice_turns_realtime")
    assert journal.wait_stored(10)
    assert journal.statistics.rejected == 0
    assert database.execute("select count(*) from v_voice_turns_realtime") == [(2,)]


def test_recording_does_not_wait_for_the_database(tmp_path):
    """No server at all: entries become durable, and wait on disk for the next start."""
    away = Pool(f"host={tmp_path} dbname=none", size=1)
    journal = Journal(tmp_path / "spool", away)
    journal.start()
    for entry in whole_call(new_id()):
        assert journal.record(entry)
    assert journal.wait_durable(5)
    assert not journal.stop(timeout_s=0.1)
    assert len(list((tmp_path / "spool").glob("*/*.segment"))) == 1


def test_what_is_put_down_later_is_on_disk_in_order_whatever_fails(tmp_path):
    journal = Journal(tmp_path / "spool", pool=None)
    put_down = []

    def fail() -> None:
        raise ValueError("a bug of one call")

    journal.later(put_down.append, 1)
    journal.later(fail)
    for number in range(2, MAX_SETTLED + 3):
        journal.later(put_down.append, number)
    journal.later(journal.record, conversation("d"))
    assert put_down == []
    journal.settle(MAX_SETTLED)
    assert put_down == list(range(1, MAX_SETTLED))
    journal.settle()
    assert put_down == list(range(1, MAX_SETTLED + 3))
    assert journal.statistics.recorded == 1


def test_what_a_worker_left_is_taken_over(database, pool, tmp_path):
    tenant = database.seed()
    gone = Journal(tmp_path / "spool", Pool(f"host={tmp_path} dbname=none", size=1))
    gone.start()
    entries = whole_call(tenant.domain_uuid)
    for entry in entries:
        gone.record(entry)
    gone.wait_durable(5)
    still_there = Journal(tmp_path / "spool", pool)
    still_there.start()
    assert still_there.statistics.adopted_segments == 0  # its owner lives
    gone.stop(timeout_s=0.1)
    still_there._adopt()
    assert still_there.statistics.adopted_segments == 1
    assert still_there.wait_stored(5)
    assert still_there.stop()
    assert list((tmp_path / "spool").iterdir()) == []
    assert database.execute("select outcome from v_voice_conversations_realtime") == [
        ("completed",)
    ]


def test_what_a_killed_worker_left_open_is_closed(database, pool, tmp_path):
    """After its own last words are stored, and only its conversations."""
    tenant, other = database.seed(), database.seed()
    dead, living = (Journal(tmp_path / "spool", pool) for _ in range(2))
    assert dead.worker != living.worker
    cut_short = conversation(tenant.domain_uuid, worker=dead.worker)
    finished = conversation(other.domain_uuid, worker=dead.worker)
    ended = replace(finished, ended_at=NOW, outcome="completed")
    running = conversation(tenant.domain_uuid, worker=living.worker)
    for entry in (cut_short, finished, ended):
        dead.record(entry)
    dead._write_batch()
    os.close(dead._spool._lock)  # as the kernel does when the process dies
    living.start()
    living.record(running)
    assert living.wait_stored(5)
    outcomes = database.execute(
        """select conversation_uuid::text, outcome, end_cause, ended_at is null
           from v_voice_conversations_realtime"""
    )
    assert {row[0]: row[1:] for row in outcomes} == {
        cut_short.conversation_uuid: ("failed", "worker_lost", False),
        finished.conversation_uuid: ("completed", None, False),
        running.conversation_uuid: (None, None, True),
    }
    living.stop()


def test_a_torn_end_and_a_damaged_line_cost_only_themselves(database, pool, tmp_path):
    tenant = database.seed()
    lines = [journal_entries.encode(conversation(tenant.domain_uuid)) for _ in range(4)]
    left = tmp_path / "spool" / "1-dead"
    left.mkdir(parents=True)
    (left / "lock").touch()
    damaged = lines[1].replace(b"started_at", b"startet_at")
    content = lines[0] + damaged + lines[2] + lines[3][:50]
    (left / "00000000000000000001-a.segment").write_bytes(content)
    journal = Journal(tmp_path / "spool", pool)
    journal.start()
    assert journal.wait_stored(5)
    statistics = journal.statistics
    # two conversations, and that their worker is gone
    assert (statistics.stored, statistics.rejected, statistics.torn) == (3, 1, 1)
    assert "checksum differs" in rejected_texts(tmp_path / "spool")
    journal.stop()


def test_ten_thousand_entries_are_replayed_without_a_pause_of_the_hub(database, pool, tmp_path):
    """After an outage, in a worker whose calls have audio to send every 20 ms."""
    domain_uuid = database.seed().domain_uuid
    away = Journal(tmp_path / "spool", Pool(f"host={tmp_path} dbname=none", size=1))
    start = conversation(domain_uuid)
    key = {"domain_uuid": domain_uuid, "conversation_uuid": start.conversation_uuid}
    said = {"role": "user", "content": "palavras " * 20, "started_at": NOW, **key}
    entries = [start] + [Turn(turn_uuid=new_id(), turn_number=n, **said) for n in range(1, 10_000)]
    away._spool.append(b"".join(map(journal_entries.encode, entries)))
    away.stop(timeout_s=0)
    journal = Journal(tmp_path / "spool", pool)
    with HubWatch() as hub:
        journal.start()
        assert journal.wait_stored(60)
    print(f"worst lateness of the hub: {hub.worst_ms:.0f} ms")
    assert hub.worst_ms < 100
    assert journal.stop()
    assert database.execute("select count(*) from v_voice_turns_realtime") == [(9_999,)]
    assert journal.statistics.rejected == 0


def test_limits_drop_and_say_so(pool, tmp_path, monkeypatch):
    journal = Journal(tmp_path / "spool", pool)  # not started: nothing leaves the queue
    entry = conversation(new_id())
    size = len(journal_entries.encode(entry))
    monkeypatch.setattr(journal_module, "MAX_QUEUE_BYTES", 2 * size)
    assert [journal.record(entry) for _ in range(3)] == [True, True, False]
    monkeypatch.setattr(journal_entries, "MAX_LINE_BYTES", 10)
    assert not journal.record(entry)
    assert (journal.statistics.recorded, journal.statistics.dropped) == (2, 2)


def test_spooled_conversations_are_private(pool, tmp_path):
    journal = Journal(tmp_path / "spool", Pool(f"host={tmp_path} dbname=none", size=1))
    journal.start()
    journal.record(conversation(new_id()))
    journal.wait_durable(5)
    journal.stop(timeout_s=0.05)
    for path in (tmp_path / "spool").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
