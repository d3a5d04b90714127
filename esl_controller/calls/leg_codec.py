"""Which codec the caller's leg has, or will have, and where the leg is. Pure."""

from __future__ import annotations

import re

from bridge.audio.formats import FRAME_MS
from bridge.session.media_plan import Leg
from esl_controller.esl.events import ChannelData, Event

_CODEC = re.compile(r"(?:\w+\.)?([A-Za-z0-9-]+)@(\d+)h(?:@(\d+)i)?")
_SAMPLING_HZ = {"G722": 16000}
"""Codecs whose RTP clock is not their sampling rate (RFC 3551 4.5.2)."""
PTIMES_MS = range(10, 61)
"""Packet times taken at their word. FreeSWITCH knows longer ones, up to 120 ms, for codecs and
trunks that save bandwidth; a datagram of those would not fit a frame of every rate."""
DEFAULT_LEG = Leg("PCMU", 8000)
MAX_AGE_S = 0.3
"""More than that an event is not believed to be late: FreeSWITCH's clock may be another one."""
LAST_CODEC = "rtp_last_audio_codec_string"
"""Channel variable that FreeSWITCH sets anew with each change of codec or packet time, its own
corrections included (switch_core_media.c, switch_core_media_set_codec)."""


def parse_codec(text: str) -> Leg | None:
    """`CORE_PCM_MODULE.PCMU@8000h@20i@64000b` or `PCMU@8000h@20i@1c`; None for anything else."""
    found = _CODEC.match(text.strip())
    if found is None or int(found[2]) <= 0:
        return None
    rate_hz = _SAMPLING_HZ.get(found[1].upper(), int(found[2]))
    return Leg(found[1], rate_hz, _ptime(found[3] or ""))


def packets_may_differ(leg: Leg) -> bool:
    """Whether FreeSWITCH may write other packets than the telephone sends: it corrects its own only
    for codecs of a constant rate (switch_core_media.c, SCMF_AUTOFIX_TIMING), and Opus has none."""
    return leg.codec.lower() == "opus"


def offered_leg(channel: ChannelData) -> Leg:
    """The leg before the answer: what is negotiated already, else the first codec offered.

    `variable_ep_codec_string` is the caller's offer as mod_sofia writes it (sofia_glue.c).
    """
    offered = parse_codec(channel.variable("ep_codec_string")) or DEFAULT_LEG
    codec, rate = channel.get("Channel-Read-Codec-Name"), channel.get("Channel-Read-Codec-Rate")
    if codec and rate.isdigit() and int(rate) > 0:
        ptime = channel.variable("rtp_use_codec_ptime")
        return Leg(codec, int(rate), _ptime(ptime, offered.ptime_ms))
    return offered


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
    ptime_ms = _ptime(event.variable("rtp_use_codec_ptime"), expected.ptime_ms)
    if codec and rate.isdigit() and int(rate) > 0:
        return Leg(codec, int(rate), ptime_ms)
    return Leg(expected.codec, expected.rate_hz, ptime_ms)


def _ptime(text: str, otherwise: int = FRAME_MS) -> int:
    return int(text) if text.isdigit() and int(text) in PTIMES_MS else otherwise


def event_age_s(event: Event, now_s: float) -> float:
    """How long ago FreeSWITCH raised it, 0 to `MAX_AGE_S`; `now_s` is Unix time."""
    stamp = event.get("Event-Date-Timestamp")
    age_s = now_s - int(stamp) / 1e6 if stamp.isdigit() else 0.0
    return min(max(age_s, 0.0), MAX_AGE_S)


def moved_on(channel: ChannelData) -> str:
    """Where the channel is, if no longer at `socket`: a worker that hung while FreeSWITCH waited
    for it finds callers whom the dialplan's guard has sent on."""
    runs = channel.variable("current_application")
    return f"it runs {runs}" if runs not in ("", "socket") else ""
