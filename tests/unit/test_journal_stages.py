"""In which order and company entries of the journal are stored."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.acts import WorkerLost
from esl_controller.database.models import ConversationRealtime, Turn
from esl_controller.record import flusher
from esl_controller.record.flusher import stages

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DOMAINS = ("d1", "d2")
MAX_BYTES = 9


def call(key: int, domain: str) -> ConversationRealtime:
    return ConversationRealtime(
        conversation_uuid=f"c{key}", domain_uuid=domain, call_uuid="u", started_at=NOW
    )


def turn(key: int, domain: str) -> Turn:
    at = {"conversation_uuid": f"c{key}", "domain_uuid": domain, "started_at": NOW}
    return Turn(turn_uuid=f"t{key}", turn_number=1, role="user", content="", **at)


def lost(key: int, domain: str) -> WorkerLost:
    return WorkerLost(worker=f"w{key}", lost_at=NOW)


ENTRIES = st.lists(
    st.builds(
        lambda make, key, domain: make(key, domain),
        st.sampled_from((call, call, turn, turn, turn, lost)),
        st.integers(0, 5),
        st.sampled_from(DOMAINS),
    ),
    max_size=120,
)


def key(entry: Any) -> str:
    return entry.turn_uuid if isinstance(entry, Turn) else entry.conversation_uuid


@patch.object(flusher, "MAX_STATEMENT_BYTES", MAX_BYTES)
@given(ENTRIES)
def test_each_once_in_an_order_that_loses_nothing(entries):
    numbers = count()
    lines = [(str(next(numbers)).encode(), entry) for entry in entries]
    stored = list(stages(lines))
    flat = [line for together in stored for line in together]
    assert sorted(flat, key=lambda line: int(line[0])) == lines
    for together in stored:
        kinds = {type(entry) for _, entry in together}
        assert len(kinds) == 1
        if WorkerLost not in kinds:
            assert sum(len(raw) for raw, _ in together) <= MAX_BYTES
            assert len({entry.domain_uuid for _, entry in together}) == 1
            assert len({key(entry) for _, entry in together}) == len(together)
    same: dict[tuple[type, str, str], list[int]] = {}
    for raw, entry in flat:
        if not isinstance(entry, WorkerLost):
            same.setdefault((type(entry), entry.domain_uuid, key(entry)), []).append(int(raw))
    assert all(order == sorted(order) for order in same.values())
    ends = [number for number, (_, entry) in enumerate(lines) if isinstance(entry, WorkerLost)]
    assert [flat[number] for number in ends] == [lines[number] for number in ends]


def test_a_conversation_comes_before_what_refers_to_it():
    lines = [(b"1", turn(1, "d1")), (b"2", call(1, "d1"))]
    assert [line for together in stages(lines) for line in together] == lines[::-1]
