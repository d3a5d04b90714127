"""`esl-controller bench providers`: the emulated services are measured, and real keys stay home."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bridge.providers.base import Usage
from bridge.providers.registry import KINDS
from esl_controller.commands.bench import _cost, real_accesses, shown
from esl_controller.money.prices import PRICES, PriceList
from esl_controller.settings.loader import load_settings
from esl_controller.simulator.bench.providers import Figures
from esl_controller.simulator.bench.services import SERVICES
from esl_controller.tenants.hosts import dialled_host
from tests.integration.cli_kit import run

KEYS = {
    "OPENAI_API_KEY": "sk-o",
    "ELEVENLABS_API_KEY": "xi",
    "GOOGLE_API_KEY": "g",
    "DEEPGRAM_API_KEY": "d",
    "GROQ_API_KEY": "q",
}


def test_every_kind_can_be_measured() -> None:
    assert set(SERVICES) == set(KINDS)


@pytest.mark.parametrize("kind", ["elevenlabs", "custom"])
def test_a_provider_s_figures(kind: str) -> None:
    arguments = ("--calls", "1", "--turns", "1", "--delay-ms", "5", "--json")
    result = run("bench", "providers", kind, *arguments)
    (found,) = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert (found["answers"], found["unanswered"], found["troubles"]) == (1, 0, [])
    assert 0 <= found["ours_p50_ms"] < found["answer_p50_ms"]
    assert found["provider_p50_ms"] >= 2 * 5
    assert (set(found["stages_ms"]) == {"hearing", "thinking", "speaking", "ours"}) == (
        kind == "custom"
    )


def test_real_services_are_asked_with_their_own_keys_at_their_own_addresses() -> None:
    found = real_accesses(load_settings(KEYS), KEYS, KINDS, "")
    assert {kind: one.api_key.reveal() for kind, one in found.items() if one.api_key} == {
        "openai": "sk-o",
        "elevenlabs": "xi",
        "gemini": "g",
        "custom": "stt=d,chat=q",
    }
    assert dialled_host(found["gemini"].config) == "generativelanguage.googleapis.com"
    assert found["elevenlabs"].config.provider_settings == {"interface": "realtime"}
    agent = real_accesses(load_settings(KEYS), KEYS, ["elevenlabs"], "agent_1")["elevenlabs"]
    assert agent.config.provider_settings == {"agent_id": "agent_1"}


def test_without_keys_nothing_is_spent() -> None:
    unset = dict.fromkeys([*KEYS, "GEMINI_API_KEY"], "")
    result = run("bench", "providers", "--real", "--yes", **unset)
    assert result.exit_code == 1
    assert "No provider has a key" in result.output


def test_what_it_will_cost_is_asked_before() -> None:
    unset = dict.fromkeys([*KEYS, "GEMINI_API_KEY"], "")
    result = run("bench", "providers", "gemini", "--real", **unset | {"GEMINI_API_KEY": "g"})
    assert result.exit_code == 1
    assert "USD on your accounts" in result.output


def test_what_was_used_is_priced() -> None:
    prices = PriceList(PRICES)
    used = Usage("openai", "gpt-realtime-2.1", output_audio_tokens=1_000_000)
    assert _cost([used], prices) == f"{Decimal(64):.4f}"
    assert _cost([used, Usage("nobody", "x")], prices).endswith("+?")
    row = shown(Figures("openai", real=True, answers=1, usage=[used]), prices)
    assert row["provider"] == "openai (real)"
    assert row["answer p50"] == "-"
