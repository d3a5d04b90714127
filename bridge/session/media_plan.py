"""The formats of a call's audio, chosen once, so that as little as possible is converted."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bridge.audio.formats import FRAME_MS, L16_8K, PCMA_8K, PCMU_8K, AudioFormat, Encoding
from bridge.errors import LocalProtocolError
from bridge.playout.editions import CHANNEL, STREAM, way_of
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.providers.base import Capabilities

STREAM_RATES_HZ = (8000, 16000, 24000, 32000, 48000)
"""Rates `uuid_audio_stream start` takes: multiples of 8000 (mod_audio_stream.c)."""
FALLBACK_RATE_HZ = 16000
RAW_RATES_HZ = (8000, 16000)
"""Rates of `streamAudio` `raw` that modules play."""

_G711 = {"PCMU": PCMU_8K, "PCMA": PCMA_8K}


class MediaPath(enum.Enum):
    """How the caller's audio comes to us."""

    STREAM = "stream"
    """mod_audio_stream (or a fork): L16 at the rate we ask for."""
    UNICAST = "unicast"
    """The other direction of Event Socket `unicast`: as it is on the channel."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The caller's channel, as FreeSWITCH names it."""

    codec: str
    """`variable_read_codec`: PCMU, PCMA, G722, opus, L16 …"""
    rate_hz: int
    """`variable_read_rate`: 8000, 16000 for G722, 48000 for opus."""
    ptime_ms: int = FRAME_MS
    """Packet time (RFC 8866 `a=ptime`), `variable_rtp_use_codec_ptime`: what FreeSWITCH reads and
    writes at once on this channel."""


@dataclass(frozen=True, slots=True)
class PlayoutChoice:
    """How answers are played."""

    mode: PlayoutMode
    flavour: Flavour = Flavour.OPEN


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """The formats of a call's own side; the provider's are its own, and may change."""

    stream_format: AudioFormat
    """The caller's audio as it reaches us; its rate is what `uuid_audio_stream start` is given."""
    playout_format: AudioFormat
    ptime_ms: int = FRAME_MS
    """Packet time of the channel."""


def provider_formats(leg: Leg, capabilities: Capabilities) -> tuple[AudioFormat, AudioFormat]:
    """What a provider is asked to take and to give on this call.

    A G.711 leg and a provider that speaks G.711 (or L16 at 8 kHz) are joined without resampling.

    Raises:
        LocalProtocolError: the provider names no format.
    """
    return _provider_format(leg, capabilities.audio_in), _provider_format(
        leg, capabilities.audio_out
    )


def choose_formats(
    leg: Leg,
    provider_rates_hz: Sequence[int],
    playout: PlayoutChoice,
    *,
    media: MediaPath = MediaPath.STREAM,
    stream_rates_hz: Collection[int] = STREAM_RATES_HZ,
    prefer_provider_rate: bool = True,
) -> MediaPlan:
    """Choose the formats of a call.

    FreeSWITCH is given L16 in any case: see `bridge.playout.unicast`. With `prefer_provider_rate`
    the stream is asked for at the rate the first provider takes, so that FreeSWITCH resamples once
    and we do not; but at the channel's rate, whatever `stream_rates_hz` says, where packets are not
    20 ms.

    Args:
        provider_rates_hz: rates the provider is likely to take, best first; a hint.

    Raises:
        LocalProtocolError: the stream has no rate.
    """
    if media is MediaPath.UNICAST and playout.mode is not PlayoutMode.UNICAST:
        raise LocalProtocolError("unicast carries both directions or none")
    channel = AudioFormat(Encoding.L16, leg.rate_hz)
    stream = channel
    if media is MediaPath.STREAM:
        rate_hz = _stream_rate(
            leg, provider_rates_hz, playout, stream_rates_hz, prefer_provider_rate
        )
        stream = AudioFormat(Encoding.L16, rate_hz)
    return MediaPlan(stream, _playout_format(channel, stream, playout), leg.ptime_ms)


def _provider_format(leg: Leg, offered: Sequence[AudioFormat]) -> AudioFormat:
    """The provider's format that fits the leg best."""
    if not offered:
        raise LocalProtocolError("the provider names no audio format")
    for wanted in _by_preference(leg):
        if wanted in offered:
            return wanted
    linear = [fmt for fmt in offered if fmt.encoding is Encoding.L16]
    return (linear or list(offered))[0]


def _by_preference(leg: Leg) -> tuple[AudioFormat, ...]:
    """Formats that need no resampling for this leg, best first."""
    same_rate = AudioFormat(Encoding.L16, leg.rate_hz)
    if leg.rate_hz != L16_8K.rate_hz:
        return (same_rate,)
    own = _G711.get(leg.codec)
    other = PCMU_8K if own is PCMA_8K else PCMA_8K
    return (own, same_rate, other) if own else (same_rate, PCMU_8K, PCMA_8K)


def _stream_rate(
    leg: Leg,
    provider_rates_hz: Sequence[int],
    playout: PlayoutChoice,
    possible: Collection[int],
    prefer_provider_rate: bool,
) -> int:
    if leg.ptime_ms != FRAME_MS and leg.rate_hz in STREAM_RATES_HZ:
        # Asked for another rate than the channel's, mod_audio_stream resamples 20 ms of each
        # packet and drops the rest (observed at 30 and 40 ms).
        return leg.rate_hz
    wanted = [FALLBACK_RATE_HZ, *sorted(possible)]
    wanted[:0] = [
        rate_hz for rate_hz in provider_rates_hz if prefer_provider_rate or rate_hz == leg.rate_hz
    ]
    if _plays_at_stream_rate(playout):
        wanted.insert(0, leg.rate_hz if playout.mode is PlayoutMode.BINARY else _raw_rate(leg))
    for rate_hz in wanted:
        if rate_hz in possible:
            return rate_hz
    raise LocalProtocolError("no rate is possible for the stream")


def _plays_at_stream_rate(playout: PlayoutChoice) -> bool:
    """Whether the module plays at the rate given to `start`, and well only near the channel's."""
    way = way_of(playout.mode, playout.flavour)
    return way is not None and way.rates_hz == STREAM


def _raw_rate(leg: Leg) -> int:
    return leg.rate_hz if leg.rate_hz in RAW_RATES_HZ else FALLBACK_RATE_HZ


def _playout_format(
    channel: AudioFormat, stream: AudioFormat, playout: PlayoutChoice
) -> AudioFormat:
    """The channel's own rate, except where a module knows others only."""
    way = way_of(playout.mode, playout.flavour)
    if playout.mode is PlayoutMode.UNICAST or way is None or way.rates_hz == CHANNEL:
        return channel
    if isinstance(way.rates_hz, str):
        return stream
    rate_hz = channel.rate_hz if channel.rate_hz in way.rates_hz else way.rates_hz[-1]
    return AudioFormat(Encoding.L16, rate_hz)
