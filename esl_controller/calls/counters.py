"""What one conversation's audio path counts, in the names of the metrics."""

from __future__ import annotations

from collections.abc import Callable

from bridge.playout.stream import PlayoutStream
from bridge.session.session import Session
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics, Reading

CALLER_IN = (m.AUDIO_CHUNKS, ("caller_in",))
PROVIDER_IN = (m.AUDIO_CHUNKS, ("provider_in",))
CALLER_OUT = (m.AUDIO_CHUNKS, ("caller_out",))
UNDERRUNS = (m.UNDERRUNS, ())
BEFORE_PROVIDER = (m.DROPPED_BYTES, ("before_provider",))
BEFORE_LINE = (m.DROPPED_BYTES, ("before_line",))
ANSWER = (m.DROPPED_BYTES, ("answer",))
"""The same for all calls: a second's reading would else make seven."""

End = Callable[[], None]
"""Reads a last time and ends the reading."""


def follow_session(metrics: Metrics, session: Session) -> End:
    """Count one conversation's audio; end it with the session."""
    playouts: list[PlayoutStream] = []
    """Every line the session had; those closed keep their counts here."""

    def read() -> Reading:
        current = session.line.downlink.playout
        if current is not None and current not in playouts:
            playouts.append(current)
        sent = [playout.counters for playout in playouts]
        downlink, uplink = session.line.downlink.counters, session.line.uplink.counters
        return {
            CALLER_IN: uplink.chunks,
            PROVIDER_IN: downlink.chunks,
            CALLER_OUT: sum(one.frames_sent for one in sent),
            UNDERRUNS: sum(one.underruns for one in sent),
            BEFORE_PROVIDER: uplink.held_dropped_bytes,
            BEFORE_LINE: downlink.early_dropped_bytes,
            ANSWER: sum(one.dropped_bytes for one in sent),
        }

    return metrics.follow(read)
