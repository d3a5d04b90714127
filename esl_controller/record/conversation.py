"""Turns what happened in a call into journal entries and metrics."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from bridge.ports import TurnLatency, Utterance
from bridge.providers.base import Usage
from bridge.session.echo import EchoFound
from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    RouteEntry,
    TransferRecord,
)
from esl_controller.money.ledger import Record, UsageLedger
from esl_controller.record.audit import audit_of
from esl_controller.record.events import CallEvents, transfer_event
from esl_controller.record.journal import Journal
from esl_controller.record.outcome import Ending
from esl_controller.record.promises import Promises
from esl_controller.record.withheld import Withheld
from esl_controller.record.words import Words
from esl_controller.routes.identity import CallIdentity
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics
from esl_controller.telemetry.redaction import redact_text
from esl_controller.tools.base import FunctionOutcome

MAX_STORED_BYTES = 4096
"""Of a function's arguments, and of its result; a model can write 64 kB each time."""
MAX_STORED_IN_ALL = 256 * 1024
"""The same of all functions of one conversation."""
MAX_REASON = 500
LOUD_DB, FAINT_DB = -15, -25
REACHED = frozenset({"completed", "passed_on"})
"""Transfers after which the caller is no longer ours."""


@dataclass(frozen=True, slots=True)
class CallBook:
    """Where a worker writes down its calls."""

    record: Record
    ledger: UsageLedger
    metrics: Metrics
    journal: Journal

    def open(
        self,
        entry: RouteEntry,
        identity: CallIdentity,
        provider: str,
        conversation_uuid: str = "",
    ) -> ConversationRecord:
        """Begin the row of a conversation; `provider` is the kind that is tried first."""
        return ConversationRecord(
            entry,
            identity,
            self.record,
            self.metrics,
            provider=provider,
            ledger=self.ledger,
            journal=self.journal,
            conversation_uuid=conversation_uuid,
        )

    def turned_away(self, identity: CallIdentity, entry: RouteEntry | None, ending: Ending) -> None:
        """Write the row of a call with which no conversation began; never waits."""
        now = datetime.now(UTC)
        row = ConversationRealtime(
            conversation_uuid=str(uuid.uuid4()),
            domain_uuid=identity.domain_uuid,
            secretary_realtime_uuid=None
            if entry is None
            else entry.secretary.secretary_realtime_uuid,
            call_uuid=identity.call_uuid,
            caller_id=identity.caller_id_number or None,
            caller_name=identity.caller_id_name or None,
            destination=identity.extension,
            started_at=now,
            ended_at=now,
            duration_seconds=0,
            worker=self.journal.worker,
            **_said(ending),
        )
        self.record(row, personal=entry is not None and entry.tenant.redact_personal_data)

    def came_back(self, entry: RouteEntry, transfer: TransferRecord) -> None:
        """A caller who was connected is with us again."""
        self.metrics.count(m.TRANSFERS, transfer.status)
        self.record(transfer, personal=False)
        event = transfer_event(entry.tenant, transfer)
        if event is not None:
            self.record(event, personal=False)


