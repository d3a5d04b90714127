"""When to try again, signatures, letters, who is asked for a summary."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.models import ProviderAccess, TenantSettings
from esl_controller.errands.backoff import LONGEST_S, MOST_ASKED_S, delay_s
from esl_controller.errands.email import report
from esl_controller.errands.letter import Letter, compose
from esl_controller.errands.signature import TOLERANCE_S, is_valid, sign
from esl_controller.errands.summary import MAX_TRANSCRIPT, instructions, told
from esl_controller.errands.text_service import NoTextService, chosen, of_provider
from esl_controller.settings.types import Secret

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@given(st.integers(1, 10_000), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_waits_grow_to_a_limit(attempt: int, chance: float, asked_s: float | None) -> None:
    wait_s = delay_s(attempt, chance, asked_s)
    assert 2.5 <= wait_s <= max(LONGEST_S, MOST_ASKED_S)
    assert wait_s >= min(asked_s or 0, MOST_ASKED_S)
    assert delay_s(attempt + 1, chance) >= delay_s(attempt, chance)


def test_the_first_waits() -> None:
    assert [delay_s(attempt, 1) for attempt in (1, 2, 3, 11)] == [5, 10, 20, 3600]
    assert delay_s(1, 0) == 2.5


def test_a_signature_is_that_of_the_guide() -> None:
    body, secret, at_s = b'{"id":"1"}', "a secret", 1764590400
    by_hand = hmac.new(b"a secret", b'1764590400.{"id":"1"}', hashlib.sha256).hexdigest()
    signature = sign(secret, at_s, body)
    assert signature == f"v1={by_hand}"
    assert is_valid(secret, signature, at_s, body, now_s=at_s + TOLERANCE_S)
    assert not is_valid(secret, signature, at_s, body, now_s=at_s + TOLERANCE_S + 1)
    assert not is_valid(secret, signature, at_s, body + b" ", now_s=at_s)
    assert not is_valid(secret, signature, at_s + 1, body, now_s=at_s)


def letter(**fields: Any) -> Letter:
    usual = {"message_id": "m", "to": ["a@b.example"], "subject": "s", "text": "t", "date": NOON}
    return Letter(**(usual | fields))


@given(st.text(), st.text(), st.text())
def test_nothing_that_was_said_begins_a_header(subject: str, text: str, key: str) -> None:
    raw = compose(letter(subject=subject, text=text, idempotency_key=key), "voice@pbx.example")
    read = email.message_from_bytes(raw, policy=email.policy.default)
    ours = ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Idempotency-Key")
    content = ("Content-Type", "Content-Transfer-Encoding", "MIME-Version")
    assert sorted(read.keys()) == sorted((*ours, *content))
    assert read["To"] == "a@b.example"
    assert read["Message-ID"] == "<m@pbx.example>"


def test_a_letter_that_would_add_a_recipient() -> None:
    hostile = "Hello\r\nBcc: everybody@example.com\r\n\r\nBody\u2028X"
    read = email.message_from_bytes(
        compose(letter(subject=hostile, text="olá\n.\r\nMAIL FROM:<x>"), "v@pbx.example"),
        policy=email.policy.default,
    )
    assert read["Bcc"] is None
    assert read["Subject"] == "Hello Bcc: everybody@example.com Body X"
    assert read.get_content().splitlines()[0] == "olá"


def test_a_call_in_plain_text() -> None:
    call = {"caller_id": "5511", "started_at": "2026-12-01T12:00:00Z", "outcome": "completed"}
    text = report(
        call,
        {
            "summary": "Ana wants a table.",
            "fields": {"people": 4},
            "transcript": [
                {"role": "user", "text": "A table for four.", "timestamp": 65.2},
                {"role": "assistant", "text": "Of course."},
            ],
        },
    )
    assert text == (
        "From: 5511\nBegan: 2026-12-01T12:00:00Z\nOutcome: completed\n\n"
        "Summary\n\nAna wants a table.\n\npeople: 4\n\n"
        "Transcript\n\n[01:05] Caller: A table for four.\n[00:00] AI: Of course.\n"
    )


GOOGLE = "generativelanguage.googleapis.com"


def access(kind: str, **fields: Any) -> ProviderAccess:
    usual = {"realtime_provider": kind, "provider_label": kind, "base_url": None, "model": None}
    usual["voice_realtime_provider_uuid"] = f"row of {kind}"
    config: Any = SimpleNamespace(**(usual | fields))
    return ProviderAccess(config, Secret("stt=a,chat=b" if DESCRIPTORS[kind].chat_key else "k"))


def test_who_is_asked() -> None:
    tenant = TenantSettings(domain_uuid="d")
    assert chosen(tenant, Secret()) is None
    own = TenantSettings(domain_uuid="d", summary_url="https://t.example/v1/", summary_model="m")
    service = chosen(own, Secret("s"))
    assert service is not None
    assert service.account == "", "no provider's"
    assert (service.url, service.model) == ("https://t.example/v1/chat/completions", "m")
    piped = of_provider([access("elevenlabs"), access("custom")], None)
    assert piped.account == "row of custom", "who is asked is who is paid"
    assert (piped.model, piped.key.reveal()) == ("openai/gpt-oss-20b", "b")
    vendor = of_provider([access("openai")], "a-model")
    assert vendor.url == "https://api.openai.com/v1/chat/completions"
    gateway = access("openai", base_url="wss://gw.example/v1/realtime?x=1", model="gpt-realtime")
    assert of_provider([gateway], "a").url == "https://gw.example/v1/chat/completions"
    google = of_provider([access("elevenlabs"), access("gemini")], "gemini-flash")
    assert google.url == f"https://{GOOGLE}/v1beta/openai/chat/completions"
    named = access("gemini", base_url=f"wss://{GOOGLE}")
    assert of_provider([named], "gemini-flash") == google
    for providers in ([], [access("elevenlabs")], [access("gemini")], [access("openai")]):
        with pytest.raises(NoTextService, match="summary_"):
            of_provider(providers, None)


def test_the_end_of_a_long_call_is_told() -> None:
    transcript = [{"role": "user", "text": f"{number} {'x' * 500}"} for number in range(300)]
    text = told(transcript)
    assert len(text) <= MAX_TRANSCRIPT
    assert '"299 ' in text
    assert '"fields"' in instructions({"type": "object"})
    assert '"fields"' not in instructions(None)
