"""Who has the floor in a conversation, as a table."""

from __future__ import annotations

import enum

from bridge.state_table import StateTable


class TurnState(enum.Enum):
    """Who has the floor."""

    LISTENING = "listening"
    """Nobody speaks; the caller may."""
    CALLER_SPEAKING = "caller_speaking"
    THINKING = "thinking"
    """An answer is expected and none of it is here."""
    SPEAKING = "speaking"
    """The agent is heard, and more of the answer is to come."""
    DRAINING = "draining"
    """The agent is heard; all there is has been received."""


class TurnEvent(enum.Enum):
    """What moves the floor."""

    SPEECH_STARTED = "speech_started"
    """The caller began to speak."""
    SPEECH_STOPPED = "speech_stopped"
    """The caller's turn ended."""
    RESPONSE_AWAITED = "response_awaited"
    """We asked for an answer."""
    RESPONSE_STARTED = "response_started"
    AUDIO = "audio"
    """Audio that may be played."""
    RESPONSE_DONE = "response_done"
    FUNCTIONS_CALLED = "functions_called"
    """A response is done, and another will follow when its functions have answered."""
    CUT = "cut"
    """The provider itself dropped the rest of its answer."""
    LOCAL_AUDIO = "local_audio"
    """We play something that no provider made."""
    DRAINED = "drained"
    """All of it has been heard."""
    PROVIDER_LOST = "provider_lost"


_S, _E = TurnState, TurnEvent

TURN_TABLE = StateTable[TurnState, TurnEvent](
    _S.LISTENING,
    {
        _S.LISTENING: {
            _E.SPEECH_STARTED: _S.CALLER_SPEAKING,
            _E.SPEECH_STOPPED: _S.THINKING,
            _E.RESPONSE_AWAITED: _S.THINKING,
            _E.RESPONSE_STARTED: _S.THINKING,
            _E.RESPONSE_DONE: _S.LISTENING,
            _E.FUNCTIONS_CALLED: _S.THINKING,
            _E.CUT: _S.LISTENING,
            _E.LOCAL_AUDIO: _S.DRAINING,
            _E.DRAINED: _S.LISTENING,
            _E.PROVIDER_LOST: _S.LISTENING,
        },
        _S.CALLER_SPEAKING: {
            _E.SPEECH_STARTED: _S.CALLER_SPEAKING,
            _E.SPEECH_STOPPED: _S.THINKING,
            _E.RESPONSE_AWAITED: _S.THINKING,
            _E.RESPONSE_STARTED: _S.THINKING,
            _E.RESPONSE_DONE: _S.CALLER_SPEAKING,
            _E.FUNCTIONS_CALLED: _S.CALLER_SPEAKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.DRAINING,
            _E.DRAINED: _S.CALLER_SPEAKING,
            _E.PROVIDER_LOST: _S.CALLER_SPEAKING,
        },
        _S.THINKING: {
            _E.SPEECH_STARTED: _S.CALLER_SPEAKING,
            _E.SPEECH_STOPPED: _S.THINKING,
            _E.RESPONSE_AWAITED: _S.THINKING,
            _E.RESPONSE_STARTED: _S.THINKING,
            _E.AUDIO: _S.SPEAKING,
            _E.RESPONSE_DONE: _S.LISTENING,
            _E.FUNCTIONS_CALLED: _S.THINKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.SPEAKING,
            _E.DRAINED: _S.THINKING,
            _E.PROVIDER_LOST: _S.LISTENING,
        },
        _S.SPEAKING: {
            _E.SPEECH_STARTED: _S.CALLER_SPEAKING,
            _E.SPEECH_STOPPED: _S.SPEAKING,
            _E.RESPONSE_AWAITED: _S.SPEAKING,
            _E.RESPONSE_STARTED: _S.SPEAKING,
            _E.AUDIO: _S.SPEAKING,
            _E.RESPONSE_DONE: _S.DRAINING,
            _E.FUNCTIONS_CALLED: _S.SPEAKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.SPEAKING,
            _E.DRAINED: _S.THINKING,
            _E.PROVIDER_LOST: _S.DRAINING,
        },
        _S.DRAINING: {
            _E.SPEECH_STARTED: _S.CALLER_SPEAKING,
            _E.SPEECH_STOPPED: _S.DRAINING,
            _E.RESPONSE_AWAITED: _S.SPEAKING,
            _E.RESPONSE_STARTED: _S.SPEAKING,
            _E.RESPONSE_DONE: _S.DRAINING,
            _E.FUNCTIONS_CALLED: _S.SPEAKING,
            _E.CUT: _S.CALLER_SPEAKING,
            _E.LOCAL_AUDIO: _S.DRAINING,
            _E.DRAINED: _S.LISTENING,
            _E.PROVIDER_LOST: _S.DRAINING,
        },
    },
)
"""Audio comes only where an answer is expected: elsewhere it raises `LocalProtocolError`."""
