"""Every stage has its key in the one credential, and a wrong row says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.providers.pipeline.config import PipelineConfig, chat_vendor, key_of
from bridge.providers.pipeline.realtime import Pipeline
from bridge.providers.registry import ProviderConfigError, make_provider

LOCAL = {"base_url": "http://127.0.0.1:11434/v1", "stt_url": "ws://127.0.0.1:8080"}


def problems(**row: Any) -> list[str]:
    with pytest.raises(ProviderConfigError) as caught:
        make_provider("pipeline", row)
    return [problem.partition(":")[0] for problem in caught.value.problems]


def test_each_stage_has_its_key() -> None:
    config = PipelineConfig(api_key="chat=gsk_a=b,stt=dg")
    assert config.problems() == []
    assert (key_of(config, "stt"), key_of(config, "chat")) == ("dg", "gsk_a=b")


def test_what_is_local_needs_no_key() -> None:
    assert isinstance(make_provider("pipeline", LOCAL), Pipeline)


@pytest.mark.parametrize(
    "key", ["none", "", "sk-1", "stt=1,stt=2", "stt=1,tts=2", "stt=1", "chat=1", "stt=1,chat="]
)
def test_a_key_that_is_missing_or_not_named_is_told(key: str) -> None:
    assert set(problems(api_key=key)) == {"api_key"}


def test_each_wrong_field_is_told_and_no_value() -> None:
    wrong: dict[str, Any] = {
        "base_url": "ftp://x",
        "stt_url": "nowhere",
        "tts": "loud",
        "speed": 9.0,
        "endpointing_ms": 1,
        "eot_threshold": 0.1,
        "keyterms": ["a\n"],
    }
    found = problems(**wrong)
    assert sorted(found) == sorted([*(set(wrong) - {"keyterms"}), "headers"])


def test_who_is_paid_is_seen_by_the_address() -> None:
    assert chat_vendor(PipelineConfig()) == "groq"
    assert chat_vendor(PipelineConfig(**LOCAL)) == "custom"
