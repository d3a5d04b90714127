"""Which codec the caller's leg has, or will have."""

from __future__ import annotations

import re

from bridge.session.media_plan import Leg
from esl_controller.esl.events import ChannelData, Event

_OFFER = re.compile(r"(?:[A-Za-z0-9_]+\.)?([A-Za-z0-9]+)@(\d+)h")
DEFAULT_LEG = Leg("PCMU", 8000)


def offered_leg(channel: ChannelData) -> Leg:
    """The leg before the answer: what is negotiated already, else the first codec offered.

    `variable_ep_codec_string` is the caller's offer as mod_sofia writes it:
    `CORE_PCM_MODULE.PCMU@8000h@20i@64000b,…` (sofia_glue.c).
    """
    codec, rate = channel.get("Channel-Read-Codec-Name"), channel.get("Channel-Read-Codec-Rate")
    if codec and rate.isdigit() and int(rate) > 0:
        return Leg(codec, int(rate))
    offer = _OFFER.match(channel.variable("ep_codec_string"))
    return Leg(offer[1], int(offer[2])) if offer else DEFAULT_LEG


def has_idle_silence(channel: ChannelData) -> bool:
    """Whether the channel sends silence while nothing plays, or can still be told to.

    FreeSWITCH reads `send_silence_when_idle` once, when it first parks a channel with media
    (switch_ivr.c, switch_ivr_park): for one that came to us with media it is too late.
    """
    if channel.variable("send_silence_when_idle") not in ("", "0"):
        return True
    return channel.get("Answer-State") not in ("answered", "early")


def answered_leg(event: Event, expected: Leg) -> Leg:
    """The leg as CHANNEL_ANSWER tells it, `expected` where it does not."""
    codec = event.get("Channel-Read-Codec-Name") or event.variable("read_codec")
    rate = event.get("Channel-Read-Codec-Rate") or event.variable("read_rate")
    return Leg(codec, int(rate)) if codec and rate.isdigit() and int(rate) > 0 else expected
