"""What a record's values become before PostgreSQL sees them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.repository.statements import values


@dataclass
class Record:
    value: Any


def stored(value: Any) -> Any:
    """As PostgreSQL gets it: text, or JSON parsed again."""
    (one,) = values(Record(value))
    if isinstance(one, str):
        return one
    return json.loads(one.dumps(one.adapted))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\x00b", "ab"),
        ({"path": r"C:\u0000temp"}, {"path": r"C:\u0000temp"}),
        ({"a": "\\u0000"}, {"a": "\\u0000"}),
        ({"a": "x\\\x00ok"}, {"a": "x\\ok"}),
        ([{"a\x00": ["\x00", 1, None, True]}], [{"a": ["", 1, None, True]}]),
    ],
)
def test_u_0000_goes_and_its_six_letters_stay(value: Any, kept: Any) -> None:
    assert stored(value) == kept


TEXT = st.text(alphabet=st.sampled_from(["\x00", "\\", "u", "0", '"', "é", "a"]), max_size=12)
JSON = st.recursive(TEXT | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8)  # fmt: skip


@given(st.lists(JSON) | st.dictionaries(TEXT, JSON))
def test_what_is_stored_is_always_json_without_u_0000(value: Any) -> None:
    assert "\x00" not in json.dumps(stored(value), ensure_ascii=False)
