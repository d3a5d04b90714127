"""What a secretary asks of its provider is known there, or told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bridge.providers.registry import DESCRIPTORS
from esl_controller.simulator.gemini.config import VOICES as GEMINI_VOICES
from esl_controller.simulator.gemini.settings import SETUP
from esl_controller.simulator.openai.settings import SESSION, VOICES
from esl_controller.tenants import rules
from esl_controller.tenants.wishes import fitted
from tests.unit.tenants.test_hosts import ROW

KEY = "11111111-1111-4111-8111-111111111111"
BASE = {
    "secretary_realtime_uuid": KEY,
    "domain_uuid": KEY,
    "secretary_name": "Ana",
    "realtime_provider": "openai",
}


def wishes(provider: dict[str, Any] | None = None, **secretary: Any) -> tuple[Any, list[str]]:
    row = dataclasses.replace(ROW, **(provider or {}))
    return fitted(rules.secretary(BASE | secretary), row)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"voice_id": "marina"}, "voice_id 'marina' is no voice of openai this version knows; "
                                 "did you mean marin?"),
        ({"voice_id": "qwertz"}, "voice_id 'qwertz' is no voice of openai this version knows"),
        ({"model": "gpt-realtime-3.1"}, "model 'gpt-realtime-3.1' is no model of openai this "
                                        "version knows; did you mean gpt-realtime-2.1?"),
        ({"provider_config": {"temperatura": 1.2}}, "provider_config: 'temperatura' is no field, "
                                                    "left out"),
        ({"provider_config": {"audio": {"output": {"sped": 1}}}},
         "provider_config: 'audio.output.sped' is no field, left out; did you mean speed?"),
    ],
)  # fmt: skip
def test_what_the_provider_does_not_know_is_told(wish: dict[str, Any], said: str) -> None:
    secretary, doubts = wishes(**wish)
    assert doubts == [f"secretary 'Ana': {said}"]
    assert secretary.voice_id == wish.get("voice_id")  # it may be newer than the list
    assert secretary.provider_config in ({}, {"audio": {"output": {}}})


def test_the_provider_row_s_own_are_looked_at_too() -> None:
    _, doubts = wishes({"default_voice_id": "ceder", "model": "gpt-realtime"})
    assert doubts == [
        "provider 'main': default_voice_id 'ceder' is no voice of openai this version knows; "
        "did you mean cedar?"
    ]
    _, doubts = wishes({"provider_settings": {"voice": "marina", "model": "gpt-realtime"}})
    assert doubts == [
        "provider 'main': provider_settings: voice 'marina' is no voice of openai this version "
        "knows; did you mean marin?"
    ]


@pytest.mark.parametrize(
    ("provider", "wish"),
    [
        ({}, {"voice_id": "cedar", "model": "gpt-realtime-2.1-2026-05-07"}),
        ({}, {"provider_config": {"audio": {"input": {"turn_detection": {"type": "x"}}}}}),
        ({"base_url": "wss://gateway.example/"}, {"voice_id": "own", "provider_config": {"a": 1}}),
        ({"provider_settings": {"api_shape": "beta"}}, {"provider_config": {"temperature": 0.8}}),
        ({"realtime_provider": "gemini"}, {"voice_id": "Kore"}),
    ],
)
def test_what_is_known_or_another_s_affair_is_left_alone(
    provider: dict[str, Any], wish: dict[str, Any]
) -> None:
    secretary, doubts = wishes(provider, **wish)
    assert doubts == []
    assert secretary == rules.secretary(BASE | wish)


def test_what_gemini_does_not_use_is_told() -> None:
    _, doubts = wishes(
        {"realtime_provider": "gemini"},
        voice_id="kore",
        transcription_model="whisper-1",
        noise_reduction="near_field",
        vad_idle_timeout_ms=5000,
        provider_config={"generationConfig": {"topZ": 1}},
    )
    said = "secretary 'Ana': "
    assert doubts == [
        f"{said}voice_id 'kore' is no voice of gemini this version knows; did you mean Kore?",
        f"{said}transcription_model is not used with gemini",
        f"{said}vad_idle_timeout_ms is not used with gemini",
        f"{said}noise_reduction is not used with gemini",
        f"{said}provider_config: 'generationConfig.topZ' is no field, left out; did you mean topP?",
    ]


@pytest.mark.parametrize("kind", ["elevenlabs", "custom"])
def test_what_other_kinds_do_not_use_is_told_and_the_rest_left_alone(kind: str) -> None:
    theirs = {"voice_id": "their-own", "model": "any", "provider_config": {"field": 1}}
    provider = {"realtime_provider": kind}
    secretary, doubts = wishes(provider, **theirs, noise_reduction="near_field")
    assert doubts == [f"secretary 'Ana': noise_reduction is not used with {kind}"]
    assert secretary.provider_config == {"field": 1}


def test_the_lists_are_the_gemini_emulator_s() -> None:
    def names(schema: Any, depth: int = 2) -> Any:
        inner = {n: names(s, depth - 1) for n, s in (schema or {}).items()}
        return inner if depth and inner else None

    known = DESCRIPTORS["gemini"]
    assert {voice.id for voice in known.voices} == GEMINI_VOICES
    assert names(known.session, 1) == names(SETUP, 1)
    for name in ("generationConfig", "realtimeInputConfig"):
        assert (known.session[name] or {}).keys() == SETUP[name].keys()


def test_the_lists_are_the_emulator_s() -> None:
    """Written down twice, from the same page: the emulator refuses what is not on its own."""

    def names(schema: Any) -> Any:
        return {n: names(s) for n, s in schema.items()} if isinstance(schema, dict) else None

    known = DESCRIPTORS["openai"]
    assert {voice.id for voice in known.voices} == set(VOICES)
    assert known.session.keys() == SESSION.keys()
    audio, emulated = known.session["audio"], names(SESSION["audio"])
    assert audio is not None
    assert {side: fields.keys() for side, fields in audio.items() if fields} == {
        side: fields.keys() for side, fields in emulated.items()
    }
