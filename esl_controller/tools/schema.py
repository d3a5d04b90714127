"""Whether a model's arguments are what a function's JSON Schema says. Pure.

jsonschema-rs checks: in Rust, without a network, and with regular expressions that take linear
time, since a schema may be a tenant's and arguments are anybody's.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import jsonschema_rs

MAX_WORDS = 300
_THE_VALUE = "the value"
"""Stands for what the model wrote: refusals are stored, and it may have written a card number."""


class SchemaWrong(ValueError):
    """What stands for a schema is none, or refers to something outside it."""


class Arguments:
    """What one function takes.

    Raises SchemaWrong.
    """

    def __init__(self, schema: Mapping[str, Any], *, suggested: Container[str] = ()) -> None:
        """`suggested`: properties of the outermost object whose `enum` is advice, not a rule."""
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                _without_advice(schema, suggested),
                mask=_THE_VALUE,
                offline=True,
                validate_formats=True,
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        except ValueError as error:
            raise SchemaWrong(str(error).partition("\n")[0][:MAX_WORDS]) from None

    def problem(self, value: Any) -> str | None:
        """The first thing that is wrong, in words for the model; None when all fits."""
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            where = _path(error.instance_path)
            return f"{where}: {error.message[:MAX_WORDS]}. Correct it and call again."
        return None


def _without_advice(schema: Mapping[str, Any], suggested: Container[str]) -> dict[str, Any]:
    properties = {
        name: {rule: of for rule, of in inner.items() if rule != "enum"}
        if name in suggested
        else inner
        for name, inner in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties}


def _path(steps: list[str | int]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return path.removeprefix(".")[:64] or "The arguments"
