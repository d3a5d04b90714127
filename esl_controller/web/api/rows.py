"""Bodies and answers made from the columns a row has, as the command line's options are."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from esl_controller.tenants.fields import Field, Shape, Subject

Money = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9]{1,9}(\\.[0-9]{1,2})?$",
        max_length=12,
        description="USD.",
        examples=["25.00"],
    ),
]
_TYPES: dict[Shape, Any] = {
    Shape.TEXT: str,
    Shape.FLAG: bool,
    Shape.WHOLE: int,
    Shape.NUMBER: float,
    Shape.OBJECT: dict[str, Any],
    Shape.LIST: list[Any],
}
MONEY = "_usd"
"""How the names of amounts end."""


def request_type(subject: Subject, name: str, *, without: tuple[str, ...] = ()) -> type[Any]:
    """What a page sends: any of the columns; null or nothing stands for the default."""
    fields: list[Any] = [
        (field.name, _sent(field) | None | msgspec.UnsetType, msgspec.UNSET)
        for field in subject.fields()
        if field.name not in without
    ]
    return _struct(name, fields, f"Columns of a {subject.noun}; null is the default.")


def answer_type(subject: Subject, name: str, *, without: tuple[str, ...] = (), **more: Any) -> Any:
    """What is answered: the row as it is stored."""
    keys = dict.fromkeys((subject.table.key, "domain_uuid"), str)
    fields: list[Any] = [*keys.items()]
    fields += [
        (field.name, _type(field) | None) for field in subject.fields() if field.name not in without
    ]
    return msgspec.defstruct(
        name,
        [*fields, *more.items()],
        frozen=True,
        kw_only=True,
        namespace={"__doc__": f"A {subject.noun} as it is stored."},
    )


def values_of(body: Any) -> dict[str, Any]:
    """The columns a body names; amounts as numbers."""
    given = {name: getattr(body, name) for name in body.__struct_fields__}
    return {
        name: Decimal(value) if name.endswith(MONEY) and value is not None else value
        for name, value in given.items()
        if value is not msgspec.UNSET
    }


def answer_of(kind: Any, row: Mapping[str, Any]) -> Any:
    """A row as its answer: numbers are numbers, amounts are text."""
    return kind(**{name: _shown(name, row.get(name)) for name in kind.__struct_fields__})


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:.2f}" if name.endswith(MONEY) else float(value)
    return list(value) if isinstance(value, tuple) else value


def _struct(name: str, fields: list[Any], text: str) -> type[Any]:
    return msgspec.defstruct(
        name,
        fields,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        namespace={"__doc__": text},
    )


def _sent(field: Field) -> Any:
    kind = _type(field)
    return Annotated[kind, msgspec.Meta(description=field.help)] if field.help else kind


def _type(field: Field) -> Any:
    return Money if field.name.endswith(MONEY) else _TYPES[field.shape]
