"""Forgetting: by age and by caller, whole, and only what was meant."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    Turn,
    UsageRecord,
)
from esl_controller.database.repository import conversations, spending
from esl_controller.record import retention as retention_module
from esl_controller.record.journal import Journal
from esl_controller.record.recordings import Recordings
from esl_controller.record.retention import Retention, erase_caller
from tests.integration.cli_kit import run
from tests.integration.db_states import STATES

CALLER = "+55 (11) 99999-0000"
NOWHERE = Recordings("/nowhere")


def new_id() -> str:
    return str(uuid.uuid4())


def converse(
    pool, domain_uuid: str, *, caller_id: str = CALLER, days_ago: float = 0, ended: bool = True
) -> str:
    """Store one conversation with a turn, a function call and a cost."""
    key = {"domain_uuid": domain_uuid, "conversation_uuid": new_id()}
    when = datetime.now(UTC) - timedelta(days=days_ago)
    ended_at = when if ended else None
    entries = (
        ConversationRealtime(
            call_uuid="c", caller_id=caller_id, started_at=when, ended_at=ended_at, **key
        ),
        Turn(turn_uuid=new_id(), turn_number=1, role="user", started_at=when, **key),
        FunctionCallRecord(
            function_call_uuid=new_id(), function_name="f", status="failed", started_at=when, **key
        ),
        UsageRecord(
            usage_uuid=new_id(), provider="o", occurred_at=when, cost_usd=Decimal(2), **key
        ),
    )
    with pool.connection() as connection:
        for entry in entries:
            assert conversations.store(connection, domain_uuid, entry)
    return key["conversation_uuid"]


def left(database) -> set[str]:
    rows = database.execute("select conversation_uuid::text from v_voice_conversations_realtime")
    return {row[0] for row in rows}


def test_a_caller_is_erased_however_the_number_is_written(database, pool):
    mine, other = (database.seed().domain_uuid for _ in range(2))
    for written in (CALLER, "5511999990000", "+5511999990000"):
        converse(pool, mine, caller_id=written)
    stays = {
        converse(pool, mine, caller_id="+5511999990001"),
        converse(pool, mine, caller_id="anonymous"),
        converse(pool, other),
    }
    report = erase_caller(pool, mine, "+55 11 99999 0000", NOWHERE)
    assert report.removed == {
        "conversations": 3,
        "turns": 3,
        "function_calls": 3,
        "transfers": 0,
        "outbound": 0,
        "errands": 0,
    }
    assert any("FunctionCall" not in where and "FusionPBX" in where for where in report.elsewhere)
    assert left(database) == stays
    with pool.connection() as connection:
        assert spending.spent(connection, mine, "UTC")["month_usd"] == 10  # budgets keep counting
    assert erase_caller(pool, mine, CALLER, NOWHERE).removed["conversations"] == 0


def test_recordings_go_with_their_conversations_and_nobody_elses(database, pool, tmp_path):
    """By age and by caller; a row that names another domain's file removes nothing."""
    mine, other = (database.seed(name=name) for name in ("mine.example", "other.example"))
    files = [tmp_path / name / "archive" / "a.wav" for name in ("mine.example", "other.example")]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_bytes(b"RIFF")
    recordings = Recordings(str(tmp_path))
    for file in files:
        key = converse(pool, mine.domain_uuid)
        database.execute(
            """update v_voice_conversations_realtime set record_path = %s, record_name = 'a.wav'
               where conversation_uuid = %s""",
            str(file.parent),
            key,
        )
    report = erase_caller(pool, mine.domain_uuid, CALLER, recordings)
    assert (report.removed["recordings"], report.removed["recordings_not_here"]) == (1, 1)
    assert [file.exists() for file in files] == [False, True]
    key = converse(pool, other.domain_uuid, days_ago=3)
    database.execute(
        """insert into v_voice_realtime_settings (domain_uuid, retention_days) values (%s, 1)""",
        other.domain_uuid,
    )
    database.execute(
        """update v_voice_conversations_realtime set record_path = %s, record_name = 'a.wav'""",
        str(files[1].parent),
    )
    assert Retention(pool, recordings).run_once() == {other.domain_uuid: 1}
    assert not files[1].exists()


def test_a_call_going_on_is_told_and_left_to_the_next_time(database, pool):
    """What it still has to write would find its conversation gone, or bring it back."""
    mine = database.seed().domain_uuid
    running = converse(pool, mine, ended=False)
    converse(pool, mine, ended=False, days_ago=2)  # nobody will end it any more
    converse(pool, mine)
    report = erase_caller(pool, mine, CALLER, NOWHERE)
    assert (report.removed["conversations"], report.going_on) == (2, 1)
    assert left(database) == {running}
    database.execute("update v_voice_conversations_realtime set ended_at = now()")
    report = erase_caller(pool, mine, CALLER, NOWHERE)
    assert (report.removed["conversations"], report.going_on) == (1, 0)


