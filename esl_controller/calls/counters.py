"""What one conversation's audio path counts, in the names of the metrics."""

from __future__ import annotations

from collections.abc import Callable

from bridge.playout.stream import PlayoutStream
from bridge.session.session import Session
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics, Series

_SERIES: tuple[Series, ...] = (
    (m.AUDIO_CHUNKS, ("caller_in",)),
    (m.AUDIO_CHUNKS, ("provider_in",)),
    (m.AUDIO_CHUNKS, ("caller_out",)),
    (m.UNDERRUNS, ()),
    (m.DROPPED_BYTES, ("before_provider",)),
    (m.DROPPED_BYTES, ("before_line",)),
    (m.DROPPED_BYTES, ("answer",)),
)

End = Callable[[], None]
"""Reads a last time and ends the reading."""


def follow_session(metrics: Metrics, session: Session) -> End:
    """Count one conversation's audio; end it with the session."""
    playouts: list[PlayoutStream] = []
    """Every line the session had; those closed keep their counts here."""

    def read() -> tuple[float, ...]:
        current = session.line.downlink.playout
        if current is not None and current not in playouts:
            playouts.append(current)
        sent = [playout.counters for playout in playouts]
        downlink, uplink = session.line.downlink.counters, session.line.uplink.counters
        return (
            uplink.chunks,
            downlink.chunks,
            sum([one.frames_sent for one in sent]),
            sum([one.underruns for one in sent]),
            uplink.held_dropped_bytes,
            downlink.early_dropped_bytes,
            sum([one.dropped_bytes for one in sent]),
        )

    return metrics.follow_all(_SERIES, read)
