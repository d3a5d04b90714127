"""What is hidden before it is stored, and what is not."""

import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.record.privacy import CARD, redact, redact_text

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = {"domain_uuid": "d", "conversation_uuid": "c"}
VISA = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    "said",
    [
        "5555 5555 5555 4444",
        f"é {VISA}, obrigado",
        "4111111111111111",
        "4111-1111-1111-1111",
        "4111, 1111, 1111, 1111.",
        "5500 0000 0000 0004 e validade 12/29",
        "amex 3782 822463 10005",
        "protocolo 12 4111 1111 1111 1111",
    ],
)
def test_card_numbers_are_hidden_always(said):
    hidden = redact_text(said, personal=False)
    assert CARD in hidden
    assert not re.search(r"(\d)\1\1\1", hidden)


@given(st.lists(st.integers(0, 9), min_size=12, max_size=18), st.data())
def test_any_number_with_a_true_check_digit_is_hidden(digits, data):
    """The rule once more, written the other way round: from the table of doubled digits."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    total = sum(doubled[d] if i % 2 == 0 else d for i, d in enumerate(reversed(digits)))
    number = "".join(map(str, [*digits, -total % 10]))
    gaps = [data.draw(st.sampled_from(["", "", " ", "-", ", "])) for _ in number]
    said = "".join(digit + gap for digit, gap in zip(number, gaps, strict=True)).strip(" ,-")
    assert redact_text(f"cartão {said} ok", personal=False) == f"cartão {CARD} ok"


@pytest.mark.parametrize("said", ["ramal 2001", "às 14:30 de 22/11/2026", "pedido 4111 1111"])
def test_short_numbers_stay(said):
    assert redact_text(said, personal=False) == said


def test_without_the_wish_other_data_stays():
    said = "meu telefone é +55 11 99999-0000, ana@example.com"
    assert redact_text(said, personal=False) == said


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("+55 (11) 99999-0000", "[number]"),
        ("CPF 123.456.789-09 ok", "CPF [number] ok"),
        ("ana.maria+x@mail.example.com.br!", "[e-mail]!"),
        ("a" * 100 + "@example.com", "a" * 36 + "[e-mail]"),
        ("conta DE89 3704 0044 0532 0130 00", "conta [account]"),
        ("ramal 2001", "ramal 2001"),
    ],
)
def test_personal_data_is_hidden_on_request(said, kept):
    assert redact_text(said, personal=True) == kept


def test_every_text_of_every_entry_is_looked_at():
    entries = [
        ConversationRealtime(
            call_uuid="x",
            caller_id="+5511999990000",
            started_at=NOW,
            transcript=[{"role": "user", "text": VISA, "timestamp": 1.5}],
            **KEY,
        ),
        Turn(turn_uuid="t", turn_number=1, role="user", content=VISA, started_at=NOW, **KEY),
        FunctionCallRecord(
            function_call_uuid="f",
            function_name="pay",
            arguments={"card": {"number": 4111111111111111, "list": [VISA]}, "agreed": True},
            result={"ok": VISA},
            error=VISA,
            status="failed",
            started_at=NOW,
            **KEY,
        ),
        TransferRecord(
            transfer_uuid="t",
            transfer_type="blind",
            destination="200",
            reason=VISA,
            status="started",
            started_at=NOW,
            **KEY,
        ),
    ]
    for entry in entries:
        text = repr(redact(entry, personal=False))
        assert CARD in text and "1111" not in text
    assert redact(entries[0], personal=True).caller_id == "+5511999990000"
    assert redact(entries[0], personal=False).transcript[0]["timestamp"] == 1.5
    assert redact(entries[2], personal=False).arguments["agreed"] is True
    usage = UsageRecord(usage_uuid="u", provider="p", occurred_at=NOW, **KEY)
    assert redact(usage, personal=True) is usage


def test_depth_is_limited():
    deep: object = VISA
    for _ in range(5000):
        deep = [deep]
    record = FunctionCallRecord(
        function_call_uuid="f",
        function_name="x",
        arguments=deep,
        status="failed",
        started_at=NOW,
        **KEY,
    )
    assert "1111" not in repr(redact(record, personal=False))


@given(st.text(alphabet="0123456789 -.@a+(),\n", max_size=200), st.booleans())
def test_redaction_is_stable(said, personal):
    once = redact_text(said, personal=personal)
    assert redact_text(once, personal=personal) == once


@pytest.mark.parametrize("piece", ["1", "a", "1 ", "a.b@", "AB12 "])
def test_hostile_texts_cost_no_more_than_their_length(piece):
    began = time.process_time()
    redact_text(piece * 300_000, personal=True)
    assert time.process_time() - began < 5  # looking at every window of digits takes far longer