def test_the_command_reports_what_it_removed(database, pool, tmp_path):
    mine = database.seed().domain_uuid
    converse(pool, mine)
    running = converse(pool, mine, ended=False)
    environ = {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_STORAGE_STATE_DIR": str(tmp_path),
    }
    elsewhere = run("erase", "--domain", new_id(), CALLER, "--yes", **environ)
    assert (elsewhere.exit_code, "there is no domain" in elsewhere.stderr) == (1, True)
    command = ("erase", "--domain", mine, CALLER)
    assert run(*command, stdin="n\n", **environ).exit_code == 1
    assert len(left(database)) == 2
    told = run(*command, stdin="y\n", **environ)
    assert told.exit_code == 1
    assert "       1  conversations\n       1  turns\n       1  function_calls\n" in told.stdout
    assert "Still going on, so run this again:\n       1  conversations\n" in told.stdout
    assert left(database) == {running}
    database.execute("update v_voice_conversations_realtime set ended_at = now()")
    again = run(*command, "--json", "--yes", **environ)
    assert (again.exit_code, left(database)) == (0, set())
    assert '"going_on": 0' in again.stdout


@pytest.mark.parametrize("number", ["", "+", "anonymous?", "%", "' or true --"])
def test_what_is_no_number_erases_nothing(database, pool, number):
    mine = database.seed().domain_uuid
    stays = {converse(pool, mine, caller_id=""), converse(pool, mine, caller_id="anonymous")}
    assert erase_caller(pool, mine, number, NOWHERE).removed["conversations"] in (0, 1)
    assert len(stays & left(database)) >= (1 if number == "" else 2)


def test_anonymous_callers_can_be_named_as_they_are_stored(database, pool):
    mine = database.seed().domain_uuid
    converse(pool, mine, caller_id="anonymous")
    assert erase_caller(pool, mine, "anonymous", NOWHERE).removed["conversations"] == 1


def test_version_1_forgets_the_caller_too(empty_database):
    from esl_controller.database.migrate import Migrator
    from esl_controller.database.pool import Pool

    empty_database.execute(STATES["v1_by_sql"])
    Migrator(empty_database.dsn).up()
    domain = empty_database.seed().domain_uuid
    secretary, conversation = new_id(), new_id()
    empty_database.execute(
        """insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, secretary_name,
             personality_prompt) values (%s, %s, 'a', 'p')""",
        secretary,
        domain,
    )
    empty_database.execute(
        """insert into v_voice_conversations (voice_conversation_uuid, domain_uuid,
             voice_secretary_uuid, caller_id_number, start_time) values (%s, %s, %s, %s, now())""",
        conversation,
        domain,
        secretary,
        CALLER,
    )
    empty_database.execute(
        """insert into v_voice_messages (voice_conversation_uuid, turn_number, role, content)
           values (%s, 1, 'user', 'x')""",
        conversation,
    )
    pool = Pool(empty_database.dsn, size=1)
    report = erase_caller(pool, domain, "5511999990000", NOWHERE)
    assert report.removed["turn_based_conversations"] == 1
    assert report.removed["turn_based_messages"] == 1
    pool.close()


def test_each_domain_keeps_as_long_as_it_says(database, pool, monkeypatch):
    monkeypatch.setattr(retention_module, "BATCH", 2)
    short, ever, doubtful = (database.seed().domain_uuid for _ in range(3))
    database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, retention_days) values (%s, 30)", short
    )
    database.execute(
        """insert into v_voice_realtime_settings (domain_uuid, retention_days, time_zone)
           values (%s, 30, 'Mars/Olympus')""",
        doubtful,
    )
    for days_ago in (31, 40, 50, 60, 70):
        converse(pool, short, days_ago=days_ago)
    stays = {
        converse(pool, short, days_ago=29),
        converse(pool, ever, days_ago=4000),
        converse(pool, doubtful, days_ago=29),
    }
    converse(pool, doubtful, days_ago=40)
    retention = Retention(pool, NOWHERE)
    assert retention.run_once() == {short: 5, doubtful: 1}
    assert left(database) == stays
    assert retention.run_once() == {}


def test_what_is_stored_is_redacted_before_it_touches_the_disk(database, pool, tmp_path: Path):
    domain = database.seed().domain_uuid
    journal = Journal(tmp_path / "spool", pool)
    key = {"domain_uuid": domain, "conversation_uuid": new_id()}
    now = datetime.now(UTC)
    said = "meu cartão é 4111 1111 1111 1111 e meu e-mail ana@example.com"
    words = [{"role": "user", "text": said, "timestamp": 1.0}]
    journal.record(ConversationRealtime(call_uuid="c", started_at=now, transcript=words, **key))
    turn = {"role": "user", "content": said, "started_at": now, **key}
    journal.record(Turn(turn_uuid=new_id(), turn_number=1, **turn), personal=True)
    journal._write_batch()
    spooled = b"".join(path.read_bytes() for path in tmp_path.rglob("*.segment"))
    assert b"4111" not in spooled and spooled.count(b"ana@example.com") == 1
    journal.start()
    assert journal.stop()
    assert database.execute("select content from v_voice_turns_realtime") == [
        ("meu cartão é [card number] e meu e-mail [e-mail]",)
    ]
