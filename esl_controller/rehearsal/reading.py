"""From a file of scenarios to a rehearsal, or to everything that is wrong with it. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from esl_controller.rehearsal.scenario import (
    Emulated,
    Expected,
    Line,
    Pattern,
    Rehearsal,
    Scenario,
    WantedCall,
    is_expression,
)
from esl_controller.rehearsal.table import Table
from esl_controller.tenants import rules
from esl_controller.tenants.columns.secretary import SECRETARY
from esl_controller.tenants.rules import ConfigError

OUTCOMES = ("completed", "transferred", "timeout", "abandoned", "fallback", "refused", "failed")
_DIGITS = re.compile(r"[0-9*#]{1,32}", re.ASCII)
_NO_UUID = "00000000-0000-4000-8000-000000000000"


class ScenarioError(Exception):
    """A file that cannot be rehearsed; a line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def read_rehearsal(text: str, source: str, stored: Mapping[str, Any] | None = None) -> Rehearsal:
    """Read a file.

    Args:
        source: its name, for reports.
        stored: the row of the secretary that the file changes; None: it stands in the file.

    Raises:
        ScenarioError: with everything that is wrong.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError([f"is no TOML: {error}"]) from None
    problems: list[str] = []
    top = Table(values, "", problems)
    secretary = dict(top.values("secretary"))
    if stored is None and not secretary:
        top.wrong("secretary", "is missing: who answers?")
    problems += _secretary_problems(secretary, "secretary")
    scenarios = [_scenario(one, secretary, problems) for one in top.tables("scenario")]
    if not scenarios:
        top.wrong("scenario", "there must be one or more")
    names = [one.name for one in scenarios]
    for name in sorted({name for name in names if names.count(name) > 1}):
        top.wrong("scenario", f"two are named {name!r}")
    language = top.text("language", str({**(stored or {}), **secretary}.get("language") or "en"))
    company = top.text("company")
    top.done()
    if problems:
        raise ScenarioError(problems)
    return Rehearsal(source, language, company, secretary, scenarios)


def _secretary_problems(columns: Mapping[str, Any], path: str) -> list[str]:
    """What is wrong with the columns; here what would only be a warning in the database, too."""
    said = [
        f"{path}.{name}: there is no such column"
        for name in sorted(columns.keys() - SECRETARY.keys())
    ]
    row = {"secretary_realtime_uuid": _NO_UUID, "domain_uuid": _NO_UUID, "secretary_name": path}
    warnings: list[str] = []
    try:
        rules.secretary({**row, **columns}, warnings)
    except ConfigError as error:
        warnings += error.problems
    return said + [f"{path}: {one.partition(': ')[2]}" for one in warnings]


def _scenario(table: Table, secretary: Mapping[str, Any], problems: list[str]) -> Scenario:
    name = table.text("name", needed=True)
    table.path = f"scenario {name!r}" if name else table.path
    changed = table.values("secretary")
    if changed:
        problems += _secretary_problems({**secretary, **changed}, f"{table.path}.secretary")
    found = Scenario(
        name,
        [_line(one) for one in table.tables("caller")],
        _expected(table.table("expect")),
        table.text("caller_name", "Caller"),
        table.text("caller_number", "5551000"),
        changed,
    )
    table.done()
    return found


def _line(table: Table) -> Line:
    given = [name for name in ("says", "wav", "presses") if name in table]
    if len(given) != 1:
        table.wrong("", "must have one of says, wav and presses")
    presses = table.text("presses")
    if presses and not _DIGITS.fullmatch(presses):
        table.wrong("presses", "must be digits, * and #, at most 32")
    line = Line(
        table.text("says"),
        table.text("wav"),
        presses,
        table.seconds("pause_s", 60),
        table.seconds("interrupts_after_s", 60),
        _emulated(table.table("emulated")),
    )
    table.done()
    return line


def _emulated(table: Table) -> Emulated:
    found = Emulated(
        table.text("says"), table.text("told"), _calls(table, "calls"), table.text("then")
    )
    table.done()
    return found


def _expected(table: Table) -> Expected:
    outcome = table.text("outcome")
    if outcome and outcome not in OUTCOMES:
        table.wrong("outcome", f"must be one of {', '.join(OUTCOMES)}")
    found = Expected(
        said=_patterns(table, "said"),
        not_said=_patterns(table, "not_said"),
        asked=_patterns(table, "asked"),
        calls=_calls(table, "calls"),
        not_called=table.texts("not_called"),
        outcome=outcome,
        goes_to=table.text("goes_to"),
        greets_within_s=table.seconds("greets_within_s"),
        answers_within_s=table.seconds("answers_within_s"),
        lasts_at_most_s=table.seconds("lasts_at_most_s"),
    )
    table.done()
    return found


def _patterns(table: Table, name: str) -> tuple[Pattern, ...]:
    for text in table.texts(name):
        if is_expression(text):
            try:
                re.compile(text[1:-1])
            except re.error as error:
                table.wrong(name, f"{text} is no regular expression: {error}")
    return tuple(Pattern(text) for text in table.texts(name))


def _calls(table: Table, name: str) -> tuple[WantedCall, ...]:
    found = []
    for one in table.tables(name):
        found.append(WantedCall(one.text("name", needed=True), one.values("arguments")))
        one.done()
    return tuple(found)
