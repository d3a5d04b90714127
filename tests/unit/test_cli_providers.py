"""`provider kinds`, `models` and `voices`: what is known of each provider, without a database."""

from __future__ import annotations

import json

import pytest

from bridge.providers.registry import DESCRIPTORS, KINDS
from tests.integration.cli_kit import run


def test_every_kind_and_interface_is_listed() -> None:
    output = run("provider", "kinds").output
    lines = [line.split()[0] for line in output.splitlines()[1:]]
    assert lines == [one.kind for one in DESCRIPTORS.values() for _ in one.interfaces]
    assert "GEMINI_API_KEY or GOOGLE_API_KEY" in output


def test_kinds_as_json_tell_what_the_interface_serves() -> None:
    told = json.loads(run("provider", "kinds", "--json").output)
    assert [one["kind"] for one in told] == list(KINDS)
    assert all(one["interfaces"] and one["fields"] for one in told)


def test_models_are_told_with_their_prices_and_their_end() -> None:
    output = run("provider", "models", "openai").output
    (line,) = [line for line in output.splitlines() if " gpt-realtime " in line]
    assert "2027-01-20" in line
    assert "audio_output=64" in line
    assert "gemini" not in output


def test_voices_are_told_with_their_languages_and_a_sample() -> None:
    output = run("provider", "voices", "gemini").output
    (line,) = [line for line in output.splitlines() if " Kore " in line]
    assert "https://" in line
    assert "Each account has voices of its own." in run("provider", "voices", "elevenlabs").output


@pytest.mark.parametrize("listing", ["models", "voices"])
def test_an_unknown_kind_is_refused_with_those_there_are(listing: str) -> None:
    result = run("provider", listing, "nobody")
    assert result.exit_code != 0
    assert "elevenlabs" in result.output
