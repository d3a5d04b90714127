"""The operator's own price list: what it may hold, and that everything wrong is named at once."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.money.price_file import (
    MAX_FILE_BYTES,
    PriceListError,
    parse_prices,
    price_list,
    price_problems,
    read_prices,
)
from esl_controller.settings.loader import SettingsError, load_settings
from tests.arch.tree import ROOT

ENTRY = {"provider": "openai", "model": "m", "since": "2026-01-01"}
GUIDES = ["docs/costs.md", "docs/pt-BR/custos.md"]


def places(text: str | bytes) -> list[str]:
    with pytest.raises(PriceListError) as caught:
        parse_prices(text, "own.json")
    assert all(problem.value and problem.allowed for problem in caught.value.problems)
    return [problem.place for problem in caught.value.problems]


def test_a_list_is_read_exactly(tmp_path):
    entry = ENTRY | {"model": "gpt-realtime-2.1", "audio_output": 1.1, "text_input": "2"}
    file = tmp_path / "prices.json"
    file.write_text(json.dumps([entry, ENTRY]))
    first, second = read_prices(str(file))
    assert (first.audio_output, first.text_input) == (Decimal("1.1"), 2)
    assert (second.model, second.since, second.audio_output) == ("m", date(2026, 1, 1), 0)
    prices = price_list(str(file))
    assert prices.find("openai", "gpt-realtime-2.1", date(2026, 11, 1)) == first
    assert prices.find("openai", "gpt-realtime-1.5", date(2026, 11, 1)).audio_output == 64


def test_without_a_file_the_built_in_prices_count():
    assert price_list("").find("openai", "gpt-realtime-2.1", date(2026, 11, 1)).audio_output == 64


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "", b"\xff[]", '[{"a":' + "[" * 10_000])
def test_what_is_no_list_of_objects_is_named_by_its_file(text):
    assert places(text) == ["own.json"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"provider": "opnai"}, "provider"),
        ({"since": "soon"}, "since"),
        ({"since": 20260101}, "since"),
        ({"audio": 1}, "audio"),
        ({"text_input": -1}, "text_input"),
        ({"text_input": "NaN"}, "text_input"),
        ({"text_input": "1e999"}, "text_input"),
        ({"text_input": True}, "text_input"),
        ({"text_input": None}, "text_input"),
    ],
)
def test_a_wrong_field_is_named(change, field):
    assert places(json.dumps([ENTRY, ENTRY | change])) == [f"own.json, entry 2, {field}"]


def test_everything_wrong_is_named_at_once():
    entries = [{"provider": "x"}, ENTRY, ENTRY | {"audio": 1, "characters": "many"}, ENTRY]
    assert places(json.dumps(entries)) == [
        "own.json, entry 1, model",
        "own.json, entry 1, since",
        "own.json, entry 1, provider",
        "own.json, entry 3, audio",
        "own.json, entry 3, characters",
        "own.json, entry 4, since",
    ]


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_garbage_is_refused_or_an_empty_list(garbage):
    try:
        assert parse_prices(garbage) == []
    except PriceListError as error:
        assert error.problems


def test_a_broken_file_is_told_with_all_other_wrong_settings(tmp_path):
    file = tmp_path / "prices.json"
    file.write_text(json.dumps([ENTRY | {"audio_input": "a"}]))
    environ = {"VOICE_AI_STORAGE_PRICE_FILE": str(file), "VOICE_AI_ESL_PORT": "no"}
    with pytest.raises(SettingsError) as caught:
        load_settings(environ, checks=(price_problems,))
    names = [problem.name for problem in caught.value.problems]
    assert names == ["VOICE_AI_ESL_PORT", f"{file}, entry 1, audio_input"]
    file.write_text("[]")
    settings = load_settings({"VOICE_AI_STORAGE_PRICE_FILE": str(file)}, checks=(price_problems,))
    assert settings.storage.price_file == str(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (MAX_FILE_BYTES + 1))
    for path, said in (
        (tmp_path / "none.json", "No such file"),
        (tmp_path, "Is a directory"),
        (large, "longer"),
        (Path("no\0name"), "null byte"),
    ):
        with pytest.raises(PriceListError, match=said) as caught:
            read_prices(str(path))
        assert [problem.place for problem in caught.value.problems] == [str(path)]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guides_example_is_a_price_list(guide):
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / guide).read_text("utf-8"), re.DOTALL)
    prices = parse_prices(example)
    assert {price.model for price in prices} >= {"gpt-realtime-2.1", "*"}
