"""Who answers a call, and whether now: what is known of the tenant, then the tenant's limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import RouteEntry, TurnBasedEntry
from esl_controller.database.pool import DatabaseError
from esl_controller.esl.events import ChannelData
from esl_controller.routes.admission import Admission
from esl_controller.routes.identity import CallIdentity, InvalidCall, parse_identity
from esl_controller.routes.routing import (
    HandBack,
    Outcome,
)
from esl_controller.telemetry.catalogue import ErrorCode
from esl_controller.tenants.loader import ConfigError, ConfigLoader


@dataclass(frozen=True, slots=True)
class Reception:
    """The one of a worker."""

    config: ConfigLoader
    admission: Admission

    def identify(self, channel: ChannelData, outbound: OutboundCall | None = None) -> CallIdentity:
        """Who calls whom. Raises HandBack when the channel does not say."""
        try:
            found = parse_identity(lambda name: channel.get(name) or None, self.config.domain_named)
            return found if outbound is None else replace(found, caller_id_number=outbound.number)
        except DatabaseError as error:
            code = ErrorCode.CONFIG_NOT_FOUND
            raise HandBack(Outcome.UNAVAILABLE, code, str(error)) from error
        except InvalidCall as error:
            raise HandBack(Outcome.INVALID, ErrorCode.INVALID_DOMAIN, str(error)) from error

    def secretary_for(self, identity: CallIdentity) -> RouteEntry:
        """The settings of the number called.

        Raises:
            HandBack: nobody here answers it, or the settings cannot be used.
        """
        self._refuse_our_own(identity)
        try:
            entry = self.config.secretary_for(identity.domain_uuid, identity.extension)
        except (ConfigError, DatabaseError) as error:
            code = ErrorCode.CONFIG_NOT_FOUND
            raise HandBack(Outcome.UNAVAILABLE, code, str(error)) from error
        if entry is None:
            raise HandBack(Outcome.NOT_OURS, None, f"no secretary has {identity.extension}")
        if isinstance(entry, TurnBasedEntry):
            raise HandBack(Outcome.TURN_BASED, None, "the number is set to turn_based")
        return entry

    def _refuse_our_own(self, identity: CallIdentity) -> None:
        """Two secretaries would talk to each other until the budget is used up.

        Only what is remembered is asked: no caller's number costs a read of the database.
        """
        caller = identity.caller_id_number
        if self.config.is_known_secretary(identity.domain_uuid, caller):
            why = f"the caller {caller} is a secretary of the same domain"
            raise HandBack(Outcome.NOT_OURS, None, why)
