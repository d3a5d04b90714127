"""Numbers outside a tenant: which may be dialled at all, and how many in an hour."""

from __future__ import annotations

import re

import structlog

from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import places as repository
from esl_controller.settings.transfer import Transfer

LONGEST_WAIT_S = 1.0
_log = structlog.get_logger("transfer.outside")


class Outside:
    """What the installation allows. A stolen voice must not be able to call the world at the
    tenant's cost: nothing is allowed unless said, and what cannot be counted is not dialled."""

    def __init__(self, pool: Pool, settings: Transfer) -> None:
        self._pool = pool
        self._allowed = re.compile(settings.outside) if settings.outside else None
        self._per_hour = settings.outside_per_hour

    def refusal(self, domain_uuid: str, number: str) -> str | None:
        """None, and the transfer is counted; or why it may not be. May wait."""
        if self._allowed is None or not self._allowed.fullmatch(number):
            _log.warning("transfer_outside_refused", domain_uuid=domain_uuid)
            return "numbers outside the company may not be dialled from here"
        try:
            with self._pool.connection(limit_s=LONGEST_WAIT_S) as connection:
                counted = repository.count_outside(connection, domain_uuid, self._per_hour)
        except DatabaseError as error:
            _log.warning("transfer_outside_not_counted", domain_uuid=domain_uuid, error=str(error))
            return "calls to numbers outside cannot be counted at the moment"
        if not counted:
            _log.warning("transfer_outside_capped", domain_uuid=domain_uuid)
        return None if counted else "too many calls to numbers outside within an hour"
