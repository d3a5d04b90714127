"""Whose turn it is, which audio may be played, and what an interruption leaves behind.

Fed with what the provider says and what the playout knows; times are arguments. Two rules carry
it: audio of an answer that was cut is never played, whatever the provider still sends of it, and
the conversation's history ends where the caller's hearing ended. Frames of silence move nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from bridge.playout.heard import HeardPosition
from bridge.ports import TurnLatency
from bridge.session.turn_states import TURN_TABLE, TurnEvent, TurnState

MAX_REMEMBERED = 64
"""Cut answers, and items of one answer, that are remembered."""


_S, _E = TurnState, TurnEvent
_PLAYING = (_S.SPEAKING, _S.DRAINING)


@dataclass(frozen=True, slots=True)
class Interruption:
    """The agent is cut off. Clear the playout, tell the provider, then begin `generation`."""

    generation: int
    cancel_response: bool
    """The provider is still generating and does not stop by itself."""


class Truncation(NamedTuple):
    """What the provider's history shall keep of an item; 0 removes it."""

    item_id: str
    heard_ms: int


class TurnKeeper:
    """Keeps the floor of one conversation. `now` is monotonic seconds."""

    def __init__(self, *, provider_cancels: bool, barge_in: bool = True) -> None:
        self.state = TURN_TABLE.initial
        self.generation = 0
        """Of the audio that may be played; one more with every interruption."""
        self.turns_answered = 0
        self.barge_in = barge_in
        """Whether the caller may interrupt; to be switched for words that must be heard."""
        self._provider_cancels = provider_cancels
        self._response_id: str | None = None
        self._closed_ids: deque[str] = deque(maxlen=MAX_REMEMBERED)
        self._only_new = False
        """Since an interruption: audio is taken only of a response that was announced."""
        self._items: deque[tuple[str, bool]] = deque(maxlen=MAX_REMEMBERED)
        """Items being played or queued, in order, and whether the provider knows them."""
        self._stopped_at: float | None = None
        self._audio_at: float | None = None
        self.answer_owed = False
        """An answer is expected, and no audio of it has come."""

    @property
    def response_active(self) -> bool:
        """Whether the provider is generating an answer that is wanted."""
        return self._response_id is not None

    # --- the caller -----------------------------------------------------------------------

    def speech_started(self, now: float, *, heard: bool = True) -> Interruption | None:
        """The caller began to speak; return what to do if that cuts the agent off.

        `heard`: the provider heard it itself, as it does not hear a key that is pressed.
        """
        if not self.barge_in and self.state in (_S.THINKING, *_PLAYING):
            return None
        self._stopped_at = self._audio_at = None
        self.answer_owed = False
        active, playing = self.response_active, self.state in _PLAYING
        self._move(_E.SPEECH_STARTED)
        if not active and not playing:
            return None
        return self._cut(cancel=active and not (heard and self._provider_cancels))

    def speech_stopped(self, now: float) -> None:
        """The caller's turn ended."""
        if self.state not in _PLAYING and self._stopped_at is None:
            self._stopped_at, self._audio_at = now, None
        self.answer_owed = self.answer_owed or self.state not in _PLAYING
        self._move(_E.SPEECH_STOPPED)

    # --- the provider ---------------------------------------------------------------------

    def response_awaited(self, now: float) -> None:
        """We asked for an answer."""
        self.answer_owed = True
        self._move(_E.RESPONSE_AWAITED)

    def response_started(self, response_id: str, now: float) -> None:
        """The provider announced an answer: from now on its audio is wanted."""
        self._response_id = response_id
        self._only_new = False
        if response_id in self._closed_ids:  # a provider that numbers nothing
            self._closed_ids.remove(response_id)
        self._move(_E.RESPONSE_STARTED)

    def audio(self, response_id: str, item_id: str, now: float) -> bool:
        """Audio came; return whether it may be played."""
        if response_id != self._response_id:
            if self._only_new or response_id in self._closed_ids:
                return False
            self.response_started(response_id, now)
        if self._audio_at is None:
            self._audio_at = now
        self.answer_owed = False
        self._remember(item_id, known_to_provider=True)
        self._move(_E.AUDIO)
        return True

    def response_done(self, response_id: str, function_calls: int, now: float) -> bool:
        """An answer is complete, cut or failed; return whether it was the wanted one.

        If so, `PlayoutStream.finish` is due.
        """
        if response_id in self._closed_ids:
            return False
        if self.response_active and response_id != self._response_id:
            return False
        self._close_response(response_id)
        self.answer_owed = function_calls > 0
        self._move(_E.FUNCTIONS_CALLED if function_calls else _E.RESPONSE_DONE)
        return True

    def interrupted(self, response_id: str, now: float) -> Interruption | None:
        """The provider itself dropped the rest of its answer; return what to do about ours."""
        if self.response_active and response_id not in ("", self._response_id):
            return None
        if not self.barge_in:
            # What is here is still played: the words had to be heard.
            self._close_response(response_id)
            self._move(_E.RESPONSE_DONE)
            return None
        cuts = self.response_active or self.state in _PLAYING
        self._move(_E.CUT)
        return self._cut(cancel=False) if cuts else None

    def provider_lost(self, now: float, *, provider_cancels: bool | None = None) -> None:
        """The provider is gone; what is queued of it is still heard, and no longer its own."""
        if provider_cancels is not None:
            self._provider_cancels = provider_cancels
        self._response_id = None
        self._only_new = self.answer_owed = False
        self._closed_ids.clear()
        self._items = deque(((item, False) for item, _ in self._items), MAX_REMEMBERED)
        self._move(_E.PROVIDER_LOST)

    # --- the playout ----------------------------------------------------------------------

    def local_audio(self, item_id: str, now: float) -> None:
        """We play something of our own under `item_id`: an announcement, a filler."""
        self._remember(item_id, known_to_provider=False)
        self._move(_E.LOCAL_AUDIO)

    def drained(self, now: float) -> None:
        """All that was finished has been heard."""
        self._items.clear()
        self._move(_E.DRAINED)

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
        return TurnLatency(
            turn=self.turns_answered,
            total_ms=(now - stopped_at) * 1000,
            network_ms=network_ms,
            model_ms=None if network_ms is None else max(0.0, waited_ms - network_ms),
            buffer_ms=(now - audio_at) * 1000,
            playout_ms=playout_ms,
        )

    def cut(self, position: HeardPosition | None) -> list[Truncation]:
        """After an interruption: what the provider's history shall keep, oldest item first.

        `position` is what `PlayoutStream.clear` returned. Items before it were heard whole, it
        was heard in part, those behind it not at all.
        """
        items, found = list(self._items), False
        self._items.clear()
        truncations = []
        for item_id, known_to_provider in items:
            here = position is not None and item_id == position.item_id
            if known_to_provider and (here or found):
                heard_ms = position.heard_ms if here and position is not None else 0
                truncations.append(Truncation(item_id, heard_ms))
            found = found or here
        return truncations

    # --- inside ---------------------------------------------------------------------------

    def _move(self, event: TurnEvent) -> None:
        self.state = TURN_TABLE.next(self.state, event)

    def _cut(self, *, cancel: bool) -> Interruption:
        self._close_response(self._response_id)
        self._only_new = True
        self._stopped_at = self._audio_at = None
        self.generation += 1
        return Interruption(self.generation, cancel)

    def _close_response(self, response_id: str | None) -> None:
        self._response_id = None
        if response_id is not None and response_id not in self._closed_ids:
            self._closed_ids.append(response_id)

    def _remember(self, item_id: str, *, known_to_provider: bool) -> None:
        if not self._items or self._items[-1][0] != item_id:
            self._items.append((item_id, known_to_provider))
