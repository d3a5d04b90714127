"""The columns people set, described: what commands and pages make their options and forms of.

Taken from the models and the rules, so that a new column is offered everywhere by itself.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from esl_controller.database.repository.configuration import (
    FUNCTIONS,
    PROVIDERS,
    SECRETARIES,
    SETTINGS,
    ConfigurationTable,
)
from esl_controller.database.repository.statements import Row
from esl_controller.tenants import rules
from esl_controller.tenants.columns.column import Column, Use
from esl_controller.tenants.columns.function import FUNCTION as FUNCTION_COLUMNS
from esl_controller.tenants.columns.provider import PROVIDER as PROVIDER_COLUMNS
from esl_controller.tenants.columns.secretary import SECRETARY as SECRETARY_COLUMNS
from esl_controller.tenants.columns.tenant import TENANT as TENANT_COLUMNS

READ_ONLY = ("domain_uuid", "mcp_catalogue")
"""Not for people to set: what an MCP server has told is asked for, never typed."""


class Shape(enum.Enum):
    """What a value looks like when a person writes it."""

    TEXT = "text"
    FLAG = "true|false"
    WHOLE = "integer"
    NUMBER = "number"
    OBJECT = "JSON object"
    LIST = "JSON list"


class Missing(ValueError):
    """Nothing stands where something must."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column that may be set."""

    name: str
    shape: Shape
    choices: Sequence[str] = ()
    help: str = ""

    @property
    def is_json(self) -> bool:
        """Whether it holds an object or a list."""
        return self.shape in (Shape.OBJECT, Shape.LIST)


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of row people edit."""

    noun: str
    table: ConfigurationTable
    check: Callable[..., Any]
    """Raises ConfigError; the list gets warnings."""
    rules: Mapping[str, Column]

    def read(self, name: str, value: Any) -> Any:
        """What is stored for a value of one column, the default for none. Raises ValueError."""
        column = self.rules[name]
        if value is None or (value == "" and column.default is None):
            if column.default is None and column.use is Use.NEEDED and not column.may_be_empty:
                raise Missing("is needed")
            return column.default
        column.rule.read(value)  # also what is partly wrong is refused where people type it
        return value

    def warnings(self, row: Row) -> Sequence[str]:
        """What is doubtful in a row that can be used."""
        said: list[str] = []
        self.check(row, said)
        return said

    def fields(self) -> tuple[Field, ...]:
        """Every column that may be set, in the table's order."""
        hints = typing.get_type_hints(self.table.model)
        return tuple(
            Field(name, _shape(hints[name]), column.rule.choices, column.meaning.en)
            for name, column in self.rules.items()
            if name not in (self.table.key, *READ_ONLY) and column.use is not Use.UNUSED
        )


MAX_DIGITS = 40
"""More than any number here: 1e999999999 would be a gigabyte."""


def parse_text(field: Field, text: str) -> Any:
    """A value as somebody typed it; nothing typed is None.

    What is no number and no flag stays a text, which the column's rule refuses together with what
    else is wrong with the row. Raises ValueError for what is no JSON, saying where.
    """
    if text == "":
        return None
    if field.is_json:
        return _json(text)
    if field.shape is Shape.FLAG:
        return _FLAGS.get(text.strip().lower(), text)
    if field.shape in (Shape.WHOLE, Shape.NUMBER):
        return _number(text)
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from None


def _number(text: str) -> int | Decimal | str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return text
    if not number.is_finite() or number.adjusted() > MAX_DIGITS:
        return text
    return int(number) if number == number.to_integral_value() else number


_FLAGS = dict.fromkeys(("true", "yes", "on", "1"), True)
_FLAGS |= dict.fromkeys(("false", "no", "off", "0"), False)

SECRETARY = Subject("secretary", SECRETARIES, rules.secretary, SECRETARY_COLUMNS)
PROVIDER = Subject("provider", PROVIDERS, rules.provider, PROVIDER_COLUMNS)
FUNCTION = Subject("function", FUNCTIONS, rules.function, FUNCTION_COLUMNS)
TENANT = Subject("tenant", SETTINGS, rules.tenant, TENANT_COLUMNS)


def _shape(hint: Any) -> Shape:
    kinds = [kind for kind in typing.get_args(hint) or (hint,) if kind is not type(None)]
    origin = typing.get_origin(hint)
    kind = origin if origin in _SHAPES else (typing.get_origin(kinds[0]) or kinds[0])
    if dataclasses.is_dataclass(kind):
        return Shape.OBJECT
    return _SHAPES.get(kind, Shape.TEXT)


_SHAPES: dict[Any, Shape] = {
    bool: Shape.FLAG,
    int: Shape.WHOLE,
    float: Shape.NUMBER,
    Decimal: Shape.NUMBER,
    typing.get_origin(Mapping[str, Any]): Shape.OBJECT,
    typing.get_origin(Sequence[Any]): Shape.LIST,
}
