"""docs/functions-faults.md: what came of every function in every situation, without the times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.integration.function_house import AFTER, Told

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "functions-faults.md"
SEEN = ROOT / "build" / "functions-faults.md"
INTRODUCTION = """\
<!-- Made by tests/integration/test_call_function_table.py, which holds these calls: it leaves the
page in build/functions-faults.md. -->

# What can go wrong with functions

Each line is a whole call on the simulator: a caller asks, the model calls the
[function](functions.md), and this came of it. A system is *down* (no connection), *slow* (2.5
seconds), runs into the *time-out* (it never answers), *refuses* (422), answers too much (*huge*) or
nonsense (*wrong*). Within a second the caller hears the agent, words of ours or music, and is never
longer in silence. What is noted as an errand is [delivered later](errands.md).
`stock_of` and `place_order` are functions of a tenant's own by GET and POST, `shop_…` tools of an
MCP server.
"""
HEAD = ("situation", "the caller hears", "the model is told", "the row")
_MASKS = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d \(\w+\)", "…"),
    (r"\d{4}-\d\d-\d\d", "…"),
    (r"[0-9a-f]{8}-[0-9a-f-]{27}", "…"),
    (r"(T|a)-\d+", r"\1-…"),
    (r"\d+\.\d+ s\b", "… s"),
    (r' to server on socket "[^"]+"', ""),
    (r"\s+", " "),
)
"""What differs from run to run, or says nothing."""


def written(told: Sequence[Told]) -> str:
    """The page, left in SEEN."""
    page = made(told)
    SEEN.parent.mkdir(exist_ok=True)
    SEEN.write_text(page, encoding="utf-8")
    return page


def compare(page: str) -> None:
    """Raises AssertionError where what was seen is not the page that is kept."""
    kept = PAGE.read_text("utf-8") if PAGE.exists() else ""
    changed = [line for line in page.splitlines() if line not in kept.splitlines()]
    assert page == kept, f"if this is right, cp {SEEN} {PAGE}: {changed[:3]}"


def made(told: Sequence[Told]) -> str:
    """The page."""
    parts = [INTRODUCTION]
    function = ""
    for one in sorted(told, key=lambda one: _place(one, told)):
        if one.cell.function != function:
            function = one.cell.function
            parts.append(f"\n## `{function}`\n\n{_line(HEAD)}{_line(['---'] * len(HEAD))}")
        row = f"{one.rows[0][0]}" + (f": {one.rows[0][1]}" if one.rows[0][1] else "")
        kept = f"{row}; errand `{'`, `'.join(one.errands)}`" if one.errands else row
        cells = (one.cell.situation, _heard(one), one.model or "nothing: it is over", kept)
        parts.append(_line(_masked(cell) for cell in cells))
    return "".join(parts)


def _place(one: Told, told: Sequence[Told]) -> int:
    """Functions in the order of their first cells."""
    return next(i for i, two in enumerate(told) if two.cell.function == one.cell.function)


def measured(told: Iterable[Told]) -> str:
    """The table with its times, for people."""
    lines = [f"{'':46} first s  silence s  function s  row"]
    for one in told:
        first = "-" if one.first_s is None else f"{one.first_s:.2f}"
        lasted = one.rows[0][4] if one.rows else 0.0
        status = one.rows[0][0] if one.rows else "none"
        lines.append(
            f"{one.cell.name:46} {first:>7} {one.silence_s:10.2f} {lasted:11.2f}  {status}"
        )
    return "\n".join(lines)


def _heard(one: Told) -> str:
    assert one.tenant is not None
    spoken = [words for record in one.tenant.records for words in record.spoken]
    own = "the message" if one.cell.outbound else "the agent's answer"
    said = [own if words in (AFTER, "Well.", "Please call back.") else f"“{words}”"
            for words in spoken[0 if one.cell.outbound else 1 :]]  # fmt: skip
    first = ["words of ours"] if one.cell.waits else []
    return ", ".join(dict.fromkeys(first + said)) or "who he was connected to"


def _masked(text: str) -> str:
    for pattern, stands_for in _MASKS:
        text = re.sub(pattern, stands_for, text)
    return text


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
