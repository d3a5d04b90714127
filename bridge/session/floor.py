"""Whose turn it is, which audio may be played, and whether anything is due to the caller.

Fed with what the provider says and what the playout knows; times are arguments. Two rules carry
it: audio of an answer that was cut is never played, whatever the provider still sends of it, and
what is due stays due until it has been heard. Frames of silence move nothing.
"""

from __future__ import annotations

from bridge.ports import TurnLatency
from bridge.session.floor_states import FLOOR_TABLE, FloorEvent, FloorState

MAX_REMEMBERED = 64
"""Cut answers that are remembered."""

_S, _E = FloorState, FloorEvent
_PLAYING = (_S.SPEAKING, _S.DRAINING)
_DUE = (_S.THINKING, _S.SPEAKING)


class Floor:
    """Keeps the floor of one conversation. `now` is monotonic seconds.

    Where a method returns a generation, the agent is cut off: clear the playout, tell the
    provider, then begin that generation.
    """

    def __init__(self, *, barge_in: bool = True) -> None:
        self.state = FLOOR_TABLE.initial
        self.generation = 0
        """Of the audio that may be played; one more with every interruption."""
        self.turns_answered = 0
        self.barge_in = barge_in
        """Whether the caller may interrupt; switched off for words that must be heard."""
        self.interrupts = False
        """The provider decides what interrupts its answer (`Capabilities.interrupts`)."""
        self.functions: set[str] = set()
        """Calls whose result is not there yet: meanwhile the wait is ours, not the provider's."""
        self._response_id: str | None = None
        self._asked = False
        """An answer was asked for, and none has begun since."""
        self._more_due = False
        """The response under way has called a function."""
        self._cut_ids: list[str] = []
        self._only_new = False
        """Since an interruption: audio is taken only of a response that was announced."""
        self._stopped_at: float | None = None
        self._audio_at: float | None = None

    @property
    def response_active(self) -> bool:
        """Whether the provider is generating an answer that is wanted."""
        return self._response_id is not None

    @property
    def response_id(self) -> str | None:
        """The answer being generated that is wanted."""
        return self._response_id

    @property
    def wanted(self) -> bool:
        """Whether the provider gives an answer, or was asked for one."""
        return self.response_active or self._asked

    @property
    def quiet(self) -> bool:
        """The caller does not speak, and no answer is given or was asked for."""
        return not self.wanted and self.state is not _S.CALLER_SPEAKING

    @property
    def due(self) -> bool:
        """Whether the caller is owed more than has been received."""
        return self.state in _DUE

    @property
    def more_due(self) -> bool:
        """The response under way has called a function."""
        return self._more_due

    @property
    def playing(self) -> bool:
        """Whether the agent is being heard."""
        return self.state in _PLAYING

    # --- the caller -----------------------------------------------------------------------

    def caller_started(self, now: float, *, told: bool = True) -> int | None:
        """The caller began to speak; return the new generation if that cuts the agent off.

        `told`: a voice, whose effect a provider that interrupts decides; a key pressed always cuts.
        """
        if not self.barge_in and (self.due or self.playing):
            return None
        cuts = self._can_be_cut()
        if cuts and told and self.interrupts:
            return None
        self._stopped_at = self._audio_at = None
        self._move(_E.CALLER_STARTED)
        return self._cut() if cuts else None

    def caller_stopped(self, now: float, *, expects_answer: bool = True) -> None:
        """The caller's turn ended, at `now`."""
        if not expects_answer:
            self._move(_E.CALLER_QUIET)
            return
        if not self.playing and self._stopped_at is None:
            self._stopped_at, self._audio_at = now, None
        self._move(_E.CALLER_STOPPED)

    # --- the provider ---------------------------------------------------------------------

    def asked(self) -> None:
        """We asked for an answer."""
        self._asked = True
        self._move(_E.ASKED)

    def response_started(self, response_id: str) -> None:
        """The provider announced an answer: from now on its audio is wanted."""
        self._response_id = response_id
        self._only_new = self._asked = self._more_due = False
        if response_id in self._cut_ids:  # a provider that numbers nothing
            self._cut_ids.remove(response_id)
        self._move(_E.RESPONSE_STARTED)

    def audio(self, response_id: str, now: float) -> bool:
        """Audio came; return whether it may be played."""
        if response_id != self._response_id:
            if self._only_new or response_id in self._cut_ids:
                return False
            self.response_started(response_id)
        if self._audio_at is None:
            self._audio_at = now
        if self.state is not FloorState.SPEAKING:  # else the hot path: nothing moves
            self._move(_E.AUDIO)
        return True

    def response_done(self, response_id: str, *, heard: bool) -> bool:
        """An answer is complete, cancelled or failed; return whether it was the wanted one.

        `heard`: it had audio that can be heard, or called a function. If not, an answer is still
        due.
        """
        if response_id in self._cut_ids or not (self.response_active or self._asked or self.due):
            return False
        if self.response_active and response_id != self._response_id:
            return False
        more, self._more_due = self._more_due or not heard, False
        if not heard:  # asked for anew: what comes of this one now would be heard besides
            self._response_id = response_id
            self._close_response()
        self._response_id = None
        self._asked = False
        self._move(_E.MORE_DUE if more else _E.RESPONSE_DONE)
        return True

    def function_called(self, call_id: str) -> None:
        """The model wants a function run, and will go on with its result."""
        self.functions.add(call_id)
        self._more_due = self.response_active
        self._move(_E.MORE_DUE)

    def function_over(self, call_id: str) -> None:
        """Its result was given, or is no longer wanted."""
        self.functions.discard(call_id)

    def interrupted(self, response_id: str) -> int | None:
        """The provider dropped the rest of its answer; return the new generation if ours is cut."""
        if self.response_active and response_id not in ("", self._response_id):
            return None
        if not self._can_be_cut():
            return None
        self._move(_E.CUT)
        return self._cut()

    def dropped(self, response_id: str) -> bool:
        """The same where the agent must be heard: what is here of it is still played.

        Returns whether it was the wanted answer, which is complete now.
        """
        if not self.response_active or response_id not in ("", self._response_id):
            return False
        self._close_response()
        self._move(_E.RESPONSE_DONE)
        return True

    def ignore(self, response_id: str) -> None:
        """An answer nobody wants, of which the floor was not told: its audio is not taken."""
        self._remember_cut(response_id)

    def resumed(self) -> int:
        """What was silenced goes on; return the generation it goes on as.

        An interruption sent the playout's queue away, and what is left is sent anew.
        """
        self.generation += 1
        return self.generation

    def enough(self) -> None:
        """Nothing more of the answer can be kept; what is here is still played."""
        self._close_response()
        self._move(_E.RESPONSE_DONE)

    def settled(self) -> None:
        """Nothing is due any more: the caller was asked to say it again."""
        if not self.response_active:
            self._asked = False
            self._move(_E.RESPONSE_DONE)

    def unheard(self) -> int:
        """The answer under way has no sound: drop it, an answer is still due."""
        self._move(_E.MORE_DUE)
        self._move(_E.DRAINED)
        return self._cut()

    def provider_lost(self) -> None:
        """The provider is gone. What is queued of it is still heard, what is due is still due."""
        self._response_id = None
        self._only_new = self._asked = self._more_due = False
        self._cut_ids.clear()
        self._move(_E.PROVIDER_LOST)

    # --- the line -------------------------------------------------------------------------

    def local_audio(self) -> None:
        """We play something of our own: a phrase."""
        self._move(_E.LOCAL_AUDIO)

    def drained(self) -> None:
        """All that was finished has been heard."""
        self._move(_E.DRAINED)

    def broken_off(self) -> int:
        """Caller and agent no longer hear each other; return the new generation."""
        self._move(_E.BROKEN_OFF)
        return self._cut()

    def first_frame_sent(
        self, now: float, *, network_ms: float | None, playout_ms: float
    ) -> TurnLatency | None:
        """An answer's first audio left; return where its time went.

        None when nobody waited for it: a greeting, a filler, a second answer to one turn.
        """
        stopped_at, audio_at = self._stopped_at, self._audio_at
        if stopped_at is None or audio_at is None:
            return None
        self._stopped_at = self._audio_at = None
        self.turns_answered += 1
        waited_ms = (audio_at - stopped_at) * 1000
        if network_ms is not None:  # measured earlier, when it may have been slower
            network_ms = min(network_ms, max(0.0, waited_ms))
        return TurnLatency(
            turn=self.turns_answered,
            total_ms=(now - stopped_at) * 1000,
            network_ms=network_ms,
            model_ms=None if network_ms is None else max(0.0, waited_ms - network_ms),
            buffer_ms=(now - audio_at) * 1000,
            playout_ms=playout_ms,
        )

    # --- inside ---------------------------------------------------------------------------

    def _move(self, event: FloorEvent) -> None:
        self.state = FLOOR_TABLE.next(self.state, event)

    def _can_be_cut(self) -> bool:
        return self.wanted or self.playing

    def _cut(self) -> int:
        self._close_response()
        self._only_new = True
        self._asked = self._more_due = False
        self._stopped_at = self._audio_at = None
        self.generation += 1
        return self.generation

    def _close_response(self) -> None:
        response_id, self._response_id = self._response_id, None
        if response_id is not None:
            self._remember_cut(response_id)

    def _remember_cut(self, response_id: str) -> None:
        if response_id not in self._cut_ids:
            self._cut_ids.append(response_id)
            del self._cut_ids[:-MAX_REMEMBERED]
