"""The operator's own prices: what a call is stored with, and a start that is refused."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from click.testing import CliRunner

from esl_controller.app import App
from esl_controller.cli import cli
from esl_controller.money.price_file import PriceListError
from esl_controller.simulator.caller_script import AgentSilent, Step
from tests.integration.service import SPEAK, hang_up_after, settings_for

PER_TOKEN = 10_000
"""Per million tokens: a cent a token, a price nobody else has."""
ENTRY = {
    "provider": "openai",
    "model": "*",
    "since": "2026-02-03",
    "audio_output": PER_TOKEN,
}


def test_a_call_is_stored_at_the_operator_s_price(serve, tmp_path):
    file = tmp_path / "prices.json"
    later = ENTRY | {"since": "2999-01-01", "audio_output": 1}
    models = ("*", "gpt-realtime-2.1", "gpt-realtime")
    file.write_text(json.dumps([e | {"model": m} for e in (ENTRY, later) for m in models]))
    service = serve(storage={"price_file": str(file)})
    service.call([Step(AgentSilent(0.35), SPEAK), hang_up_after(AgentSilent(0.5))]).wait()
    service.stored()
    rows = service.database.execute(
        """select output_audio_tokens, cost_usd, price_date from v_voice_usage_realtime
           where output_audio_tokens > 0"""
    )
    assert rows
    for tokens, cost_usd, price_date in rows:
        assert (cost_usd, price_date) == (tokens * Decimal("0.01"), date(2026, 2, 3))


def test_with_a_broken_list_no_worker_starts(tmp_path):
    file = tmp_path / "prices.json"
    file.write_text(json.dumps([ENTRY | {"audio_output": "much"}]))
    environ = {"VOICE_AI_STORAGE_PRICE_FILE": str(file)}
    result = CliRunner(env=environ).invoke(cli, ["serve"], catch_exceptions=False)
    assert result.exit_code == 2
    assert f"{file}, entry 1, audio_output = 'much': allowed is a number from 0" in result.stderr
    with pytest.raises(PriceListError, match="audio_output"):
        App(settings_for(tmp_path, storage={"price_file": str(file)}), "dbname=none")
