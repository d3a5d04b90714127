"""What one conversation may promise: each thing once, and no more than is sensible."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from esl_controller.database.acts import Errand, errand
from esl_controller.record.promises import MAX_ERRANDS, MAX_PAYLOAD_BYTES, Promises
from esl_controller.tools.base import FunctionFailed

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


def wanted(key: str, kind: str = "ticket", **payload: Any) -> Errand:
    return errand(kind, "d", key, payload, NOW)


def test_a_key_is_promised_once_for_each_kind() -> None:
    kept: list[Errand] = []
    promises = Promises("c", kept.append)
    assert promises.add(wanted("k"))
    assert not promises.add(wanted("k", subject="another"))
    assert promises.add(wanted("k", "message"))
    assert [(one.kind, one.conversation_uuid) for one in kept] == [
        ("ticket", "c"),
        ("message", "c"),
    ]
    assert kept[0].errand_uuid == wanted("k").errand_uuid != kept[1].errand_uuid


def test_what_will_not_happen_is_said() -> None:
    """And may be asked for again: it was not promised."""
    journal = iter([False, True])
    promises = Promises("c", lambda one: next(journal))
    with pytest.raises(FunctionFailed, match="not done"):
        promises.add(wanted("k"))
    assert promises.add(wanted("k"))
    with pytest.raises(FunctionFailed, match="too long"):
        promises.add(wanted("l", text="x" * MAX_PAYLOAD_BYTES))
    assert not promises.add(wanted("k", text="\ud800"))


def test_a_conversation_has_a_cap() -> None:
    promises = Promises("c", lambda one: True)
    for number in range(MAX_ERRANDS):
        promises.add(wanted(str(number)))
    with pytest.raises(FunctionFailed, match="Too much"):
        promises.add(wanted("one more"))
