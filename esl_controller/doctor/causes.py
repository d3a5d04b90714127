"""Why a call went as it did: a table of causes, tried from the top. Pure.

What stands first explains what stands after it: a worker that was lost explains a broken call, and
a provider that refuses a key explains a hand-back. The first row that holds is the root cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from esl_controller.doctor.cause_words import TOLD
from esl_controller.tenants.checks import Words

LATE_MS = 1500
"""An answer that takes longer is late."""
HUB_LATE_MS = 50.0
Found = Mapping[str, Any] | None
"""What a sentence is filled with; None: this is not the cause."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one call."""

    conversation: Mapping[str, Any] = field(default_factory=dict)
    """The row, as stored or as it waits in the spool; empty where there is none."""
    turns: Sequence[Mapping[str, Any]] = ()
    function_calls: Sequence[Mapping[str, Any]] = ()
    transfers: Sequence[Mapping[str, Any]] = ()
    lines: Sequence[Mapping[str, Any]] = ()
    """Of the log: the call's own, and those of its workers' troubles meanwhile."""
    in_spool: bool = False
    """Some of it waits there for the database, or was set aside."""

    def get(self, name: str) -> str:
        """A field of the conversation as text; empty where there is none."""
        return str(self.conversation.get(name) or "")

    def logged(self, event: str) -> Mapping[str, Any] | None:
        """The last line of that event."""
        return next((line for line in reversed(self.lines) if line.get("event") == event), None)


@dataclass(frozen=True, slots=True)
class Story:
    """A call explained in one language."""

    name: str
    cause: str
    heard: str
    todo: str
    also: tuple[str, ...] = ()
    """Other causes that hold too."""


def explain(facts: Facts, language: str = "en") -> Story:
    """Root cause first; `language`: en | pt."""
    held = [(name, found) for name, holds in CAUSES if (found := holds(facts)) is not None]
    (first, found), *others = held
    told = TOLD[first]

    def said(words: Words, values: Mapping[str, Any]) -> str:
        text: str = getattr(words, language)
        return re.sub(r"\{(\w+)\}", lambda name: str(values.get(name[1], "")).rstrip("."), text)

    more = (said(TOLD[name].cause, values) for name, values in others if name not in _PLAIN)
    return Story(
        first,
        said(told.cause, found),
        said(told.heard, found),
        said(told.todo, found),
        tuple(more),
    )


# --- when a row holds -----------------------------------------------------------------------------


def _is(**wanted: str) -> Callable[[Facts], Found]:
    """Fields of the conversation match these patterns, each in full."""

    def holds(facts: Facts) -> Found:
        if all(re.fullmatch(p, facts.get(n), re.DOTALL) for n, p in wanted.items()):
            return _fields(facts)
        return None

    return holds


def _reason(pattern: str, *events: str) -> Callable[[Facts], Found]:
    """The reason, or what the log says of `events`, speaks of it."""

    def holds(facts: Facts) -> Found:
        for text in (facts.get("reason"), *_texts(facts, events)):
            if re.search(pattern, text, re.IGNORECASE):
                return {**_fields(facts), "reason": text}
        return None

    return holds


def _provider(pattern: str) -> Callable[[Facts], Found]:
    """A provider failed so, and the call was not saved by another one."""
    told = _reason(pattern, "provider.trouble")
    return lambda facts: told(facts) if _provider_failed(facts) else None


def _provider_failed(facts: Facts) -> bool:
    return facts.get("error_code") == "REALTIME_001" or facts.get("end_cause") == "provider_failed"


def _provider_never_there(facts: Facts) -> Found:
    """It failed while the caller heard ringing, or nothing else is known of it."""
    row = facts.conversation
    gone = row.get("answered_at") is not None and facts.get("end_cause") == "provider_failed"
    return _fields(facts) if _provider_failed(facts) and not gone else None


def _trouble_survived(facts: Facts) -> Found:
    line = facts.logged("provider.trouble")
    if line is None or _provider_failed(facts):
        return None
    return {**_fields(facts), "reason": _texts(facts, ("provider.trouble",))[0]}


def _transfer(*statuses: str) -> Callable[[Facts], Found]:
    def holds(facts: Facts) -> Found:
        last = facts.transfers[-1] if facts.transfers else None
        if last is None or last.get("status") not in statuses:
            return None
        cause = last.get("hangup_cause") or last["status"]
        return {**_fields(facts), "destination": last.get("destination"), "why": cause}

    return holds


