"""What an entry of `transfer_rules` may say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from esl_controller.tenants.checks import (
    DIALABLE,
    OBJECT,
    PartlyWrong,
    Rule,
    Words,
    choice,
    did_you_mean,
    text,
    whole,
)

MAX_TRANSFER_RULES = 256
MAX_NEXT = 8
"""Names in one list of a rule."""
KINDS = ("extension", "ring_group", "queue", "ivr", "external", "voicemail")
MODES = ("blind", "announced", "attended")
FALLBACKS = ("ai", "next", "voicemail", "ticket", "callback", "message", "hand_back")
OUTCOMES = (
    "busy",
    "no_answer",
    "declined",
    "unreachable",
    "no_verdict",
    "human_left",
    "failed",
)
RING_S = whole(5, 120)


def _fallback(value: Any) -> Any:
    if isinstance(value, str):
        return choice(*FALLBACKS).read(value)
    for outcome, what in OBJECT.read(value).items():
        if outcome not in OUTCOMES:
            raise ValueError(f"{outcome!r:.30} is no outcome{did_you_mean(str(outcome), OUTCOMES)}")
        choice(*FALLBACKS).read(what)
    return value


def _next(value: Any) -> Any:
    if not isinstance(value, list) or len(value) > MAX_NEXT:
        raise ValueError(f"must be a JSON list of at most {MAX_NEXT} names or numbers")
    return [text(100).read(one) for one in value]


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "kind": choice(*KINDS).read,
    "mode": choice(*MODES).read,
    "ring_seconds": RING_S.read,
    "fallback": _fallback,
    "mailbox": DIALABLE.read,
    "next": _next,
    "aliases": _next,
}
"""Fields beside `destination`, `department` and `description`; a wrong one is left out."""


def _read(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Those that can be dialled; a wrong one costs itself, a wrong field of one the field."""
    if not isinstance(value, list) or len(value) > MAX_TRANSFER_RULES:
        raise ValueError(f"must be a JSON list of at most {MAX_TRANSFER_RULES}")
    rules, problems = [], []
    for place, entry in enumerate(value, 1):
        try:
            DIALABLE.read(OBJECT.read(entry).get("destination"))
        except ValueError as error:
            field = "destination " if isinstance(entry, Mapping) else ""
            problems.append(f"entry {place}: {field}{error}")
        else:
            rules.append(_usable(entry, place, problems))
    if problems:
        raise PartlyWrong(problems, tuple(rules))
    return tuple(rules)


def _usable(entry: Mapping[str, Any], place: int, problems: list[str]) -> Mapping[str, Any]:
    wrong = set()
    for name, read in _FIELDS.items():
        try:
            if entry.get(name) is not None:
                read(entry[name])
        except ValueError as error:
            problems.append(f"entry {place}: {name} {error}; it is left out")
            wrong.add(name)
    return {name: value for name, value in entry.items() if name not in wrong} if wrong else entry


TRANSFER_RULES = Rule(
    _read,
    Words(
        'list of `{"department": …, "destination": "1000", "description": …}`; see '
        "[transfers](transfers.md)",
        'lista de `{"department": …, "destination": "1000", "description": …}`; veja '
        "[transferências](transferencias.md)",
    ),
)
