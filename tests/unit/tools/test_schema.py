"""Arguments of a model against the schema it was given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.tools.schema import Arguments, SchemaWrong

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5, "description": "Whose."},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "day": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
    },
    "required": ["name"],
}


def problem(value: Any, schema: dict[str, Any] = SCHEMA, suggested: Any = ()) -> str | None:
    return Arguments(schema, suggested=suggested).problem(value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "Ana"},
        {"name": "Ana", "count": 1.0, "colour": "red", "tags": ["a", "b"], "day": "2026-12-01"},
        {"name": "Ana", "unknown": 1},
    ],
)
def test_what_fits(arguments: dict[str, Any]) -> None:
    assert problem(arguments) is None


@pytest.mark.parametrize(
    "change, words",
    [
        ({"name": 5}, 'name: the value is not of type "string"'),
        ({"name": "Maria!"}, "name: the value is longer than 5"),
        ({"count": 10}, "count: the value is greater than"),
        ({"count": True}, 'count: the value is not of type "integer"'),
        ({"colour": "green"}, 'colour: the value is not one of "red" or "blue"'),
        ({"day": "tomorrow"}, 'day: the value is not a "date"'),
        ({"tags": ["a", 1]}, 'tags[1]: the value is not of type "string"'),
    ],
)
def test_what_does_not_is_said_so_that_the_model_can_correct_it(change: Any, words: str) -> None:
    found = problem({"name": "Ana"} | change) or ""
    assert found.startswith(words) and found.endswith("call again.")


def test_a_refusal_holds_nothing_the_model_wrote() -> None:
    assert "4111" not in (problem({"name": "4111 1111 1111 1111"}) or "4111")


def test_the_outermost_is_named_in_words() -> None:
    assert (problem({}) or "").startswith('The arguments: "name" is a required property')


def test_a_list_of_values_may_be_advice_only() -> None:
    arguments = {"name": "Ana", "colour": "green"}
    assert problem(arguments, suggested={"colour"}) is None
    assert problem({"name": "Ana", "colour": 5}, suggested={"colour"}) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": {"a": {"$ref": "http://127.0.0.1:1/schema"}}},
        {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"properties": {"a": {"pattern": "("}}},
    ],
)
def test_a_schema_that_is_none_or_leads_outside_is_refused(schema: Any) -> None:
    with pytest.raises(SchemaWrong):
        Arguments(schema)


def test_a_pattern_cannot_take_long() -> None:
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    assert problem({"a": "a" * 50_000 + "!"}, schema) is not None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=10,
)


@given(_JSON | st.fixed_dictionaries({"name": _JSON, "tags": _JSON}))
def test_anything_is_judged_and_nothing_raises(value: Any) -> None:
    found = problem(value)
    assert found is None or len(found) < 500
