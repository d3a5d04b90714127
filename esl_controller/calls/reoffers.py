"""Notices a re-INVITE that changes the codec, while FreeSWITCH has yet to set it.

Its reply sets the number of outgoing packets to the new codec's (switch_core_media.c,
switch_core_media_negotiate_sdp: `switch_rtp_set_default_payload`); the codec itself is set when the
next packet has been read (reset_codec) and the lock of the write codec is free. What is written
between is noise in the caller's ear: the old codec under the number of the new one. As a rule that
is one packet; but where datagrams of `unicast` wait for their turn the thread that writes them
takes the lock again and again, and it was half a second (observed).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bridge.session.media_plan import Leg
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.leg import REINVITE
from esl_controller.calls.leg_codec import LAST_CODEC, event_age_s, parse_codec
from esl_controller.esl.events import Event
from esl_controller.esl.session import ControllerSession

BEFORE_S = 0.01
"""So long before the event the number is set: between them are the rest of the SDP and the reply
(sofia.c, sofia_handle_sip_i_state)."""
QUESTION_TIMEOUT_S = 2.0
_NUMBER = "rtp_audio_recv_pt"
"""Channel variable that each negotiation sets to the number of its codec."""


class Reoffers:
    """One leg's."""

    def __init__(
        self, esl: ControllerSession, outbox: Outbox, on_other: Callable[[float], None]
    ) -> None:
        """`on_other` is told since when, in monotonic seconds, the number may be another."""
        self._esl, self._outbox, self._on_other = esl, outbox, on_other
        self._number = ""
        self._stops = [esl.on(REINVITE, self._on_reinvite)]

    def begin(self) -> None:
        """The channel has media: note what number it has."""
        self._number = self._ask()

    def close(self) -> None:
        """Hear no more of the leg."""
        while self._stops:  # let go of: no cycle is left for the collector
            self._stops.pop()()
        self._on_other = _nobody

    def _on_reinvite(self, event: Event) -> None:
        at = time.monotonic() - event_age_s(event, time.time()) - BEFORE_S
        self._outbox.post(lambda: self._compare(at))

    def _compare(self, at: float) -> None:
        before, self._number = self._number, self._ask()
        if self._number != before:
            self._on_other(at)

    def _ask(self) -> str:
        return self._esl.api("uuid_getvar", f"{self._esl.uuid} {_NUMBER}", check=False).strip()


def codec_now(esl: ControllerSession) -> Leg | None:
    """What FreeSWITCH has set last; None where it does not say."""
    question = f"{esl.uuid} {LAST_CODEC}"
    return parse_codec(esl.api("uuid_getvar", question, QUESTION_TIMEOUT_S, check=False))


def will_change(esl: ControllerSession, proven: Leg) -> bool:
    """Whether FreeSWITCH will set its codec anew in a moment: it believes in packets of another
    length than the telephone's first one had, which it corrects within seven of them
    (switch_core_media.c, MAX_MISMATCH_FRAMES).

    That ends `unicast`, and a datagram that is being written at that moment leaves the call in
    FreeSWITCH for ever: the call's thread waits for the end of `unicast`'s, and holds the lock that
    one waits for (switch_core_media_set_codec, switch_ivr_deactivate_unicast, and
    switch_core_session_write_frame behind its `switch_mutex_trylock`).
    """
    believed = codec_now(esl)
    return believed is not None and believed.ptime_ms != proven.ptime_ms


def _nobody(_: float) -> None:
    """Hears of a leg that is left."""