class ConversationRecord:
    """Collects one conversation; `record` gets each entry as soon as it is complete."""

    def __init__(
        self,
        entry: RouteEntry,
        identity: CallIdentity,
        record: Record,
        metrics: Metrics,
        *,
        provider: str,
        ledger: UsageLedger,
        journal: Journal,
        conversation_uuid: str = "",
    ) -> None:
        self.provider = provider
        """Kind of who serves: another one after a fail-over."""
        self._ledger = ledger
        self._journal = journal
        self._cost_usd: Decimal | None = None
        self._record = partial(record, personal=entry.tenant.redact_personal_data)
        self._metrics = metrics
        self._store = entry.tenant.store_transcripts
        self._latencies: list[float] = []
        self._interruptions = self._resumptions = 0
        self._input_tokens = 0
        self._output_tokens = 0
        self._transfer: TransferRecord | None = None
        self._began_s = time.monotonic()
        self.withheld = Withheld()
        self._called_back = False
        self._stored_bytes = 0
        self.row = ConversationRealtime(
            conversation_uuid=conversation_uuid or str(uuid.uuid4()),
            domain_uuid=entry.domain_uuid,
            secretary_realtime_uuid=entry.secretary.secretary_realtime_uuid,
            call_uuid=identity.call_uuid,
            caller_id=identity.caller_id_number or None,
            caller_name=identity.caller_id_name or None,
            destination=identity.extension,
            started_at=datetime.now(UTC),
            provider=provider,
            model=entry.secretary.model,
            language=entry.secretary.language,
            worker=journal.worker,
            direction=identity.direction,
        )
        sent = entry.tenant.send_unstored
        personal = entry.tenant.redact_personal_data and not sent
        send = partial(record, personal=personal)
        self._words = Words(
            self.row,
            self._record,
            self.withheld,
            stored=self._store,
            sent=sent,
        )
        self._events = CallEvents(entry, send)
        email_to = entry.secretary.email_to or entry.tenant.email_to
        self.promises = Promises(self.row.conversation_uuid, send, email_to)
        self._record(self.row)
        self._events.started(self.row)

    @property
    def now_s(self) -> float:
        """Seconds since the conversation began."""
        return _since_s(self._began_s)

    def _now(self) -> datetime:
        """By the time that has passed: setting the host's clock makes no call longer or shorter."""
        return self.row.started_at + timedelta(seconds=time.monotonic() - self._began_s)

    def answered(self) -> None:
        """The line is open."""
        self.row = replace(self.row, answered_at=self._now())
        self._record(self.row)

    def spoken_in(self, language: str) -> None:
        """It goes on in another language."""
        self.row = replace(self.row, language=language)

    def uttered(self, utterance: Utterance) -> None:
        """Something was said; or what was said is now known better, or to have been cut off."""
        self._journal.later(self._words.uttered, utterance, self.now_s)

    def turn_answered(self, latency: TurnLatency) -> None:
        """An answer's first audio went out."""
        self._journal.later(self._turn_answered, latency)

    def _turn_answered(self, latency: TurnLatency) -> None:
        self._words.answered(latency)
        self._latencies.append(latency.total_ms)
        self._metrics.count(m.TURNS, self.provider)
        self._metrics.observe(m.RESPONSE_LATENCY, self.provider, value_s=latency.total_ms / 1000)
        for part, value_ms in (
            ("network", latency.network_ms),
            ("model", latency.model_ms),
            ("buffer", latency.buffer_ms),
            ("playout", latency.playout_ms),
        ):
            if value_ms is not None:
                self._metrics.observe(m.LATENCY_PART, part, value_s=value_ms / 1000)

    def interrupted(self, reaction_ms: float) -> None:
        """The caller cut the agent off."""
        self._interruptions += 1
        self._metrics.count(m.INTERRUPTIONS, self.provider)
        self._metrics.observe(m.BARGE_IN, value_s=reaction_ms / 1000)

    def resumed(self, why: str, silent_ms: float) -> None:
        """The agent fell silent for a sound that was no interruption, and went on."""
        self._resumptions += 1
        self._metrics.count(m.RESUMPTIONS, self.provider, why)
        self._metrics.observe(m.RESUMED_AFTER, value_s=silent_ms / 1000)

    def used(self, usage: Usage) -> None:
        """The provider counted something. The model that answered is known from here alone: a row's
        may be none (the provider's default) or a name for whatever is newest."""
        self._journal.later(self._used, usage)

    def _used(self, usage: Usage) -> None:
        if usage.output_text_tokens or usage.output_audio_tokens:
            self._served_by(usage.model)
        self._input_tokens += usage.input_text_tokens + usage.input_audio_tokens
        self._output_tokens += usage.output_text_tokens + usage.output_audio_tokens
        booked = self._ledger.book(
            usage,
            self.row.domain_uuid,
            conversation_uuid=self.row.conversation_uuid,
        )
        if booked.cost_usd is not None:
            self._cost_usd = (self._cost_usd or Decimal(0)) + booked.cost_usd

    def _served_by(self, model: str) -> None:
        if model and model != self.row.model:  # the same in all answers but the first
            self.row = replace(self.row, model=model)

    def function(self, outcome: FunctionOutcome) -> None:
        """A function of the AI has begun, or is over."""
        if outcome.duration_s is not None:
            self._metrics.count(m.FUNCTION_CALLS, outcome.status)
            self._metrics.observe(m.FUNCTION_LATENCY, value_s=outcome.duration_s)
        began_s = outcome.started_at - self.row.started_at.timestamp()
        kept = self._store and not self.withheld.covers(began_s, self.now_s)
        self._record(
            FunctionCallRecord(
                function_call_uuid=outcome.function_call_uuid,
                domain_uuid=self.row.domain_uuid,
                conversation_uuid=self.row.conversation_uuid,
                provider_call_id=outcome.call.call_id,
                function_name=outcome.call.name[:64],
                arguments=self._kept(outcome.arguments) if kept else {},
                result=self._kept(outcome.result) if kept and outcome.result else None,
                status=outcome.status,
                error=outcome.error or None,
                started_at=datetime.fromtimestamp(outcome.started_at, UTC),
                duration_ms=_milliseconds(outcome.duration_s),
            )
        )

    def _kept(self, value: Any) -> Mapping[str, Any]:
        """As it is audited, or only its length where the conversation has stored its share."""
        stored = _stored(value)
        size = len(msgspec.json.encode(stored))
        if self._stored_bytes + size > MAX_STORED_IN_ALL:
            return {"length": size}
        self._stored_bytes += size
        return stored

    def transfer_tried(self, kind: str, destination: str, reason: str) -> None:
        """The call is about to be passed on."""
        self._transfer = TransferRecord(
            transfer_uuid=str(uuid.uuid4()),
            domain_uuid=self.row.domain_uuid,
            conversation_uuid=self.row.conversation_uuid,
            transfer_type=kind,
            destination=destination,
            reason=reason[:MAX_REASON] or None,
            status="started",
            started_at=self._now(),
        )
        self._record(self._transfer)
        self._events.transfer(self._transfer)

    @property
    def transfer_uuid(self) -> str:
        """Of the transfer being tried; empty when there is none."""
        return "" if self._transfer is None else self._transfer.transfer_uuid

    def transfer_decided(self, status: str, cause: str = "") -> TransferRecord | None:
        """What became of the transfer that was tried last, and FreeSWITCH's cause where the human's
        leg ended; its row, None when none is open."""
        if self._transfer is None:
            return None
        self._metrics.count(m.TRANSFERS, status)
        if status in REACHED:
            self.row = replace(self.row, transfer_destination=self._transfer.destination)
        now = self._now()
        decided = replace(self._transfer, status=status, hangup_cause=cause or None, ended_at=now)
        self._record(decided)
        self._events.transfer(decided)
        self._transfer = None
        return decided

    def echoed(self, echo: EchoFound) -> None:
        """Our own voice came back from the caller's line."""
        level_db = Decimal(str(echo.level_db))
        self.row = replace(self.row, echo_delay_ms=echo.delay_ms, echo_level_db=level_db)
        level = "loud" if level_db > LOUD_DB else "middling" if level_db >= FAINT_DB else "faint"
        self._metrics.count(m.ECHOES, level)
        self._metrics.observe(m.ECHO_DELAY, value_s=echo.delay_ms / 1000)

    def recording_began(self, at: datetime | None) -> None:
        """FreeSWITCH records; `at` is None where it did so before we came."""
        self.row = replace(self.row, recording_started_at=at)

    def recorded(self, path: str | None, name: str | None, consent: str) -> None:
        """What is heard is kept in this file, or nothing is; and what the caller knows of it."""
        self.row = replace(self.row, record_path=path, record_name=name, recording_consent=consent)
        self._record(self.row)

    def recording(self, what: str, result: str, by: str, error: str = "") -> None:
        """Something was done to the recording, or could not be."""
        now = self._now()
        self._record(audit_of(self.row, by, f"recording_{what}", result, error, now))

    def answered_by(self, whom: str) -> None:
        """Who, or what, took a call we made."""
        self.row = replace(self.row, answered_by=whom)
        self._record(self.row)

    def callback(self, call: OutboundCall) -> bool:
        """The caller is to be called back; once in a conversation, however often it is asked."""
        if self._called_back:
            return False
        self._called_back = True
        self._record(replace(call, conversation_uuid=self.row.conversation_uuid))
        return True

    def end(self, ending: Ending, turns: int) -> None:
        """The conversation is over: store it whole."""
        self._journal.settle()
        now = self._now()
        seconds = (now - (self.row.answered_at or now)).total_seconds()
        self._metrics.count(m.CALLS, self.provider, ending.outcome)
        self._metrics.observe(m.CALL_DURATION, value_s=seconds)
        latencies = self._latencies
        self.row = replace(
            self.row,
            ended_at=now,
            duration_seconds=round(seconds),
            total_turns=turns,
            interruptions=self._interruptions,
            resumptions=self._resumptions,
            avg_latency_ms=round(sum(latencies) / len(latencies)) if latencies else None,
            max_latency_ms=round(max(latencies)) if latencies else None,
            transcript=self._words.stored,
            **_said(ending),
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            estimated_cost=self._cost_usd,
        )
        self._record(self.row)
        self._events.ended(self.row, self._words.all)


def _said(ending: Ending) -> dict[str, Any]:
    """The columns that say how a call ended. A provider's words may repeat a key or a number."""
    return {
        "outcome": ending.outcome,
        "end_cause": ending.cause,
        "error_code": None if ending.code is None else ending.code.value,
        "reason": redact_text(ending.reason)[:MAX_REASON] or None,
    }


def _stored(value: Any) -> Mapping[str, Any]:
    """`value` as it is audited, an object always; cut, and said to be so, where it is too long."""
    if value is None:
        return {}
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if isinstance(value, Mapping) and len(text) <= MAX_STORED_BYTES:
        return value
    return {"text": text[:MAX_STORED_BYTES], "length": len(text)}


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _since_s(began_s: float) -> float:
    return time.monotonic() - began_s
