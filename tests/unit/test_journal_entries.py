"""Lines of the spool: whole or refused, never something else."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.acts import WorkerLost, errand
from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.record import entries as journal_entries
from esl_controller.record.entries import EntryDamaged, EntryTooLong, decode, encode

KEY = {"domain_uuid": "d", "conversation_uuid": "c"}
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TEXT = st.text(max_size=40)
TIME = st.datetimes(timezones=st.just(UTC))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.one_of(
    st.builds(
        ConversationRealtime,
        conversation_uuid=TEXT,
        domain_uuid=TEXT,
        call_uuid=TEXT,
        started_at=TIME,
        ended_at=st.none() | TIME,
        transcript=st.lists(st.dictionaries(TEXT, JSON, max_size=2), max_size=3),
        estimated_cost=st.none() | st.decimals(0, 100, places=4),
    ),
    st.builds(Turn, turn_uuid=TEXT, **dict.fromkeys(KEY, TEXT), turn_number=st.integers(0, 99),
              role=TEXT, content=TEXT, started_at=TIME),
    st.builds(FunctionCallRecord, function_call_uuid=TEXT, **dict.fromkeys(KEY, TEXT),
              function_name=TEXT, arguments=JSON, result=JSON, status=TEXT, started_at=TIME),
)  # fmt: skip


@given(ENTRIES)
def test_round_trip(entry):
    line = encode(entry)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert decode(line) == decode(line[:-1]) == entry


def test_every_kind_keeps_its_types():
    entries = [
        TransferRecord(
            transfer_uuid="t",
            transfer_type="blind",
            destination="200",
            status="started",
            started_at=NOW,
            **KEY,
        ),
        UsageRecord(
            usage_uuid="u",
            provider="openai",
            occurred_at=NOW,
            cost_usd=Decimal("0.000123"),
            price_date=NOW.date(),
            transcription_seconds=1.5,
            **KEY,
        ),
        errand("ticket", "d", "c:call_1", {"subject": "a"}, NOW, waits_for="w"),
        WorkerLost(worker="host:1-a", lost_at=NOW),
    ]
    for entry in entries:
        assert decode(encode(entry)) == entry


@given(st.data())
def test_a_line_changed_anywhere_is_refused(data):
    line = bytearray(encode(data.draw(ENTRIES))[:-1])
    position = data.draw(st.integers(0, len(line) - 1))
    line[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(EntryDamaged):
        decode(bytes(line).replace(b"\n", b" "))


@given(st.data())
def test_a_line_cut_anywhere_is_refused(data):
    line = encode(data.draw(ENTRIES))
    with pytest.raises(EntryDamaged):
        decode(line[: data.draw(st.integers(0, len(line) - 2))])


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"kind":"turn"}', b'{"kind":"x","entry":{}}', b'{"kind":"turn","entry":1}'],
)
def test_a_true_checksum_over_something_else_is_refused(body):
    import zlib

    with pytest.raises(EntryDamaged):
        decode(b"%08x %b" % (zlib.crc32(body), body))


def test_half_a_surrogate_pair_is_replaced():
    hostile = json.loads('{"a": ["\\ud800x"]}')
    entry = FunctionCallRecord(
        function_call_uuid="f",
        function_name="\udfffn",
        arguments=hostile,
        status="failed",
        started_at=NOW,
        **KEY,
    )
    stored = decode(encode(entry))
    assert (stored.arguments, stored.function_name) == ({"a": ["?x"]}, "?n")


def test_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(journal_entries, "MAX_LINE_BYTES", 1000)
    turn = Turn(
        turn_uuid="t", turn_number=1, role="user", content="x" * 1000, started_at=NOW, **KEY
    )
    with pytest.raises(EntryTooLong, match="turn of"):
        encode(turn)
