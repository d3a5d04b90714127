"""How a human is dialled for a caller. Pure."""

from __future__ import annotations

import math
import re

from esl_controller.calls.door import TOKEN
from esl_controller.calls.transfer.destination import Destination
from esl_controller.database.models import RouteEntry
from esl_controller.esl import dialstring
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.routes.identity import CallIdentity

_NAME = re.compile(r"[^\w .@+&-]")
"""What a caller's name may not hold in a dial string; letters of any language may."""
_NUMBER = re.compile(r"[^0-9A-Za-z*#+._-]")


def dial_string(
    destination: Destination,
    entry: RouteEntry,
    identity: CallIdentity,
    *,
    uuid: str,
    token: str,
    ring_s: float,
) -> DialString:
    """First argument of `originate`: the human's telephone shows who calls.

    Early media is no answer: without `ignore_early_media` a ring-back tone would be briefed
    (switch_ivr_originate.c). The domain's variables are for its dialplan and its call records.

    Raises LocalProtocolError for what cannot be dialled.
    """
    number = _NUMBER.sub("", identity.caller_id_number)
    there = destination.dial_string.startswith(dialstring.LOOPBACK)
    on_the_way = dialstring.through_dialplan("domain_uuid", "domain_name") if there else {}
    return DialString(
        [Leg(destination.dial_string)],
        {
            "origination_uuid": uuid,
            TOKEN: token,
            "originate_timeout": str(math.ceil(ring_s)),
            "ignore_early_media": "true",
            "origination_caller_id_number": number,
            "origination_caller_id_name": _NAME.sub("", identity.caller_id_name) or number,
            "domain_uuid": entry.domain_uuid,
            "domain_name": entry.domain_name,
            **on_the_way,
        },
    )
