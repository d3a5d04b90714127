"""The very key in use is hidden in every text, whatever its shape and wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.telemetry import redaction
from esl_controller.telemetry.known_secrets import (
    HIDDEN,
    SHORTEST_SECRET,
    KnownSecrets,
)
from esl_controller.telemetry.redaction import MAX_TEXT, redact_text, redact_value
from esl_controller.web.api.probe import ProbeFailed

AZURE = "0123456789abcdef0123456789abcdef"
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=7, max_size=40).map(
    lambda text: "K" + text
)


@pytest.fixture(autouse=True)
def in_use(monkeypatch: pytest.MonkeyPatch) -> KnownSecrets:
    known = KnownSecrets()
    monkeypatch.setattr(redaction, "IN_USE", known)
    return known


@given(st.lists(keys, min_size=1, max_size=6), st.lists(st.text(max_size=30), min_size=2))
def test_no_key_is_left_in_any_text(secrets: list[str], words: list[str]) -> None:
    known = KnownSecrets()
    for secret in secrets:
        known.remember(secret)
    hidden = known.hide("".join(word + secrets[n % len(secrets)] for n, word in enumerate(words)))
    for secret in secrets:
        assert secret not in hidden.replace(HIDDEN, "\0")


@given(st.text(max_size=200))
def test_other_text_stays_as_it_is(text: str) -> None:
    known = KnownSecrets()
    known.remember("\x01" * 20)
    assert known.hide(text) == text


def test_a_key_of_no_shape_is_hidden_in_message_and_code(in_use: KnownSecrets) -> None:
    in_use.remember(AZURE)
    failed = ProbeFailed("authentication", f"bad_{AZURE}", f"Incorrect API key provided: {AZURE}.")
    for text in (failed.code, failed.message, str(failed)):
        assert AZURE not in text
    assert redact_value("error", {"code": [AZURE], AZURE: 1}) == {"code": [HIDDEN], HIDDEN: 1}


def test_a_key_is_hidden_before_a_long_text_is_cut(in_use: KnownSecrets) -> None:
    in_use.remember(AZURE)
    text = redact_value("text", "x" * (MAX_TEXT - 20) + AZURE + "y" * 100_000)
    assert "0123456789" not in text
    assert len(text) <= MAX_TEXT + len(HIDDEN)


def test_as_part_of_an_address() -> None:
    known = KnownSecrets()
    known.remember("a+b/c=d&e?f")
    assert (
        known.hide("wss://host/?key=a%2Bb%2Fc%3Dd%26e%3Ff&x=1") == f"wss://host/?key={HIDDEN}&x=1"
    )


def test_short_values_are_not_hidden_and_old_ones_are_forgotten() -> None:
    known = KnownSecrets(limit=2)
    for secret in ("ClueCon", "first-secret1", "second-secret2", "third-secret3"):
        known.remember(secret)
    assert len(known) == 2
    assert known.hide("ClueCon first-secret1") == "ClueCon first-secret1"
    assert known.hide("second-secret2 third-secret3") == f"{HIDDEN} {HIDDEN}"
    known.remember("second-secret2")  # used again: the other one is now the oldest
    known.remember("fourth-secret4")
    assert known.hide("third-secret3") == "third-secret3"
    assert len("ClueCon") < SHORTEST_SECRET


def test_a_tenant_cannot_blacken_everybodys_log(in_use: KnownSecrets) -> None:
    domain = "4f2b1c9e-1111-4222-8333-444455556666"
    for chosen in ("call.ended", "provider.trouble", domain):
        in_use.remember(chosen)
    assert redact_text("call.ended provider.trouble") == "call.ended provider.trouble"
    assert redact_value("domain_uuid", domain) == domain
    assert redact_value("code", domain) == HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: 0123456789abcdef.",
        "invalid api-key: 0123456789abcdef",
        "API key given = '0123456789abcdef'",
        "token was: 0123456789abcdef",
    ],
)
def test_a_key_behind_its_name_is_hidden_unknown(text: str) -> None:
    assert "0123456789abcdef" not in redact_text(text)


def test_counts_are_no_keys() -> None:
    text = "input tokens: 512, token count: 12"
    assert redact_text(text) == text
