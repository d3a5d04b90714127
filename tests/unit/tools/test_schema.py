"""Arguments of a model against the schema it was given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.tools.schema import SchemaUnsupported, problem

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5, "description": "Whose."},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "price": {"type": ["number", "null"]},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "minItems": 1},
        "inner": {
            "type": "object",
            "properties": {"flag": {"type": "boolean"}},
            "required": ["flag"],
            "additionalProperties": False,
        },
    },
    "required": ["name"],
}


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "Ana"},
        {"name": "Ana", "count": 1.0, "price": None, "colour": "red", "tags": ["a", "b"]},
        {"name": "Ana", "inner": {"flag": False}, "unknown": object()},
    ],
)
def test_what_fits(arguments: dict[str, Any]) -> None:
    assert problem(arguments, SCHEMA) is None


@pytest.mark.parametrize(
    "change, words",
    [
        ({"name": 5}, "name must be of type string"),
        ({"name": ""}, "name must have at least 1"),
        ({"name": "Maria!"}, "name must have at most 5"),
        ({"count": 0}, "count must be at least 1"),
        ({"count": 10}, "count must be at most 9"),
        ({"count": 1.5}, "count must be of type integer"),
        ({"count": True}, "count must be of type integer"),
        ({"count": float("nan")}, "count must be of type integer"),
        ({"price": "1"}, "price must be of type number or null"),
        ({"colour": "green"}, "colour must be one of red, blue"),
        ({"tags": "a"}, "tags must be of type array"),
        ({"tags": []}, "tags must have at least 1"),
        ({"tags": ["a", 1]}, "tags[1] must be of type string"),
        ({"inner": {}}, "inner must have flag"),
        ({"inner": {"flag": True, "x": 1}}, "inner must not have 'x'"),
    ],
)
def test_what_does_not_is_said(change: dict[str, Any], words: str) -> None:
    assert problem({"name": "Ana"} | change, SCHEMA) == f"{words}."


def test_the_outermost_is_named_in_words() -> None:
    assert problem([], SCHEMA) == "The arguments must be of type object."
    assert problem({}, SCHEMA) == "The arguments must have name."


def test_a_list_of_values_may_be_advice_only() -> None:
    arguments = {"name": "Ana", "colour": "green"}
    assert problem(arguments, SCHEMA, suggested={"colour"}) is None
    assert problem({"name": "Ana", "colour": 5}, SCHEMA, suggested={"colour"}) is not None


def test_a_rule_that_is_not_checked_is_refused() -> None:
    with pytest.raises(SchemaUnsupported, match="pattern"):
        problem({"x": "a"}, {"properties": {"x": {"pattern": "^a"}}})


def test_depth_has_a_limit() -> None:
    schema: dict[str, Any] = {}
    schema.update({"items": schema})
    value: list[Any] = []
    for _ in range(100):
        value = [value]
    assert "nested too deeply" in (problem(value, schema) or "")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=10,
)


@given(_JSON | st.fixed_dictionaries({"name": _JSON, "inner": _JSON, "tags": _JSON}))
def test_anything_is_judged_and_nothing_raises(value: Any) -> None:
    found = problem(value, SCHEMA)
    assert found is None or found.endswith(".")
