"""The life of one bridge session, as a table."""

from __future__ import annotations

import enum

from bridge.state_table import StateTable


class SessionState(enum.Enum):
    """Where a session stands: which of provider and caller's media it has."""

    PREPARING = "preparing"
    """Provider being connected, no media yet (the caller hears ring-back)."""
    READY = "ready"
    """Provider there, media not."""
    WAITING = "waiting"
    """Media there, provider not: answered at the ceiling, or provider being replaced."""
    TALKING = "talking"
    """Both there."""
    HELD = "held"
    """Caller and agent are kept apart: neither hears the other, and no timer of theirs runs."""
    CLOSING = "closing"
    """Last words being played; no further turn is taken."""
    ENDED = "ended"


class SessionEvent(enum.Enum):
    """What moves a session."""

    PROVIDER_READY = "provider_ready"
    PROVIDER_LOST = "provider_lost"
    MEDIA_JOINED = "media_joined"
    MEDIA_LOST = "media_lost"
    HOLD = "hold"
    RESUME = "resume"
    """The hold is over; what is there is told by the events that follow at once."""
    CLOSE = "close"
    """Finish politely: play what is queued, then end."""
    END = "end"
    """End now."""


_S, _E = SessionState, SessionEvent

SESSION_TABLE = StateTable[SessionState, SessionEvent](
    _S.PREPARING,
    {
        _S.PREPARING: {
            _E.PROVIDER_READY: _S.READY,
            _E.PROVIDER_LOST: _S.PREPARING,
            _E.MEDIA_JOINED: _S.WAITING,
            _E.HOLD: _S.HELD,
            _E.CLOSE: _S.ENDED,
            _E.END: _S.ENDED,
        },
        _S.READY: {
            _E.PROVIDER_LOST: _S.PREPARING,
            _E.MEDIA_JOINED: _S.TALKING,
            _E.HOLD: _S.HELD,
            _E.CLOSE: _S.ENDED,
            _E.END: _S.ENDED,
        },
        _S.WAITING: {
            _E.PROVIDER_READY: _S.TALKING,
            _E.PROVIDER_LOST: _S.WAITING,
            _E.MEDIA_LOST: _S.PREPARING,
            _E.HOLD: _S.HELD,
            _E.CLOSE: _S.CLOSING,
            _E.END: _S.ENDED,
        },
        _S.TALKING: {
            _E.PROVIDER_LOST: _S.WAITING,
            _E.MEDIA_LOST: _S.READY,
            _E.HOLD: _S.HELD,
            _E.CLOSE: _S.CLOSING,
            _E.END: _S.ENDED,
        },
        _S.HELD: {
            _E.PROVIDER_READY: _S.HELD,
            _E.PROVIDER_LOST: _S.HELD,
            _E.MEDIA_JOINED: _S.HELD,
            _E.MEDIA_LOST: _S.HELD,
            _E.RESUME: _S.WAITING,
            _E.CLOSE: _S.CLOSING,
            _E.END: _S.ENDED,
        },
        _S.CLOSING: {
            _E.PROVIDER_READY: _S.CLOSING,
            _E.PROVIDER_LOST: _S.CLOSING,
            _E.MEDIA_LOST: _S.ENDED,
            _E.CLOSE: _S.CLOSING,
            _E.END: _S.ENDED,
        },
        _S.ENDED: {},
    },
)