def _hub_late(facts: Facts) -> Found:
    worst_ms = max((line.get("lag_ms", 0) for line in facts.lines), default=0)
    return {"lag_ms": round(worst_ms)} if worst_ms >= HUB_LATE_MS else None


def _answers_late(facts: Facts) -> Found:
    """The slowest answer, and the part of it that took longest."""
    timed = [turn for turn in facts.turns if turn.get("total_ms") is not None]
    worst = max(timed, key=lambda turn: turn["total_ms"], default=None)
    if worst is None or worst["total_ms"] < LATE_MS:
        return None
    parts = {name: worst.get(f"{name}_ms") or 0 for name in ("network", "model", "buffer")}
    part = max(parts, key=lambda name: parts[name])
    return {"took_ms": worst["total_ms"], "part": part, "part_ms": parts[part], **_fields(facts)}


def _function_failed(facts: Facts) -> Found:
    bad = [one for one in facts.function_calls if one.get("status") in ("failed", "timeout")]
    return {"name": bad[-1]["function_name"], "why": bad[-1].get("error") or bad[-1]["status"]} \
        if bad else None  # fmt: skip


def _going_on(facts: Facts) -> Found:
    return _fields(facts) if facts.conversation and not facts.conversation.get("ended_at") else None


def _unknown(facts: Facts) -> Found:
    return {} if not facts.conversation else None


def _in_spool(facts: Facts) -> Found:
    return {} if facts.in_spool else None


def _any(_facts: Facts) -> Found:
    return _fields(_facts)


def _fields(facts: Facts) -> dict[str, Any]:
    row = {name: value for name, value in facts.conversation.items() if value is not None}
    row.setdefault("reason", row.get("end_cause", ""))
    row["turns"] = sum(turn.get("role") == "assistant" for turn in facts.turns)
    return row


def _texts(facts: Facts, events: Sequence[str]) -> list[str]:
    """What the log says of `events`, the last first."""
    return [
        " ".join(
            str(line[key])
            for key in ("kind", "code", "message", "why", "error", "text")
            if line.get(key)
        )
        for line in reversed(facts.lines)
        if line.get("event") in events
    ]


# --- the table ------------------------------------------------------------------------------------

_PLAIN = frozenset({"going_on", "transferred", "completed", "other"})
"""Rows that say how the call went, and explain nothing."""

CAUSES: tuple[tuple[str, Callable[[Facts], Found]], ...] = (
    ("internal", _is(error_code="INTERNAL")),
    ("worker_lost", _is(end_cause="worker_lost|stopped")),
    ("event_socket_lost", _is(end_cause="event_socket_lost")),
    ("closed", _is(end_cause="closed")),
    ("budget", _reason(r"\bbudget of the")),
    ("full", _is(end_cause="overflow")),
    (
        "no_module",
        _reason(
            r"mod_audio_stream did not connect|uuid_audio_stream|mod_audio_stream:",
            "media.stream_error",
        ),
    ),
    ("stream_lost", _is(end_cause="stream_lost")),
    (
        "provider_key",
        _provider(r"\b401\b|\b403\b|authentication|invalid.{0,9}key|unauthori[sz]ed|forbidden"),
    ),
    ("provider_quota", _provider(r"quota|insufficient|billing|credit|\b402\b")),
    ("provider_rate", _provider(r"rate.?limit|\b429\b|too many")),
    ("provider_unusable", _reason(r"no provider can be used")),
    ("provider_unreachable", _provider_never_there),
    ("provider_lost", _is(end_cause="provider_failed")),
    ("settings", _is(error_code="REALTIME_007|REALTIME_006")),
    ("not_ours", _is(end_cause="not_ours|invalid|turn_based")),
    ("transfer_no_answer", _transfer("no_answer", "no_verdict")),
    ("transfer_not_taken", _transfer("busy", "declined")),
    ("transfer_failed", _transfer("unreachable", "failed", "human_left")),
    ("broken", _is(outcome="failed|fallback")),
    ("hub_late", _hub_late),
    ("provider_saved", _trouble_survived),
    ("function_failed", _function_failed),
    ("answers_late", _answers_late),
    ("abandoned", _is(outcome="abandoned")),
    ("caller_silent", _is(end_cause="caller_silent")),
    ("limit", _is(end_cause="max_duration|max_turns|drained")),
    ("unknown", _unknown),
    ("in_spool", _in_spool),
    ("going_on", _going_on),
    ("transferred", _is(outcome="transferred")),
    ("completed", _is(outcome="completed")),
    ("other", _any),
)
