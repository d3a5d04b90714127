"""Keeps what a service records of its calls, to be looked at when they are over."""

from __future__ import annotations

from typing import Any

from bridge.ports import EndCause
from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    TransferRecord,
    Turn,
)
from esl_controller.rehearsal.judging import MadeCall

CONNECTED = ("completed", "passed_on", "returned")
"""Of a transfer: the caller has somebody."""


class Notebook:
    """`record` is given every entry of the journal; each is told again when more is known."""

    def __init__(self) -> None:
        self._talks: dict[str, ConversationRealtime] = {}
        """By `call_uuid`, the last of each."""
        self._parts: dict[str, dict[str, Any]] = {}
        """By `conversation_uuid`, and there by their own key."""

    def record(self, entry: object) -> None:
        """Look at an entry on its way."""
        if isinstance(entry, ConversationRealtime):
            self._talks[entry.call_uuid] = entry
        elif isinstance(entry, Turn):
            self._keep(entry, entry.turn_uuid)
        elif isinstance(entry, FunctionCallRecord):
            self._keep(entry, entry.function_call_uuid)
        elif isinstance(entry, TransferRecord):
            self._keep(entry, entry.transfer_uuid)

    def talk(self, call_uuid: str) -> ConversationRealtime | None:
        """What is known of a call's conversation."""
        return self._talks.get(call_uuid)

    def turns(self, call_uuid: str) -> list[Turn]:
        """What was said, in order."""
        return sorted(self._of(call_uuid, Turn), key=lambda turn: turn.turn_number)

    def calls(self, call_uuid: str) -> list[MadeCall]:
        """What the AI called, in order. An agent that leaves by itself has ended the call: with
        some providers that is a function of theirs, and none of ours."""
        made = [
            MadeCall(one.function_name, one.arguments, one.status)
            for one in self._of(call_uuid, FunctionCallRecord)
        ]
        talk = self._talks.get(call_uuid)
        if talk is not None and talk.end_cause == EndCause.AGENT_LEFT.value:
            made.append(MadeCall("end_call", {}, "completed"))
        return made

    def went_to(self, call_uuid: str) -> list[str]:
        """Whom the caller was connected to."""
        made = self._of(call_uuid, TransferRecord)
        return [one.destination for one in made if one.status in CONNECTED]

    def _keep(self, entry: Any, key: str) -> None:
        self._parts.setdefault(entry.conversation_uuid, {})[key] = entry

    def _of(self, call_uuid: str, kind: type[Any]) -> list[Any]:
        talk = self._talks.get(call_uuid)
        parts = self._parts.get(talk.conversation_uuid, {}) if talk is not None else {}
        return [one for one in parts.values() if isinstance(one, kind)]
