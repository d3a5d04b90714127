"""What was said in one conversation, as it is stored and as it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bridge.ports import TurnLatency, Utterance
from bridge.providers.conversation import Speaker
from esl_controller.database.models import ConversationRealtime, Turn
from esl_controller.record.latency import latency_columns
from esl_controller.record.withheld import WITHHELD, Withheld


class Words:
    """The turns of one conversation. `record` gets each as soon as it is complete."""

    def __init__(
        self,
        row: ConversationRealtime,
        record: Callable[[Turn], object],
        withheld: Withheld,
        *,
        stored: bool,
        sent: bool,
    ) -> None:
        """`stored`: in the database. `sent`: gathered for what is sent after the call."""
        self._row = row
        self._record = record
        self._withheld = withheld
        self._stored = stored
        self._gathered = stored or sent
        self._turn_number = 0
        self._turns: dict[str, tuple[Turn, dict[str, Any]]] = {}
        """By the provider's name of it: as stored, and in the transcript."""
        self._lines: list[dict[str, Any]] = []
        self._pending_latency: TurnLatency | None = None

    @property
    def stored(self) -> tuple[Mapping[str, Any], ...]:
        """The transcript as it is kept with the conversation."""
        return tuple(self._lines) if self._stored else ()

    @property
    def all(self) -> tuple[Mapping[str, Any], ...]:
        """The transcript, kept or not."""
        return tuple(self._lines)

    def answered(self, latency: TurnLatency) -> None:
        """How long the answer that comes next took."""
        self._pending_latency = latency

    def uttered(self, utterance: Utterance, now_s: float) -> None:
        """Something was said; or what was said is now known better, or to have been cut off.

        `now_s`: when that was told, in seconds since the conversation began.
        """
        if not self._gathered:
            return
        utterance = self._allowed(utterance, now_s)
        known = self._turns.get(utterance.item_id)
        if known is not None:
            self._correct(*known, utterance)
            return
        caller = utterance.speaker is Speaker.CALLER
        latency, self._pending_latency = (
            (None, self._pending_latency) if caller else (self._pending_latency, None)
        )
        self._turn_number += 1
        role = utterance.speaker.value
        line: dict[str, Any] = {
            "role": role,
            "text": utterance.text,
            "timestamp": utterance.at_s,
        }
        if utterance.interrupted:
            line["interrupted"] = True
        self._lines.append(line)
        turn = Turn(
            turn_uuid=str(uuid.uuid4()),
            domain_uuid=self._row.domain_uuid,
            conversation_uuid=self._row.conversation_uuid,
            turn_number=self._turn_number,
            role=role,
            content=utterance.text,
            started_at=self._row.started_at + timedelta(seconds=utterance.at_s),
            interrupted=utterance.interrupted,
            heard_ms=utterance.heard_ms,
            **latency_columns(latency),
        )
        if utterance.item_id:
            self._turns[utterance.item_id] = (turn, line)
        self._store(turn)

    def _allowed(self, utterance: Utterance, now_s: float) -> Utterance:
        """Without its words where they came in a pause of the recording."""
        caller = utterance.speaker is Speaker.CALLER
        item = utterance.item_id
        if self._withheld.covers(utterance.at_s, now_s, item=item, whole=caller):
            return replace(utterance, text=WITHHELD)
        return utterance

    def _correct(self, turn: Turn, line: dict[str, Any], utterance: Utterance) -> None:
        line["text"] = utterance.text
        if utterance.interrupted:
            line["interrupted"] = True
        known_now = replace(
            turn,
            content=utterance.text,
            interrupted=utterance.interrupted,
            heard_ms=utterance.heard_ms,
        )
        self._turns[utterance.item_id] = (known_now, line)
        self._store(known_now)

    def _store(self, turn: Turn) -> None:
        if self._stored:
            self._record(turn)
