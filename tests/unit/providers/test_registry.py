from __future__ import annotations

import pytest

from bridge.audio.formats import PCMU_8K
from bridge.providers.actions import Endpoint, Open
from bridge.providers.conversation import Conversation
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.providers.registry import (
    PROVIDERS,
    ProviderConfigError,
    make_provider,
    row_settings,
    usable_settings,
)

ROW = {
    "api_key": "sk-1",
    "model": "gpt-realtime-2.1-mini",
    "headers": {"X-Tenant": "1"},
    "session_limit_s": 1800,
}


def problems(row: dict[str, object], name: str = "openai_realtime") -> tuple[str, ...]:
    with pytest.raises(ProviderConfigError) as caught:
        make_provider(name, row)
    return caught.value.problems


def test_a_row_becomes_a_fresh_object_each_time() -> None:
    first, second = make_provider("openai_realtime", ROW), make_provider("openai_realtime", ROW)
    assert isinstance(first, OpenAIRealtime)
    assert first is not second
    first.start(Conversation(PCMU_8K, PCMU_8K), 0.0)
    (action,) = first.actions()
    assert isinstance(action, Open)
    assert isinstance(action.target, Endpoint)
    assert "gpt-realtime-2.1-mini" in action.target.url


def test_all_wrong_fields_are_named_at_once() -> None:
    row = {
        "model": 7,
        "base_url": "ftp://x",
        "heders": {},
        "headers": {"X": 1},
        "going_away_s": "soon",
        "api_shape": "alpha",
    }
    named = {problem.partition(":")[0] for problem in problems(row)}
    assert named == {
        "api_key",
        "model",
        "base_url",
        "heders",
        "headers",
        "going_away_s",
        "api_shape",
    }


def test_each_wrong_field_is_named_once() -> None:
    named = [problem.partition(":")[0] for problem in problems({"api_key": 5, "model": None})]
    assert sorted(named) == ["api_key", "model"]


def test_an_empty_key_is_a_missing_key() -> None:
    assert problems({"api_key": ""}) == ("api_key: must not be empty",)


def test_no_value_is_repeated_in_an_error() -> None:
    with pytest.raises(ProviderConfigError) as caught:
        make_provider("openai_realtime", {"api_key": ["sk-secret"], "headers": "sk-secret"})
    assert "sk-secret" not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    (problem,) = problems({}, name="openai")
    for name in PROVIDERS:
        assert name in problem


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_a_row_may_set_is_neither_account_nor_address(name: str) -> None:
    allowed = row_settings(name) - PROVIDERS[name].tenants_own
    assert allowed
    assert allowed.isdisjoint({"api_key", "headers", "base_url", "organization", "project"})


def test_settings_that_do_not_fit_are_left_out_each_for_itself() -> None:
    given = {"voice": "cedar", "speed": "fast", "session_limit_s": 7200, "api_shape": "gamma"}
    used, said = usable_settings("openai_realtime", given, {})
    assert used == {"voice": "cedar", "session_limit_s": 7200}
    assert sorted(text.partition(":")[0] for text in said) == ["api_shape", "speed"]


def test_a_setting_that_does_not_fit_another_s_default_is_left_out() -> None:
    used, said = usable_settings("openai_realtime", {"going_away_s": 9000, "voice": "cedar"}, {})
    assert used == {"voice": "cedar"}
    assert said == ("session_limit_s: must be larger than going_away_s",)


def test_a_setting_may_need_what_is_set_beside_it() -> None:
    vertex = {"service": "vertex", "project": "p", "location": "us-central1"}
    region = {"base_url": "wss://us-central1-aiplatform.googleapis.com"}
    assert usable_settings("gemini_live", vertex, region) == (vertex, ())
    used, said = usable_settings("gemini_live", vertex, {})
    assert "service" not in used
    assert said[0].startswith("base_url: Vertex needs the region's host")
    thinking = {"thinking_level": "low"}
    model = {"model": "gemini-2.5-flash-native-audio-preview-12-2025"}
    assert usable_settings("gemini_live", thinking, model) == (thinking, ())
    assert usable_settings("gemini_live", thinking, {})[0] == {}
