"""One conversation in full, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from esl_controller.money.ledger import SUMMARY

_WHO = {"user": "caller", "assistant": "agent", "dtmf": "keys", "system": "system"}
_PARTS = ("network_ms", "model_ms", "buffer_ms", "playout_ms")


def call_told(found: Mapping[str, Any]) -> str:
    """What was said and done in it, in the order it happened, and how it ended."""
    one = found["conversation"]
    began: datetime = one["started_at"]
    events = [
        *((turn["started_at"], turn_told(turn)) for turn in found["turns"]),
        *((call["started_at"], _function(call)) for call in found["function_calls"]),
        *((transfer["started_at"], _transfer(transfer)) for transfer in found["transfers"]),
    ]
    said = [
        f"{_after(began, at)}  {text}" for at, text in sorted(events, key=lambda event: event[0])
    ]
    return "\n".join([*_head(found, one), "", *(said or ["Nothing was said."]), "", *_end(found)])


def _head(found: Mapping[str, Any], one: Mapping[str, Any]) -> list[str]:
    caller = " ".join(filter(None, [one["caller_id"], one["caller_name"]])) or "unknown"
    model = " ".join(filter(None, [one["provider"], one["model"]])) or "no provider"
    return [
        f"call          {one['call_uuid']}",
        f"conversation  {one['conversation_uuid']}",
        f"from          {caller}",
        f"to            {one['destination'] or 'unknown'} at {found['domain']}",
        f"began         {one['started_at'].astimezone():%Y-%m-%d %H:%M:%S}",
        f"provider      {model}",
        f"worker        {one['worker'] or 'unknown'}",
    ]


def turn_told(turn: Mapping[str, Any]) -> str:
    """Who said what, whether to its end, and how long an answer took."""
    text = f"{_WHO.get(turn['role'], turn['role'])}: {turn['content']}"
    if turn["interrupted"]:
        heard = turn["heard_ms"]
        text += " [cut off]" if heard is None else f" [cut off after {heard} ms]"
    if turn["total_ms"] is not None:
        parts = [f"{name[:-3]} {turn[name]}" for name in _PARTS if turn[name] is not None]
        text += f"  ({turn['total_ms']} ms: {', '.join(parts)})" if parts else ""
    return text


def _function(call: Mapping[str, Any]) -> str:
    arguments = json.dumps(call["arguments"], ensure_ascii=False, default=str)
    text = f"function {call['function_name']}({arguments}): {call['status']}"
    return f"{text}: {call['error']}" if call["error"] else text


def _transfer(transfer: Mapping[str, Any]) -> str:
    text = f"transfer ({transfer['transfer_type']}) to {transfer['destination']}: "
    text += transfer["status"]
    cause = transfer["hangup_cause"]
    return f"{text} ({cause})" if cause else text


def _end(found: Mapping[str, Any]) -> list[str]:
    one = found["conversation"]
    if one["ended_at"] is None:
        return ["It is going on."]
    why = ", ".join(filter(None, [one["end_cause"], one["error_code"]]))
    lines = [f"outcome       {one['outcome']}" + (f" ({why})" if why else "")]
    if one.get("reason"):
        lines.append(f"reason        {one['reason']}")
    lines.append(f"lasted        {one['duration_seconds'] or 0} s")
    if one["avg_latency_ms"] is not None:
        lines.append(f"answers       {one['avg_latency_ms']} ms on average")
    return [*lines, *_usage(found["usage"], found["cost_usd"]), *_shares(found)]


def _usage(usage: Sequence[Mapping[str, Any]], cost_usd: Any) -> list[str]:
    if not usage:
        return []
    tokens = [
        sum(row[f"{side}_{kind}_tokens"] for row in usage)
        for side in ("input", "output")
        for kind in ("text", "audio")
    ]
    text = "tokens        in {} text, {} audio; out {} text, {} audio".format(*tokens)
    cost = "could not be priced" if cost_usd is None else f"{cost_usd} USD"
    lines = [text, f"cost          {cost}"]
    summary = [row["cost_usd"] for row in usage if row["purpose"] == SUMMARY]
    if summary:
        known = [one for one in summary if one is not None]
        of_it = f"{sum(known)} USD" if known else "could not be priced"
        lines.append(f"  of summary  {of_it}")
    return lines


def _shares(found: Mapping[str, Any]) -> list[str]:
    """Each provider's part of the cost, where several have one."""
    labels = {None: "(none)", **found.get("providers", {})}
    parts: dict[str | None, Decimal] = {}
    for row in found["usage"]:
        if row["cost_usd"] is not None:
            key = row["voice_realtime_provider_uuid"]
            parts[key] = parts.get(key, Decimal(0)) + row["cost_usd"]
    if len(parts) < 2:
        return []
    return [
        f"  by provider {labels.get(key, '(removed)')}: {usd} USD" for key, usd in parts.items()
    ]


def _after(began: datetime, at: datetime) -> str:
    """Minutes and seconds since the call began."""
    seconds = max(0.0, (at - began).total_seconds())
    return f"{int(seconds // 60):02}:{seconds % 60:04.1f}"
