"""Which cause is named first, whatever else holds; and that each has words in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from esl_controller.doctor.cause_words import TOLD
from esl_controller.doctor.causes import CAUSES, Facts, explain

ROWS: dict[str, dict[str, Any]] = {
    "internal": {"error_code": "INTERNAL", "reason": "TypeError", "outcome": "failed"},
    "worker_lost": {"end_cause": "worker_lost", "outcome": "failed"},
    "event_socket_lost": {"end_cause": "event_socket_lost", "error_code": "REALTIME_010"},
    "no_module": {"outcome": "fallback", "reason": "mod_audio_stream did not connect"},
    "stream_lost": {"outcome": "fallback", "end_cause": "stream_lost"},
    "provider_unusable": {"end_cause": "unavailable", "reason": "no provider can be used"},
    "settings": {"error_code": "REALTIME_007", "reason": "database away"},
    "not_ours": {"end_cause": "turn_based", "reason": "the number is set to turn_based"},
    "broken": {"outcome": "fallback", "error_code": "REALTIME_002", "reason": "no codec"},
    "abandoned": {"outcome": "abandoned", "end_cause": "ORIGINATOR_CANCEL"},
    "caller_silent": {"outcome": "timeout", "end_cause": "caller_silent"},
    "limit": {"outcome": "timeout", "end_cause": "max_duration"},
    "transferred": {"outcome": "transferred"},
}
"""The others are shown by whole calls in tests/integration/test_calls_explain.py."""


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_enough(name: str) -> None:
    row = {"ended_at": "then", **ROWS[name]}
    told = explain(Facts(row))
    assert told.name == name
    assert row.get("reason", "").lower() in told.cause.lower() + told.heard


def test_the_cause_stands_before_what_it_caused() -> None:
    """A dead worker broke the call; the late answers and the function before are told besides."""
    turn = {"role": "assistant", "total_ms": 4000, "network_ms": 90, "model_ms": 3800}
    facts = Facts(
        {"ended_at": "then", "outcome": "failed", "end_cause": "worker_lost"},
        turns=[turn],
        function_calls=[{"function_name": "agenda", "status": "timeout"}],
        transfers=[{"status": "failed", "destination": "201", "hangup_cause": "NO_USER"}],
    )
    told = explain(facts)
    assert told.name == "worker_lost"
    assert told.also == (
        "The transfer did not work: 201 (NO_USER).",
        "The call broke: worker_lost.",
        "A function failed: agenda: timeout.",
        "An answer took 4000 ms, most of it model (3800 ms).",
    )


def test_why_a_transfer_failed_is_not_what_the_caller_wanted() -> None:
    busy = {"status": "busy", "destination": "201", "reason": "an invoice", "hangup_cause": None}
    told = explain(Facts({"ended_at": "then", "outcome": "completed"}, transfers=[busy]))
    assert "201 (busy)" in " ".join((told.cause, *told.also))


def test_a_call_that_goes_on_has_no_fault() -> None:
    assert explain(Facts({"call_uuid": "c"})).name == "going_on"


def test_every_cause_has_its_words_and_both_languages_ask_for_the_same() -> None:
    assert list(TOLD) == [name for name, _ in CAUSES]
    for told in TOLD.values():
        for words in (told.cause, told.heard, told.todo):
            assert words.en and words.pt
            fields = [set(re.findall(r"{(\w+)}", text)) for text in words]
            assert fields[0] == fields[1]
