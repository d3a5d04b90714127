"""The journal on a disk that is full, broken or closed to it."""

import errno
import os
from pathlib import Path

from structlog.testing import capture_logs

from esl_controller.record import journal as journal_module
from esl_controller.record.journal import Journal
from tests.integration.cli_kit import run
from tests.integration.test_db_journal import conversation


def test_a_segment_the_disk_has_lost_does_not_hold_up_the_others(
    database, pool, tmp_path, monkeypatch
):
    domain_uuid = database.seed().domain_uuid
    journal = Journal(tmp_path / "spool", pool)
    for _ in range(2):
        journal.record(conversation(domain_uuid))
        journal._write_batch()
        journal._spool.close_segment()
    lost = journal._spool.oldest_segment()
    read = journal._spool.read

    def broken(segment: Path) -> bytes:
        if segment == lost:
            raise OSError(errno.EIO, "input/output error")
        return read(segment)

    monkeypatch.setattr(journal._spool, "read", broken)
    journal.start()
    assert journal.wait_stored(5)
    assert (journal.statistics.rejected, journal.statistics.stored) == (1, 1)
    assert [path.name for path in (tmp_path / "spool" / "rejected").iterdir()] == [lost.name]
    assert journal.stop()


def test_a_worker_starts_though_the_disk_is_full(database, pool, tmp_path, monkeypatch):
    dead, journal = (Journal(tmp_path / "spool", pool) for _ in range(2))
    dead.record(conversation(database.seed().domain_uuid, worker=dead.worker))
    dead._write_batch()
    os.close(dead._spool._lock)
    adopt = journal._spool.adopt

    def full(_obituary: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(journal._spool, "adopt", full)
    journal.start()
    assert journal.statistics.write_failures == 1
    monkeypatch.setattr(journal._spool, "adopt", adopt)
    journal._adopt()
    assert journal.wait_stored(5)
    assert journal.stop()
    assert database.execute("select end_cause from v_voice_conversations_realtime") == [
        ("worker_lost",)
    ]


def test_a_worker_without_a_spool_does_not_start(database, tmp_path):
    (tmp_path / "spool").touch()
    result = run(
        "serve",
        VOICE_AI_DATABASE_DSN=database.workers_dsn,
        VOICE_AI_STORAGE_STATE_DIR=str(tmp_path),
        VOICE_AI_ESL_PORT="0",
        VOICE_AI_MEDIA_PORT="0",
    )
    assert result.exit_code == 1
    assert f"Error: spool directory {tmp_path}/spool: File exists" in result.stderr


def test_a_full_disk_is_waited_for(database, pool, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(journal_module, "WRITE_RETRY_S", 0.01)
    tenant = database.seed()
    journal = Journal(tmp_path / "spool", pool)
    append, failures = journal._spool.append, iter(range(3))

    def full(lines: bytes) -> None:
        if next(failures, None) is None:
            return append(lines)
        append(lines[:20])  # half a line got through
        journal._spool.close_segment()
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(journal._spool, "append", full)
    with capture_logs() as lines:
        journal.start()
        assert journal.record(conversation(tenant.domain_uuid))
        assert journal.wait_durable(5)
        journal.stop()
    assert journal.statistics.write_failures == 3
    told = [line["event"] for line in lines if line["event"].startswith("spool_")]
    assert told == ["spool_not_written", "spool_written_again"]  # a line each would fill the disk
    assert "Traceback" not in capfd.readouterr().err
    assert database.execute("select count(*) from v_voice_conversations_realtime") == [(1,)]
