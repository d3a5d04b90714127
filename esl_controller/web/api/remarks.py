"""What is wrong with a row, so that a page can say it at the field and in its own language."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from esl_controller.tenants import checks
from esl_controller.tenants.checks import Rule
from esl_controller.tenants.columns.column import Column
from esl_controller.tenants.editing import FieldProblem
from esl_controller.tenants.fields import Subject
from esl_controller.web.words.told import told

_OF_RULE = (
    (checks.FLAG, "flag"),
    (checks.UUID, "uuid"),
    (checks.LIST, "list"),
    (checks.OBJECT, "object"),
    (checks.DIALABLE, "dialable"),
    (checks.LANGUAGE, "language"),
    (checks.TIME_ZONE, "time_zone"),
    (checks.URL, "url"),
    (checks.HEADERS, "headers"),
    (checks.VOICE_SETTINGS, "voice_settings"),
    (checks.MONEY, "money"),
    (checks.SEALED, "key"),
)
_OF_COLUMN = {"transfer_rules": "transfer_rules", "business_hours": "hours"}


class FieldRemark(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong with what was sent."""

    field: str | None
    """Null when it is not one field's fault."""
    message: str
    """In the language asked for (`Accept-Language`: en, pt, es)."""
    kind: str = "wrong"
    """What is the matter: `wrong`, `needed`, `unknown`, `taken` (by another row), `foreign` (of
    another domain), `together` (good alone), `refused` (by the database)."""
    expected: str | None = None
    """What the field takes: `text`, `choice`, `whole`, `number`, `money`, `flag`, `uuid`, `list`,
    `object`, `dialable`, `language`, `time_zone`, `url`, `headers`, `transfer_rules`,
    `voice_settings`, `hours`, `key` (which is sealed, and never shown)."""
    least: float | None = None
    most: float | None = None
    choices: Sequence[str] = ()


def remarks(subject: Subject, problems: Sequence[FieldProblem], language: str) -> list[FieldRemark]:
    """What was found, with what the field's rule allows."""
    said = [one._replace(message=told(one.message, language)) for one in problems]
    return [_remark(subject, problem) for problem in said]


def expected(name: str, column: Column) -> str:
    """What a column takes, in one word."""
    rule = column.rule
    known = [word for one, word in _OF_RULE if one is rule]
    if known or name in _OF_COLUMN:
        return known[0] if known else _OF_COLUMN[name]
    if isinstance(column.default, list):
        return "list"
    if rule.choices:
        return "choice"
    if rule.limits is None:
        return "text"
    return "number" if _takes_fractions(rule, rule.limits[0]) else "whole"


def _takes_fractions(rule: Rule, least: float) -> bool:
    try:
        rule.read(least + 0.5)
    except ValueError:
        return False
    return True


def _remark(subject: Subject, problem: FieldProblem) -> FieldRemark:
    column = subject.rules.get(problem.field or "")
    if column is None:
        return FieldRemark(field=problem.field, message=problem.message, kind=problem.kind)
    least, most = column.rule.limits or (None, None)
    return FieldRemark(
        field=problem.field,
        message=problem.message,
        kind=problem.kind,
        expected=expected(problem.field or "", column),
        least=least,
        most=most,
        choices=column.rule.choices,
    )
