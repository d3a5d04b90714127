"""The life of one call, as a table."""

from __future__ import annotations

import enum

from bridge.state_table import StateTable


class CallState(enum.Enum):
    """Where a call stands."""

    CONNECTING = "connecting"
    """Event Socket connected, channel data awaited."""
    ROUTING = "routing"
    PREPARING = "preparing"
    """Provider being connected while the caller hears ring-back."""
    ANSWERING = "answering"
    """`answer` sent, media being started."""
    TALKING = "talking"
    HELD = "held"
    """The caller hears music; somebody is being asked to take the call."""
    AWAY = "away"
    """The caller talks with a human; our socket has left."""
    RETURNING = "returning"
    """The human has left, and the caller is at our door, of this worker or of another."""
    HANDED_BACK = "handed_back"
    """The dialplan has the call again; our socket is leaving."""
    CLOSING = "closing"
    """We or the caller are hanging up."""
    ENDED = "ended"


class CallEvent(enum.Enum):
    """What moves a call."""

    CHANNEL_DATA = "channel_data"
    ACCEPTED = "accepted"
    PREPARED = "prepared"
    MEDIA_STARTED = "media_started"
    HOLD = "hold"
    RESUME = "resume"
    JOINED = "joined"
    CAME_BACK = "came_back"
    HAND_BACK = "hand_back"
    """Passed on, not ours, or cannot be served: the call is with FreeSWITCH's dialplan."""
    CLOSE = "close"
    GONE = "gone"
    """Caller hung up, or the Event Socket ended."""
    DONE = "done"


_S, _E = CallState, CallEvent

_LEAVE = {_E.HAND_BACK: _S.HANDED_BACK, _E.CLOSE: _S.CLOSING, _E.GONE: _S.CLOSING}

CALL_TABLE = StateTable[CallState, CallEvent](
    _S.CONNECTING,
    {
        _S.CONNECTING: {_E.CHANNEL_DATA: _S.ROUTING, _E.GONE: _S.CLOSING},
        _S.ROUTING: {_E.ACCEPTED: _S.PREPARING, _E.CAME_BACK: _S.RETURNING, **_LEAVE},
        _S.PREPARING: {_E.PREPARED: _S.ANSWERING, **_LEAVE},
        _S.ANSWERING: {_E.MEDIA_STARTED: _S.TALKING, **_LEAVE},
        _S.TALKING: {_E.HOLD: _S.HELD, **_LEAVE},
        _S.HELD: {_E.RESUME: _S.TALKING, _E.JOINED: _S.AWAY, **_LEAVE},
        _S.AWAY: {_E.GONE: _S.AWAY, _E.DONE: _S.ENDED},
        _S.RETURNING: {_E.MEDIA_STARTED: _S.TALKING, **_LEAVE},
        _S.HANDED_BACK: {_E.GONE: _S.HANDED_BACK, _E.DONE: _S.ENDED},
        _S.CLOSING: {_E.GONE: _S.CLOSING, _E.CLOSE: _S.CLOSING, _E.DONE: _S.ENDED},
        _S.ENDED: {},
    },
)

MAY_START_MEDIA = frozenset({CallState.ANSWERING, CallState.RETURNING, CallState.TALKING})
"""`unicast` on a channel without media crashes FreeSWITCH 1.11 (null read codec in
`switch_ivr_activate_unicast`, switch_ivr.c): it is sent in these states only, and after
CHANNEL_ANSWER has been seen."""
