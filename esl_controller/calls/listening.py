"""How a telephone is rung that shall hear both sides of a call, and be heard by nobody."""

from __future__ import annotations

import uuid

from esl_controller.database.models import RouteEntry
from esl_controller.esl import dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.dialstring import DialString, Leg

RING_S = 30
"""Longest ringing of it."""
ANSWER_S = 5.0
"""FreeSWITCH's own answer after that."""
LISTENER = "Voice AI"


def listening(call_uuid: str, entry: RouteEntry, extension: str) -> tuple[DialString, str]:
    """What to `originate`, and its target. Raises LocalProtocolError for what cannot be dialled."""
    variables = {
        "origination_uuid": str(uuid.uuid4()),
        "originate_timeout": str(RING_S),
        "origination_caller_id_name": LISTENER,
        "origination_caller_id_number": entry.extension,
        "domain_uuid": entry.domain_uuid,
        "domain_name": entry.domain_name,
        "ignore_early_media": "true",
        # Keys would let the listener speak to either side (mod_dptools.c, eavesdrop_function).
        "eavesdrop_enable_dtmf": "false",
    }
    dial = DialString([Leg(dialstring.user(extension, entry.domain_name))], variables)
    return dial, dialstring.run(Application.EAVESDROP, call_uuid)
