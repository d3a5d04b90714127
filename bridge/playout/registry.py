"""From the names in the settings to a playout."""

from __future__ import annotations

from bridge.audio.formats import FRAME_MS, AudioFormat
from bridge.errors import LocalProtocolError
from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.binary import BinaryPlayout
from bridge.playout.editions import EDITIONS, way_of
from bridge.playout.file import DEFAULT_LEAD_MS as FILE_LEAD_MS
from bridge.playout.file import FilePlayout
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.playout.stream_audio import StreamAudioPlayout
from bridge.playout.ticks import Ticks
from bridge.playout.unicast import UnicastPlayout


def make_playout(
    mode: PlayoutMode,
    flavour: Flavour,
    audio_format: AudioFormat,
    sinks: PlayoutSinks,
    *,
    ptime_ms: int = FRAME_MS,
    lead_ms: int | None = None,
    ticks: Ticks | None = None,
) -> Playout:
    """Make the playout for a call whose channel has packets of `ptime_ms`.

    `lead_ms` overrides the playout's own lead; `ticks` are those of the line of `unicast`.

    Raises:
        LocalProtocolError: the module cannot be used in that mode.
    """
    if mode is PlayoutMode.UNICAST:
        return UnicastPlayout(audio_format, sinks, ptime_ms=ptime_ms, lead_ms=lead_ms, ticks=ticks)
    way = way_of(mode, flavour)
    if way is None:
        raise LocalProtocolError(f"{flavour.value} has no playback by {mode.value}")
    if mode is PlayoutMode.FILE:
        lead = FILE_LEAD_MS if lead_ms is None else lead_ms
        return FilePlayout(audio_format, sinks, lead, ptime_ms=ptime_ms)
    if lead_ms is None and not EDITIONS[flavour].writes_frames:
        # It takes a whole packet at once, and fills up with silence what is not there yet.
        lead_ms = way.lead_ms + -(-ptime_ms // FRAME_MS) * FRAME_MS - FRAME_MS
    if mode is PlayoutMode.BINARY:
        return BinaryPlayout(way, audio_format, sinks, lead_ms)
    return StreamAudioPlayout(way, audio_format, sinks, lead_ms)
