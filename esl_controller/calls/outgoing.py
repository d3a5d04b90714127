"""Makes one call: FreeSWITCH dials, and brings whoever answers to this worker's own door.

The number goes through the domain's own dialplan (a loopback into its context), so the tenant's
outbound routes, forwards and follow-me hold for it as for a call of one of its telephones.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from gevent.event import AsyncResult

from esl_controller.calls.call import Call
from esl_controller.calls.door import TOKEN, LegDoor
from esl_controller.calls.leg import Leg as CallLeg
from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.esl import dialstring
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.esl.errors import CommandFailed, CommandTimeout, EslError, LocalProtocolError
from esl_controller.esl.inbound import InboundClient
from esl_controller.esl.session import ControllerSession
from esl_controller.outbound.service import Made
from esl_controller.settings.table import Freeswitch

RING_S = 45
COMES_S = 10.0
"""From FreeSWITCH's word that it was answered to the leg at our door."""
EXPORTED = (
    "domain_uuid",
    "domain_name",
    "outbound_caller_id_number",
    "outbound_caller_id_name",
    "effective_caller_id_number",
)
"""Variables the dialplan's half of the loopback gets too."""

_log = structlog.get_logger("outbound")

Serve = Callable[[ControllerSession, OutboundCall], Call]
"""Talks with whoever answered, and returns when the call is over."""


class Outgoing:
    """Implements `outbound.service.Dialler` for a worker."""

    def __init__(
        self, at: Freeswitch, door: LegDoor, serve: Serve, has_room: Callable[[], bool]
    ) -> None:
        self._at = at
        self._door = door
        self._serve = serve
        self._has_room = has_room

    @property
    def room(self) -> bool:
        """The worker takes calls, and has a place."""
        return self._has_room()

    def make(self, call: OutboundCall, entry: RouteEntry, call_uuid: str) -> Made:
        """Dial, talk, and tell how it went."""
        result: AsyncResult[Made] = AsyncResult()

        def came(leg: CallLeg) -> None:
            made = Made(served=False, cause="INTERNAL", call_uuid=call_uuid)
            try:
                made = _made(self._serve(leg.esl, call))
            finally:
                result.set(made)

        expected = self._door.expect(came)
        try:
            cause = self._dial(call, entry, call_uuid, expected.token)
            if cause:
                return Made(served=False, cause=cause, call_uuid=call_uuid)
            if not result.ready() and expected in self._door:
                result.wait(COMES_S)
            if expected in self._door:
                return Made(served=False, cause="NO_LEG", call_uuid=call_uuid)
            made: Made | None = result.get()
            return made or Made(served=False, cause="INTERNAL")
        finally:
            self._door.forget(expected)

    def _dial(self, call: OutboundCall, entry: RouteEntry, call_uuid: str, token: str) -> str:
        """Why nobody was reached; empty when somebody answered."""
        at = self._at
        client = InboundClient((at.host, at.port), at.password.reveal(), timeout_s=at.timeout_s)
        try:
            client.connect(at.timeout_s)
            dial = _dial_string(call, entry, call_uuid, token)
            client.originate(dial, self._door.target_for(client), RING_S + at.timeout_s)
        except CommandFailed as error:
            return error.text.removeprefix("-ERR").strip()[:64] or "FAILED"
        except CommandTimeout:
            return "NO_ANSWER"
        except (EslError, LocalProtocolError) as error:
            _log.warning("outbound.not_dialled", error=str(error))
            return "SWITCH_UNREACHABLE"
        finally:
            client.close()
        return ""


def _made(call: Call) -> Made:
    """What became of a call that is over."""
    return Made(
        served=call.served,
        cause=call.leg.hangup_cause or ("" if call.served else "NOT_SERVED"),
        call_uuid=call.leg.uuid,
        answered_by=call.answered_by,
    )


def _dial_string(call: OutboundCall, entry: RouteEntry, call_uuid: str, token: str) -> DialString:
    shown = call.caller_id or entry.tenant.outbound_caller_id or entry.extension
    variables = {
        "origination_uuid": call_uuid,
        "originate_timeout": str(RING_S),
        "origination_caller_id_number": shown,
        "origination_caller_id_name": shown,
        "outbound_caller_id_number": shown,
        "outbound_caller_id_name": shown,
        "effective_caller_id_number": shown,
        "domain_uuid": call.domain_uuid,
        "domain_name": entry.domain_name,
        "voice_ai_extension": call.extension,
        "voice_ai_outbound": call.outbound_uuid,
        TOKEN: token,
        # Ring-back and announcements on the way are no answer.
        "ignore_early_media": "true",
        **dialstring.through_dialplan(*EXPORTED),
    }
    endpoint = dialstring.loopback(call.number, entry.domain_name)
    return DialString([Leg(endpoint)], variables)
