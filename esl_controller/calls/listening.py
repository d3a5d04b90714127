"""How a telephone is rung that shall hear both sides of a call, and be heard by nobody.

`eavesdrop` always attaches a bug that replaces frames (switch_ivr_async.c,
switch_ivr_eavesdrop_session: SMBF_WRITE_REPLACE). With one of those on a channel of L16 FreeSWITCH
leaves the codec of `unicast` locked by the thread that wrote the frame (switch_core_media.c,
switch_core_session_write_frame: SWITCH_STATUS_NOOP of the encoder), and waits for that lock, for
ever, when the channel is hung up or sent elsewhere (switch_ivr.c, switch_ivr_deactivate_unicast).
So a call of L16 leaves `unicast` before somebody listens.
"""

from __future__ import annotations

import time
import uuid
from typing import Protocol

import gevent

from bridge.playout.modes import PlayoutMode
from bridge.session.media_plan import Leg as LegCodec
from bridge.session.media_plan import PlayoutChoice
from esl_controller.calls.leg import Leg as CallLeg
from esl_controller.database.models import RouteEntry
from esl_controller.esl import dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.dialstring import DialString, Leg

RING_S = 30
"""Longest ringing of it."""
ANSWER_S = 5.0
"""FreeSWITCH's own answer after that."""
LISTENER = "Voice AI"
LOCKING = "L16"
"""Codec whose encoder answers that there is nothing to do. Every loopback has it."""
LEAVES_WITHIN_S = 3.0
LOOK_S = 0.05
QUEUE_S = 0.2
"""What was sent before is written by then."""
NOT_HEARD = "listening would leave the call in FreeSWITCH for ever: it is L16, played by unicast"


class Plays(Protocol):
    """What plays to the caller."""

    choice: PlayoutChoice

    def leave_unicast(self) -> bool:
        """Go on playing by the module; False when that cannot be."""


def can_be_heard(media: Plays, codec: LegCodec) -> bool:
    """Whether the call may be listened to without harm; waits until it plays in another way where
    it must. False when it cannot."""
    if codec.codec.upper() != LOCKING or not _by_unicast(media):
        return True
    until = time.monotonic() + LEAVES_WITHIN_S
    leaves = media.leave_unicast()
    while leaves and _by_unicast(media) and time.monotonic() < until:
        gevent.sleep(LOOK_S)
    if _by_unicast(media):
        return False
    gevent.sleep(QUEUE_S)
    return True


def is_listened_to(leg: CallLeg) -> bool:
    """Whether somebody listens to a channel of L16 that comes to us; of another codec it does not
    matter."""
    if leg.codec.codec.upper() != LOCKING:
        return False
    return Application.EAVESDROP.value in leg.esl.api("uuid_buglist", leg.uuid, check=False)


def _by_unicast(media: Plays) -> bool:
    return media.choice.mode is PlayoutMode.UNICAST


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
