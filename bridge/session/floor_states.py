"""Who has the floor in a conversation and whether anything is due to the caller, as a table."""

from __future__ import annotations

import enum

from bridge.state_table import StateTable


class FloorState(enum.Enum):
    """Who has the floor. In THINKING and SPEAKING the caller is owed more than is here."""

    LISTENING = "listening"
    """Nobody speaks and nothing is due; the caller may speak."""
    CALLER_SPEAKING = "caller_speaking"
    THINKING = "thinking"
    """An answer is due and none of it is here."""
    SPEAKING = "speaking"
    """The agent is heard, and more is due."""
    DRAINING = "draining"
    """The agent is heard; all there is has been received."""


class FloorEvent(enum.Enum):
    """What moves the floor."""

    CALLER_STARTED = "caller_started"
    """The caller takes the floor."""
    CALLER_STOPPED = "caller_stopped"
    """The caller's turn ended, and an answer is due."""
    CALLER_QUIET = "caller_quiet"
    """The caller's turn ended, and nothing is due: noise, or a model that may stay silent."""
    ASKED = "asked"
    """We asked for an answer."""
    RESPONSE_STARTED = "response_started"
    AUDIO = "audio"
    """Audio that may be played."""
    RESPONSE_DONE = "response_done"
    """A response is complete, and the caller has been answered."""
    MORE_DUE = "more_due"
    """Another response must follow: functions were called, or this one could not be heard."""
    CUT = "cut"
    """The agent was cut off by the caller."""
    LOCAL_AUDIO = "local_audio"
    """We play something that no provider made."""
    DRAINED = "drained"
    """All there is has been heard."""
    BROKEN_OFF = "broken_off"
    """Caller and agent no longer hear each other: the line broke, or one of them is on hold."""
    PROVIDER_LOST = "provider_lost"
    """Somebody else will have to give what is due."""


_S, _E = FloorState, FloorEvent

FLOOR_TABLE = StateTable[FloorState, FloorEvent](
    _S.LISTENING,
    {
        _S.LISTENING: {
            _E.CALLER_STARTED: _S.CALLER_SPEAKING,
            _E.CALLER_STOPPED: _S.THINKING,
            _E.CALLER_QUIET: _S.LISTENING,
            _E.ASKED: _S.THINKING,
            _E.RESPONSE_STARTED: _S.THINKING,
            _E.RESPONSE_DONE: _S.LISTENING,
            _E.MORE_DUE: _S.THINKING,
            _E.CUT: _S.LISTENING,
            _E.LOCAL_AUDIO: _S.DRAINING,
            _E.DRAINED: _S.LISTENING,
            _E.BROKEN_OFF: _S.LISTENING,
            _E.PROVIDER_LOST: _S.LISTENING,
        },
        _S.CALLER_SPEAKING: {
            _E.CALLER_STARTED: _S.CALLER_SPEAKING,
            _E.CALLER_STOPPED: _S.THINKING,
            _E.CALLER_QUIET: _S.LISTENING,
            _E.ASKED: _S.THINKING,
            _E.RESPONSE_STARTED: _S.THINKING,
            _E.RESPONSE_DONE: _S.CALLER_SPEAKING,
            _E.MORE_DUE: _S.CALLER_SPEAKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.DRAINING,
            _E.DRAINED: _S.CALLER_SPEAKING,
            _E.BROKEN_OFF: _S.LISTENING,
            _E.PROVIDER_LOST: _S.CALLER_SPEAKING,
        },
        _S.THINKING: {
            _E.CALLER_STARTED: _S.CALLER_SPEAKING,
            _E.CALLER_STOPPED: _S.THINKING,
            _E.CALLER_QUIET: _S.THINKING,
            _E.ASKED: _S.THINKING,
            _E.RESPONSE_STARTED: _S.THINKING,
            _E.AUDIO: _S.SPEAKING,
            _E.RESPONSE_DONE: _S.LISTENING,
            _E.MORE_DUE: _S.THINKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.SPEAKING,
            _E.DRAINED: _S.THINKING,
            _E.BROKEN_OFF: _S.LISTENING,
            _E.PROVIDER_LOST: _S.THINKING,
        },
        _S.SPEAKING: {
            _E.CALLER_STARTED: _S.CALLER_SPEAKING,
            _E.CALLER_STOPPED: _S.SPEAKING,
            _E.CALLER_QUIET: _S.SPEAKING,
            _E.ASKED: _S.SPEAKING,
            _E.RESPONSE_STARTED: _S.SPEAKING,
            _E.AUDIO: _S.SPEAKING,
            _E.RESPONSE_DONE: _S.DRAINING,
            _E.MORE_DUE: _S.SPEAKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.SPEAKING,
            _E.DRAINED: _S.THINKING,
            _E.BROKEN_OFF: _S.LISTENING,
            _E.PROVIDER_LOST: _S.SPEAKING,
        },
        _S.DRAINING: {
            _E.CALLER_STARTED: _S.CALLER_SPEAKING,
            _E.CALLER_STOPPED: _S.DRAINING,
            _E.CALLER_QUIET: _S.DRAINING,
            _E.ASKED: _S.SPEAKING,
            _E.RESPONSE_STARTED: _S.SPEAKING,
            _E.RESPONSE_DONE: _S.DRAINING,
            _E.MORE_DUE: _S.SPEAKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.DRAINING,
            _E.DRAINED: _S.LISTENING,
            _E.BROKEN_OFF: _S.LISTENING,
            _E.PROVIDER_LOST: _S.DRAINING,
        },
    },
)
"""Audio comes only where an answer is due: elsewhere it raises `LocalProtocolError`."""
