"""Options made from the columns a row has, and rows shown: a new column needs no code here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from esl_controller.tenants.editing import EditError, FieldProblem
from esl_controller.tenants.fields import Field, Shape, Subject, parse_text

MAX_FILE_BYTES = 1_000_000
_SHORT = {
    "secretary_name": "--name",
    "provider_label": "--label",
    "system_prompt": "--prompt",
    "first_message": "--greeting",
    "voice_id": "--voice",
    "realtime_provider": "--kind",
    "function_kind": "--kind",
    "http_method": "--method",
}
"""Names that are quicker to type, beside the columns' own."""


def column_options(
    subject: Subject, *, without: Iterable[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each column, and the arguments NAME=VALUE."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        for field in reversed(subject.fields()):
            if field.name not in without:
                function = _option(field)(function)
        return click.argument("pairs", nargs=-1, metavar="[NAME=VALUE]...")(function)

    return decorate


def _option(field: Field) -> Callable[[Callable[..., None]], Callable[..., None]]:
    names = [f"--{field.name.replace('_', '-')}", *filter(None, [_SHORT.get(field.name)])]
    return click.option(
        *names,
        f"column_{field.name}",
        metavar=_metavar(field),
        help=field.help or None,
        shell_complete=lambda _context, _parameter, begun: [
            choice for choice in _choices(field) if choice.startswith(begun)
        ],
    )


def _metavar(field: Field) -> str:
    if choices := _choices(field):
        return "|".join(choices)
    if field.is_json:
        return "JSON|@FILE"
    return "TEXT|@FILE" if field.shape is Shape.TEXT else field.shape.name


def _choices(field: Field) -> Sequence[str]:
    return ("true", "false") if field.shape is Shape.FLAG else field.choices


def given_values(subject: Subject, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the options and NAME=VALUE arguments of a command say. Raises EditError."""
    fields = {field.name: field for field in subject.fields()}
    texts = {
        name.removeprefix("column_"): text
        for name, text in options.items()
        if name.startswith("column_") and text is not None
    }
    problems: list[FieldProblem] = []
    for pair in options.get("pairs", ()):
        name, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"{pair!r} is not of the form NAME=VALUE")
        if name in texts:
            raise click.UsageError(f"{name} is given twice")
        texts[name.replace("-", "_")] = text
    values: dict[str, Any] = {}
    for name, text in texts.items():
        try:
            field = fields.get(name)
            values[name] = text if field is None else parse_text(field, _content(field, text))
        except ValueError as error:
            problems.append(FieldProblem(name, str(error)))
    if problems:
        raise EditError(problems)
    return values


def _content(field: Field, text: str) -> str:
    """The text itself, or what is in the file after `@`; `@@` begins a text with one `@`."""
    if not text.startswith("@") or not (field.is_json or field.shape is Shape.TEXT):
        return text
    if text.startswith("@@"):
        return text[1:]
    try:
        with Path(text[1:]).open("rb") as file:
            return file.read(MAX_FILE_BYTES).decode().rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read from {text[1:]}: {error}") from None


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], none: str) -> str:
    """Rows below their columns' names."""
    if not rows:
        return none
    cells = [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in [columns, *cells]]
    return "\n".join(lines)


def one_row(row: Mapping[str, Any]) -> str:
    """A row, a column a line; what is not set is left out."""
    shown = {name: _cell(value) for name, value in row.items()}
    width = max(map(len, shown))
    return "\n".join(
        f"{name:<{width}}  " + text.replace("\n", "\n" + " " * (width + 2))
        for name, text in shown.items()
        if text
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
