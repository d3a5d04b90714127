"""Handler: which columns there are to set, and what each takes: what pages make their forms of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from esl_controller.tenants.columns.column import Column, Use
from esl_controller.tenants.fields import FUNCTION, PROVIDER, SECRETARY, TENANT, Subject
from esl_controller.web.api.remarks import expected
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer
from esl_controller.web.words.columns import help_of


class ColumnView(_Answer, frozen=True):
    """One column."""

    name: str
    expected: str
    """What it takes, in the words of `FieldRemark.expected`."""
    default: Any
    """As JSON; null where nothing is the default."""
    needed: bool
    """A row without it, or with a wrong value in it, cannot be used."""
    least: float | None
    most: float | None
    choices: Sequence[str]
    help: str
    """In the language asked for (`Accept-Language`: en, pt, es)."""


class Columns(_Answer, frozen=True):
    """Those of each kind of row, in the order of the guides."""

    secretary: Sequence[ColumnView]
    provider: Sequence[ColumnView]
    settings: Sequence[ColumnView]
    function: Sequence[ColumnView]


def list_columns(resources: Resources, request: Request) -> Columns:
    """Of this version, whatever the database has besides."""
    return Columns(
        secretary=_of(SECRETARY, request.language),
        provider=_of(PROVIDER, request.language),
        settings=_of(TENANT, request.language),
        function=_of(FUNCTION, request.language),
    )


def _of(subject: Subject, language: str) -> list[ColumnView]:
    return [_view(field.name, subject.rules[field.name], language) for field in subject.fields()]


def _view(name: str, column: Column, language: str) -> ColumnView:
    least, most = column.rule.limits or (None, None)
    return ColumnView(
        name=name,
        expected=expected(name, column),
        default=column.default,
        needed=column.use is Use.NEEDED and not column.may_be_empty and column.default is None,
        least=least,
        most=most,
        choices=column.rule.choices,
        help=help_of(column.meaning, language),
    )
