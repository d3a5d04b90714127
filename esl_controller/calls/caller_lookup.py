"""Who calls, asked of the tenant's CRM while the telephone rings.

What comes in time fills the variables of the tenant's texts (`{{customer_name}}`); what comes
later is told to the model as data, without making it speak.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gevent
import structlog

from esl_controller.database.models import RouteEntry
from esl_controller.routes.identity import CallIdentity
from esl_controller.services.ports import Customer, Services, SystemFailed
from esl_controller.services.values import NUMBER
from esl_controller.tenants.prompt import render
from esl_controller.tools.registry import tools_for

WAIT_S = 0.6
"""Of the time a call may take until it is answered; the provider is dialled meanwhile."""
LONGEST_S = 5.0

_log = structlog.get_logger("call")
_LATE = "[Looked up by the number that calls: {{customer_name}} {{customer_company}}]"


class CallerLookup:
    """One call's. Nothing is asked where the secretary offers no `lookup_customer`."""

    def __init__(
        self,
        entry: RouteEntry,
        identity: CallIdentity,
        services: Services,
        late: Callable[[str], None],
    ) -> None:
        """`late` gets words for the model, in a greenlet of this object."""
        self._late = late
        self._gave_up = False
        self._greenlet: gevent.Greenlet[..., Mapping[str, str]] | None = None
        number = identity.caller_id_number
        wanted = entry.tenant.crm_url is not None and entry.outbound is None
        if wanted and NUMBER.fullmatch(number) and "lookup_customer" in tools_for(entry):
            self._greenlet = gevent.spawn(self._ask, entry, number, services)

    @property
    def asking(self) -> bool:
        """Somebody is asked."""
        return self._greenlet is not None

    def known(self, wait_s: float = WAIT_S) -> Mapping[str, str]:
        """What is known so far; waits a little for it."""
        if self._greenlet is None:
            return {}
        self._greenlet.join(wait_s)
        self._gave_up = not self._greenlet.ready()
        return {} if self._gave_up else self._greenlet.value or {}

    def close(self) -> None:
        """Nobody wants it any more."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def _ask(self, entry: RouteEntry, number: str, services: Services) -> Mapping[str, str]:
        customers = services.customers(entry)
        try:
            found = customers.find(phone=number, timeout_s=LONGEST_S) if customers else ()
        except SystemFailed as failure:
            _log.warning("call.customer_not_looked_up", reason=failure.reason, error=failure.words)
            return {}
        known = _variables(found[0]) if len(found) == 1 else {}
        if known and self._gave_up:
            self._late(render(_LATE, known))
        return known


def _variables(one: Customer) -> Mapping[str, str]:
    return {
        "customer_id": one.customer_id,
        "customer_name": one.name,
        "customer_company": one.company,
        "customer_notes": one.notes,
    }
