"""Holds scenarios: each a call of the simulated switch to the service, several at once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import gevent
from gevent.pool import Pool as Greenlets

from esl_controller.database.pool import DatabaseError
from esl_controller.rehearsal.cast import Cast, Player
from esl_controller.rehearsal.judging import Seen, Verdict, judge
from esl_controller.rehearsal.notebook import Notebook
from esl_controller.rehearsal.scenario import Line, Rehearsal, Scenario
from esl_controller.rehearsal.voice import NoVoice, clip_of
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import (
    AgentSilent,
    AgentSpeaking,
    Condition,
    HangUp,
    Press,
    Say,
    Step,
)
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.legs import FarEnd
from esl_controller.simulator.switch.session import Session

LONGEST_S = 180.0
"""Of a scenario that sets no limit."""
SERVED_S = 20.0
"""Until the call is answered, or handed back."""
STORED_S = 5.0
"""Until the last of it is recorded."""
_COLLEAGUE = (Action("answer"), Action("playback", "tone_stream://%(400,200,440);loops=-1"))


@dataclass(frozen=True, slots=True)
class Piece:
    """One scenario of one file."""

    rehearsal: Rehearsal
    scenario: Scenario
    directory: Path
    """Of the file."""


class Stage:
    """A service that is up, and who answers in it."""

    def __init__(
        self, address: tuple[str, int], cast: Cast, notebook: Notebook, directory: Path
    ) -> None:
        """`address` is the worker's Event Socket; `directory` is for what the switch keeps."""
        self._address = address
        self._cast = cast
        self._notebook = notebook
        self._directory = directory

    def hold(
        self,
        pieces: Sequence[Piece],
        jobs: int,
        recordings: Path | None,
        told: Callable[[Verdict], None] = lambda _verdict: None,
    ) -> list[Verdict]:
        """Hold all of them, `jobs` at once; `told` of each as it ends."""
        numbers = {number for piece in pieces for number in self._numbers(piece)} - {""}
        config = SwitchConfig(
            seed=1,
            temp_dir=self._directory,
            extensions=dict.fromkeys(numbers, _COLLEAGUE),
            far_ends=dict.fromkeys(numbers, FarEnd()),
        )

        def one(numbered: tuple[int, Piece]) -> Verdict:
            number, piece = numbered
            file = (
                recordings / f"{number:02}-{_slug(piece.scenario.name)}.wav" if recordings else None
            )
            verdict = self._held(switch, piece, file)
            told(verdict)
            return verdict

        with Switch(config) as switch:
            return list(Greenlets(jobs).map(one, enumerate(pieces, 1)))

    def _numbers(self, piece: Piece) -> list[str]:
        """Extensions the caller may be sent to."""
        columns = self._cast.columns(piece.rehearsal, piece.scenario)
        named = ("fallback_extension", "overflow_extension", "closed_extension")
        rules = columns.get("transfer_rules") or ()
        return [
            piece.scenario.expect.goes_to,
            *(str(rule.get("destination", "")) for rule in rules),
            *(str(columns.get(name) or "") for name in named),
        ]

    def _held(self, switch: Switch, piece: Piece, file: Path | None) -> Verdict:
        scenario, source = piece.scenario, piece.rehearsal.source
        try:
            steps = self._steps(piece)
            with self._cast.player(piece.rehearsal, scenario) as player:
                leg, caller = self._call(switch, piece, player, steps)
        except (NoVoice, DatabaseError) as error:
            return Verdict(source, scenario, Seen(), [str(error)])
        seen = self._seen(leg, caller)
        if file is not None and seen.answered:
            caller.write_wav(file)
        return Verdict(
            source,
            scenario,
            seen,
            judge(scenario.expect, seen),
            str(file or "") if seen.answered else "",
        )

    def _steps(self, piece: Piece) -> list[Step]:
        steps = [self._step(piece, line) for line in piece.scenario.lines]
        return [*steps, Step(AgentSilent(self._cast.patience_s), HangUp())]

    def _step(self, piece: Piece, line: Line) -> Step:
        when: Condition = AgentSilent(line.pause_s or self._cast.pause_s)
        if line.interrupts_after_s is not None:
            when = AgentSpeaking(line.interrupts_after_s)
        if line.presses:
            return Step(when, Press(line.presses))
        words = self._cast.understands_sound
        clip = clip_of(line, piece.rehearsal.language, piece.directory, words=words)
        return Step(when, Say(clip))

    def _call(
        self, switch: Switch, piece: Piece, player: Player, steps: Sequence[Step]
    ) -> tuple[Session, Caller]:
        caller = Caller(steps)
        leg = switch.originate_to_controller(
            *self._address,
            caller=caller,
            channel=ChannelOptions(
                domain_uuid=player.domain_uuid,
                domain_name=player.domain_name,
                destination_number=player.extension,
                caller_id_name=piece.scenario.caller_name,
                caller_id_number=piece.scenario.caller_number,
            ),
            actions_after=[Action("hangup")],
        )
        gevent.wait([leg.answered, leg.ended], timeout=SERVED_S, count=1)
        self._until_over(leg, piece.scenario.expect.lasts_at_most_s or LONGEST_S)
        caller.hang_up()
        leg.ended.wait(STORED_S)
        self._until_recorded(leg)
        return leg, caller

    def _until_over(self, leg: Session, longest_s: float) -> None:
        """Ended, connected to somebody, or too long."""
        until = time.monotonic() + longest_s + 1
        while not leg.ended.wait(0.1) and time.monotonic() < until:
            if leg.sent_to or self._notebook.went_to(leg.uuid):
                gevent.sleep(0.5)
                return

    def _until_recorded(self, leg: Session) -> None:
        until = time.monotonic() + STORED_S
        while time.monotonic() < until:
            talk = self._notebook.talk(leg.uuid)
            if talk is not None and talk.ended_at is not None:
                return
            gevent.sleep(0.05)

    def _seen(self, leg: Session, caller: Caller) -> Seen:
        book, talk, report = self._notebook, self._notebook.talk(leg.uuid), caller.report()
        turns = book.turns(leg.uuid)
        answered_at, ended_at = caller.answered_at, caller.ended_at or time.monotonic()
        told = leg.channel.get("voice_ai_outcome") or ""
        went_to = dict.fromkeys(filter(None, (leg.sent_to, *book.went_to(leg.uuid))))
        return Seen(
            answered=answered_at is not None,
            turns=[(turn.role, turn.content) for turn in turns],
            calls=book.calls(leg.uuid),
            went_to=list(went_to),
            outcome=(talk.outcome or "") if talk is not None else "",
            reason=(talk.reason or talk.end_cause or told) if talk is not None else told,
            greeted_s=None if report.first_sound_ms is None else report.first_sound_ms / 1000,
            waits_s=[turn.total_ms / 1000 for turn in turns if turn.total_ms is not None],
            lasted_s=0.0 if answered_at is None else ended_at - answered_at,
            unreachable=leg.unreachable,
        )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:60] or "call"
