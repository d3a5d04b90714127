"""Nothing secret or personal reaches a log line, whatever surrounds it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.settings.types import Secret
from esl_controller.telemetry.redaction import (
    CARD,
    HIDDEN,
    MAX_DEPTH,
    MAX_TEXT,
    redact_text,
    redact_value,
)

UUID = "4f2b1c9e-1111-4222-8333-444455556666"
SAFE = st.text(alphabet="abc ÁÇ,.:;(){}[]<>|_\n\t", max_size=20)
KEY = st.text(alphabet="ABCdef012", min_size=20, max_size=40)


def with_check_digit(digits: str) -> str:
    """Append the digit that makes it a card number (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        doubled = int(char) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


CARDS = st.text("0123456789", min_size=12, max_size=18).map(with_check_digit)


@st.composite
def spaced(draw: st.DrawFn, digits: st.SearchStrategy[str]) -> str:
    """Digits with blanks, dots or dashes between them, as people write and speak."""
    separator = st.sampled_from(["", " ", "-", "."])
    return "".join(char + draw(separator) for char in draw(digits)).rstrip(" -.")


@given(SAFE, spaced(CARDS), SAFE)
def test_a_card_number_never_survives(before: str, card: str, after: str) -> None:
    shown = redact_text(f"{before} {card} {after}")
    assert CARD in shown
    assert not re.search(r"\d", shown)


@given(st.text("0123456789", max_size=12), CARDS, st.text("0123456789", max_size=12))
def test_a_card_number_among_other_digits_never_survives(
    before: str, card: str, after: str
) -> None:
    assert card not in redact_text(before + card + after)


@given(CARDS)
def test_one_wrong_digit_is_no_card(card: str) -> None:
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    if len(card) == 13:  # longer runs may hold a shorter card
        assert redact_text(wrong) == wrong


@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"])
def test_well_known_test_cards(card: str) -> None:
    assert redact_text(f"meu cartão é {card}, ok?") == f"meu cartão é {CARD}, ok?"


@given(st.uuids().map(str), SAFE)
def test_identifiers_survive(identifier: str, around: str) -> None:
    for phone_numbers in (False, True):
        text = f"{around}/stream/{identifier}/{identifier}?{around}"
        assert redact_text(text, phone_numbers=phone_numbers) == text


def test_an_identifier_made_of_digits_survives() -> None:
    identifier = "41111111-1111-1111-1111-111111111111"
    assert redact_text(identifier, phone_numbers=True) == identifier


@given(
    SAFE,
    KEY,
    st.sampled_from(
        [
            "sk-{}",
            "sk-proj-{}",
            "gsk_{}",
            "AIza{}",
            "Bearer {}",
            "authorization: Basic {}",
            "Authorization={}",
            "xi-api-key: {}",
            "api_key={}",
            '{{"apiKey": "{}"}}',
            "?token={}",
            "wss://h/v1?key={}&x=1",
            "password={} host=db",
            "postgresql://u:{}@db/x",
            "'client_secret': '{}'",
        ]
    ),
)
def test_a_key_never_survives(before: str, key: str, shape: str) -> None:
    shown = redact_text(f"{before} {shape.format(key)}")
    assert key not in shown
    assert HIDDEN in shown


def test_a_quoted_secret_is_hidden_whole() -> None:
    assert "horse" not in redact_text('password="correct horse battery"')


@pytest.mark.parametrize(
    "text", ["dtmf 1234#", "DTMF: 9", "digits=55", 'digit="7"', "digits 12*34#", "dtmf '5'"]
)
def test_dialled_digits_never_survive(text: str) -> None:
    assert not re.search(r"[0-9*#]", redact_text(text))


@pytest.mark.parametrize("key", ["digit", "digits", "dtmf", "pressed_digits", "DTMF"])
@pytest.mark.parametrize("value", ["12#4", 1234])
def test_values_under_a_digits_key_show_their_length_only(key: str, value: str | int) -> None:
    assert redact_value(key, value) == "[4 digits]"


@pytest.mark.parametrize(
    "key",
    [
        "api_key", "apikey", "X-Api-Key", "Authorization", "proxy-authorization", "password",
        "admin_token", "token", "secret", "client_secret", "dsn", "Cookie", "set-cookie",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["x", b"x", ["x"], {"a": "x"}, Secret("x")])
def test_values_under_a_secret_key_are_hidden(key: str, value: Any) -> None:
    assert redact_value(key, value) == HIDDEN


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input_tokens", 12),
        ("tokens", 3),
        ("token", None),
        ("author", "Ana"),
        ("max_tokens", "inf"),
    ],
)
def test_other_keys_keep_their_values(key: str, value: Any) -> None:
    assert redact_value(key, value) == value


def test_secrets_hide_themselves_under_any_key() -> None:
    assert "x-secret" not in str(redact_value("anything", [Secret("x-secret")]))


def test_nested_values_are_searched() -> None:
    value = {"a": [{"headers": {"Authorization": "z", "X": "Bearer abcdefgh"}}, b"1234"]}
    assert redact_value("request", value) == {
        "a": [{"headers": {"Authorization": HIDDEN, "X": f"Bearer {HIDDEN}"}}, "[4 bytes]"]
    }


def test_values_that_hold_themselves_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    shown = str(redact_value("loop", loop))
    assert shown.count("[") <= MAX_DEPTH + 2


def test_a_key_of_a_mapping_may_be_hostile() -> None:
    assert "sk-" not in str(redact_value("x", {"sk-12345678abc": 1}))


@given(
    st.sampled_from(
        ["+55 11 91234-5678", "(11) 91234-5678", "5511912345678", "11 3456 7890", "+1 202 555 0123"]
    ),
    SAFE,
)
def test_telephone_numbers_are_hidden_when_asked(number: str, around: str) -> None:
    text = f"{around} {number} {around}"
    assert redact_text(text, phone_numbers=True).count(number[-2:]) == 1
    assert number not in redact_text(text, phone_numbers=True)
    assert number in redact_text(text)


@pytest.mark.parametrize("text", ["2 s", "extension 200", "16000 Hz", "127.0.0.1:8084", "1.5"])
def test_short_numbers_stay(text: str) -> None:
    assert redact_text(text, phone_numbers=True) == text


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_taken_and_hiding_twice_changes_nothing(text: str, phones: bool) -> None:
    once = redact_text(text, phone_numbers=phones)
    assert redact_text(once, phone_numbers=phones) == once


@pytest.mark.parametrize("piece", ["a", "1", "1 ", "token", "token=", "://", "a-", "(", "'", "sk-"])
def test_a_long_text_of_any_kind_takes_no_time_of_its_square(piece: str) -> None:
    """A pattern that tries every start against every end would take minutes here."""
    redact_text(piece * 100_000, phone_numbers=True)


def test_logged_texts_are_cut() -> None:
    assert len(redact_value("text", "a" * 100_000)) == MAX_TEXT
