"""Forgets conversations: by age, as each domain says, and by caller, when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import gevent
import structlog

from esl_controller.database.pool import DatabaseError, GreenConnection, Pool
from esl_controller.database.repository import errands, privacy, spending, tenants
from esl_controller.record.recordings import Recordings, Stored
from esl_controller.record.spool import REJECTED_DAYS
from esl_controller.telemetry.background import in_thread
from esl_controller.tenants import rules
from esl_controller.tenants.rules import ConfigError

INTERVAL_S = 3600.0
BATCH = 500
"""Conversations deleted in one transaction, so that nobody waits long for a lock."""

_log = structlog.get_logger("retention")


@dataclass(slots=True)
class ErasureReport:
    """What was removed, by kind, what will have to be, and what is not ours to remove."""

    removed: dict[str, int] = field(default_factory=dict)
    going_on: int = 0
    """Calls with this caller that have not ended: not removed, they are still being written."""
    elsewhere: tuple[str, ...] = (
        "call detail records of FusionPBX (v_xml_cdr), and recordings that are not ours",
        "what the AI provider keeps under its own terms",
        "what has been sent: webhooks, e-mails, tickets, and what a text service was shown",
        "what waits in the spool of a worker that is cut off from the database",
        f"lines set aside under `rejected` in a spool directory, for {REJECTED_DAYS} days",
    )

    def add(self, counts: dict[str, int]) -> None:
        """Add what one deletion removed."""
        for name, count in counts.items():
            self.removed[name] = self.removed.get(name, 0) + count


def erase_caller(
    pool: Pool, domain_uuid: str, caller_number: str, recordings: Recordings
) -> ErasureReport:
    """Remove every past conversation of a domain with one caller; on an error, no row.

    Raises DatabaseError.
    """
    report = ErasureReport()
    with pool.connection() as connection:
        over, going_on = privacy.find_conversations_of(connection, domain_uuid, caller_number)
        report.going_on = len(going_on)
        report.add(_erase_recordings(connection, domain_uuid, over, recordings))
        privacy.forget_words_of_audits(connection, domain_uuid, over)
        privacy.forget_number_in_audits(connection, domain_uuid, caller_number)
        report.add({"outbound": privacy.erase_outbound(connection, domain_uuid, caller_number)})
        report.add({"errands": errands.erase(connection, domain_uuid, over)})
        report.add(privacy.erase_conversations(connection, domain_uuid, over))
        report.add(privacy.erase_turn_based(connection, domain_uuid, caller_number))
    return report


def erase_conversation(
    pool: Pool, domain_uuid: str, conversation_uuid: str, recordings: Recordings
) -> ErasureReport:
    """Remove one past conversation of a domain; one that is going on stays.

    Raises DatabaseError.
    """
    report = ErasureReport()
    with pool.connection() as connection:
        if privacy.is_going_on(connection, domain_uuid, conversation_uuid):
            report.going_on = 1
            return report
        one = [conversation_uuid]
        report.add(_erase_recordings(connection, domain_uuid, one, recordings))
        privacy.forget_words_of_audits(connection, domain_uuid, one)
        report.add({"errands": errands.erase(connection, domain_uuid, one)})
        report.add(privacy.erase_conversations(connection, domain_uuid, one))
    return report


def _erase_recordings(
    connection: GreenConnection, domain_uuid: str, conversations: list[str], recordings: Recordings
) -> dict[str, int]:
    """Delete the files before the rows that name them: what fails is tried again by the rows."""
    name = tenants.find_domain_name(connection, domain_uuid) or ""
    counts = {"recordings": 0, "recordings_not_here": 0}
    for row in privacy.list_recordings(connection, domain_uuid, conversations):
        removed = in_thread(partial(recordings.remove, name), Stored(**row), OSError)
        if isinstance(removed, OSError):
            _log.error("recording_not_removed", error=str(removed))
        counts["recordings" if removed is True else "recordings_not_here"] += 1
    return {kind: count for kind, count in counts.items() if count}


class Retention:
    """Removes what is older than its domain wants kept, and folds what its domain has spent.

    One worker is enough; more do no harm.
    """

    def __init__(self, pool: Pool, recordings: Recordings) -> None:
        self._pool = pool
        self._recordings = recordings

    def run(self) -> None:
        """Remove once an hour, for ever."""
        while True:
            try:
                self.run_once()
            except DatabaseError as error:
                _log.warning("retention_failed", error=str(error))
            gevent.sleep(INTERVAL_S)

    def run_once(self) -> dict[str, int]:
        """Return how many conversations of which domain were removed."""
        with self._pool.connection(autocommit=True) as connection:
            domains = [row["domain_uuid"] for row in tenants.list_domains(connection)]
        for domain_uuid in domains:
            with self._pool.connection(autocommit=True) as connection:
                spending.fold(connection, domain_uuid)
        removed = {domain_uuid: self._expire(domain_uuid) for domain_uuid in domains}
        return {domain_uuid: count for domain_uuid, count in removed.items() if count}

    def _expire(self, domain_uuid: str) -> int:
        days = self._retention_days(domain_uuid)
        with self._pool.connection(autocommit=True) as connection:
            errands.forget_old(connection, domain_uuid, days)
        total = 0
        while days is not None:
            with self._pool.connection() as connection:
                expired = privacy.find_expired(connection, domain_uuid, days, BATCH)
                _erase_recordings(connection, domain_uuid, expired, self._recordings)
                privacy.forget_words_of_audits(connection, domain_uuid, expired)
                errands.erase(connection, domain_uuid, expired)
                privacy.erase_conversations(connection, domain_uuid, expired)
                privacy.expire_audits(connection, domain_uuid, days)
                privacy.erase_outbound(connection, domain_uuid, None, days)
            total += len(expired)
            if len(expired) < BATCH:
                break
        if total:
            _log.info("conversations_expired", domain_uuid=domain_uuid, count=total, days=days)
        return total

    def _retention_days(self, domain_uuid: str) -> int | None:
        with self._pool.connection(autocommit=True) as connection:
            row = tenants.find_settings(connection, domain_uuid)
        try:
            return None if row is None else rules.tenant(row).retention_days
        except ConfigError as error:
            _log.error("retention_refused", domain_uuid=domain_uuid, problems=error.problems)
            return None
