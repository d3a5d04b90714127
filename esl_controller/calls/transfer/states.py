"""One attempt to connect a caller with a human, as a table.

Why an attempt ends is carried beside the state, as an `Outcome`.
"""

from __future__ import annotations

import enum

from bridge.state_table import StateTable


class TransferState(enum.Enum):
    """Where an attempt stands."""

    ANNOUNCING = "announcing"
    """The caller hears whom we ring."""
    DIALLING = "dialling"
    """The caller hears music; `originate` is out."""
    BRIEFING = "briefing"
    """The human has answered and hears, alone, who calls and why."""
    JOINING = "joining"
    """Media of both stopped, `uuid_bridge` sent."""
    JOINED = "joined"
    """They talk; our sockets have left."""
    CANCELLING = "cancelling"
    """The human's leg is being ended."""
    BACK = "back"
    """The caller is with the AI, or about to be."""
    HANDED_OVER = "handed_over"
    """They talk, and nothing of it comes back to us."""
    GONE = "gone"
    """The caller hung up."""


class TransferEvent(enum.Enum):
    """What moves an attempt."""

    HEARD = "heard"
    """The caller has heard the announcement."""
    LEG_CAME = "leg_came"
    """The human's leg is at our door: answered."""
    DIAL_FAILED = "dial_failed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    VERDICT_LATE = "verdict_late"
    LEG_GONE = "leg_gone"
    """The human hung up, or the Event Socket of his leg ended."""
    BRIDGED = "bridged"
    BRIDGE_REFUSED = "bridge_refused"
    CALLED_OFF = "called_off"
    CALLER_GONE = "caller_gone"
    CAME_BACK = "came_back"
    """The human has left, and the caller is at our door."""
    KEPT = "kept"
    """He will not come back: no return is wanted, or he hung up."""
    ENDED = "ended"
    """Of the human's leg nothing is left, and the caller is still there."""
    ENDED_ALONE = "ended_alone"
    """Of the human's leg nothing is left, and the caller has gone."""


_S, _E = TransferState, TransferEvent

_LATE = {_E.ACCEPTED: _S.CANCELLING, _E.DECLINED: _S.CANCELLING, _E.VERDICT_LATE: _S.CANCELLING}
"""What a human does whose leg is being ended."""

TRANSFER_TABLE = StateTable[TransferState, TransferEvent](
    _S.ANNOUNCING,
    {
        _S.ANNOUNCING: {
            _E.HEARD: _S.DIALLING,
            _E.CALLED_OFF: _S.BACK,
            _E.CALLER_GONE: _S.GONE,
        },
        _S.DIALLING: {
            _E.LEG_CAME: _S.BRIEFING,
            _E.DIAL_FAILED: _S.BACK,
            _E.CALLED_OFF: _S.CANCELLING,
            _E.CALLER_GONE: _S.CANCELLING,
        },
        _S.BRIEFING: {
            _E.ACCEPTED: _S.JOINING,
            _E.DECLINED: _S.CANCELLING,
            _E.VERDICT_LATE: _S.CANCELLING,
            _E.LEG_GONE: _S.BACK,
            _E.CALLED_OFF: _S.CANCELLING,
            _E.CALLER_GONE: _S.CANCELLING,
        },
        _S.JOINING: {
            _E.ACCEPTED: _S.JOINING,
            _E.DECLINED: _S.JOINING,
            _E.LEG_GONE: _S.JOINING,  # the answer to `uuid_bridge` tells what is
            _E.BRIDGED: _S.JOINED,
            _E.BRIDGE_REFUSED: _S.CANCELLING,
            _E.CALLED_OFF: _S.JOINING,  # too late
            _E.CALLER_GONE: _S.CANCELLING,
        },
        _S.JOINED: {
            _E.LEG_GONE: _S.JOINED,
            _E.CALLER_GONE: _S.GONE,
            _E.CAME_BACK: _S.BACK,
            _E.KEPT: _S.HANDED_OVER,
        },
        _S.CANCELLING: {
            **_LATE,
            _E.LEG_CAME: _S.CANCELLING,  # answered in the moment it was cancelled: hung up
            _E.DIAL_FAILED: _S.CANCELLING,
            _E.LEG_GONE: _S.CANCELLING,
            _E.CALLED_OFF: _S.CANCELLING,
            _E.CALLER_GONE: _S.CANCELLING,
            _E.ENDED: _S.BACK,
            _E.ENDED_ALONE: _S.GONE,
        },
        _S.BACK: {},
        _S.HANDED_OVER: {},
        _S.GONE: {},
    },
)

FINAL = frozenset({_S.BACK, _S.HANDED_OVER, _S.GONE})
