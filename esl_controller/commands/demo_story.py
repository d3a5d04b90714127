"""What happened in the demo's call, and when, as its page and its summary tell it. Pure.

Moments are seconds since the recording began; lengths are milliseconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from esl_controller.database.models import Turn
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import Note, Press

SPEAKS, PRESSES, SAID, ENDED = "says ", "presses ", "said", "ended "
INTERRUPTED_S = 0.3
"""Sound of the agent so shortly before the caller spoke: the caller cut it off."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something the caller did."""

    at_s: float
    label: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer, and where the time before it went."""

    answer: Turn
    asked_s: float | None
    """The caller had finished: last sound, or last key. None where it cannot be told."""
    heard_s: float | None
    """The answer's first sound at the caller's ear."""
    emulator_ms: float = 0.0
    """Of the model's time: what the emulator was set to wait."""

    @property
    def ear_ms(self) -> float | None:
        """What the caller waited."""
        if self.asked_s is None or self.heard_s is None:
            return None
        return (self.heard_s - self.asked_s) * 1000

    @property
    def parts_ms(self) -> dict[str, float]:
        """The wait in pieces, in order of time."""
        known = {part: float(getattr(self.answer, f"{part}_ms") or 0) for part in _MEASURED}
        pause = max(0.0, (self.ear_ms or 0.0) - sum(known.values()))
        # A provider that tells no turns has no time of its own: its wait is in the pause.
        of_model = min(self.emulator_ms, known["model"])
        of_pause = min(self.emulator_ms - of_model, pause) if self.ear_ms else 0.0
        parts = {"end of turn": pause - of_pause, EMULATED: of_model + of_pause, **known}
        parts["model"] -= of_model
        return {part: parts[part] for part in PARTS}


_MEASURED = ("network", "model", "buffer", "playout")
EMULATED = "set"
"""The emulator's own delay: a setting, no measurement."""
PARTS = ("end of turn", "network", EMULATED, "model", "buffer", "playout")


@dataclass(frozen=True, slots=True)
class Story:
    """The whole call."""

    turns: Sequence[Turn]
    exchanges: Sequence[Exchange]
    marks: Sequence[Mark]
    greeting_ms: float | None
    """Answer to the first sound."""
    silenced_ms: Sequence[float]
    """For each interruption: how long the agent was still heard."""
    length_s: float

    @property
    def waits_ms(self) -> list[float]:
        """What the caller waited for each answer."""
        return [one.ear_ms for one in self.exchanges if one.ear_ms is not None]

    @property
    def typical_wait_ms(self) -> float | None:
        """Median; None without an answer."""
        return median(self.waits_ms) if self.waits_ms else None


def tell(turns: Sequence[Turn], caller: Caller, emulator_ms: float = 0.0) -> Story:
    """Put together what the service recorded and what the caller did and heard.

    `emulator_ms` is what the emulated model was set to wait before each answer.
    """
    start = caller.recorded_from
    asked = _asked(caller)
    answers = _answers(turns, len(asked))
    exchanges = []
    for number, turn in enumerate(answers):
        moment = asked[number] if len(asked) == len(answers) else None
        heard = caller.hearing.first_sound_at(moment) if moment is not None else None
        exchanges.append(
            Exchange(
                turn,
                None if moment is None else moment - start,
                None if heard is None else heard - start,
                emulator_ms,
            )
        )
    return Story(
        turns=turns,
        exchanges=exchanges,
        marks=[Mark(note.at - start, label) for note, label in _labels(caller)],
        greeting_ms=caller.report().first_sound_ms,
        silenced_ms=_silenced(caller),
        length_s=(caller.ended_at or start) - start,
    )


def _answers(turns: Sequence[Turn], wanted: int) -> list[Turn]:
    """What was said in answer: each is timed, or follows something the caller said.

    A wait that was covered with a phrase is not timed by the service; the caller's ear times it.
    """
    timed = [turn for turn in turns if turn.total_ms is not None]
    if len(timed) == wanted:
        return timed
    following = [
        turn
        for before, turn in itertools.pairwise(turns)
        if turn.role == "assistant" and before.role == "user"
    ]
    return following if len(following) == wanted else timed


def _asked(caller: Caller) -> list[float]:
    """When the caller had finished each thing that wants an answer."""
    begun = [note for note in caller.notes if note.what.startswith((SPEAKS, PRESSES))]
    moments = []
    for number, note in enumerate(begun):
        until = begun[number + 1].at if number + 1 < len(begun) else caller.ended_at
        if note.what.startswith(PRESSES):
            keys = len(note.what) - len(PRESSES)
            moments.append(note.at + (keys - 1) * Press("").gap_s)
        elif until is not None:
            moments.append(caller.last_spoke(note.at, until) or note.at)
    return moments


def _cuts(caller: Caller) -> list[Note]:
    """Where the caller began to speak while the agent was heard."""
    found = []
    for note in caller.notes:
        before = caller.hearing.first_sound_at(note.at - INTERRUPTED_S)
        if note.what.startswith(SPEAKS) and before is not None and before <= note.at:
            found.append(note)
    return found


def _silenced(caller: Caller) -> list[float]:
    begun = [caller.first_spoke(note.at, note.at + 5) or note.at for note in _cuts(caller)]
    return [caller.hearing.silence_after_ms(moment) for moment in begun]


def _labels(caller: Caller) -> list[tuple[Note, str]]:
    cuts = _cuts(caller)
    labels = []
    for note in caller.notes:
        text = note.what
        if text.startswith(SPEAKS):
            text = "interrupts" if note in cuts else "speaks"
        if text != SAID and not text.startswith(ENDED):
            labels.append((note, text.replace(PRESSES, "keys ")))
    return labels
