"""`esl-controller rehearse`, whole calls: a prompt that transfers, and one that forgets to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from click.testing import CliRunner

from esl_controller.commands import rehearse
from esl_controller.rehearsal import voice
from esl_controller.simulator.switch.sound import read_wav

SCENARIO = """
[secretary]
system_prompt = "You are brief. {rule}"
first_message = "Hello."
silence_duration_ms = 200
transfer_rules = [{{ department = "sales", destination = "201" }}]
[[scenario]]
name = "{name}"
[[scenario.caller]]
says = "Sales, please."
emulated.told = "connect them to sales"
emulated.says = "One moment."
emulated.calls = [{{ name = "transfer_call", arguments.destination = "sales" }}]
[scenario.expect]
said = "one moment"
calls = [{{ name = "transfer_call", arguments.destination = "sales" }}]
goes_to = "201"
"""


def test_a_prompt_that_forgets_to_transfer_is_found(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def ours(*_: object) -> Iterator[str]:
        yield database.dsn

    monkeypatch.setattr(rehearse, "own_database", ours)
    monkeypatch.setattr(voice, "has_words", lambda: False)
    rules = {"good": "Whoever wants to buy: connect them to sales.", "forgetful": "Be kind."}
    for name, rule in rules.items():
        text = SCENARIO.format(rule=rule, name=name)
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    files = [str(tmp_path / f"{name}.toml") for name in rules]
    result = CliRunner().invoke(rehearse.command, [*files, "--out", str(out), "--json"])
    assert result.exit_code == 1, result.output
    report = msgspec.json.decode((out / "report.json").read_bytes())
    good, forgetful = report["scenarios"]
    assert good["passed"] and good["went_to"] == ["201"], good
    assert [one["status"] for one in good["calls"]] == ["completed"]
    assert forgetful["failures"] == [
        "the agent did not say 'one moment'",
        'transfer_call({"destination":"sales"}) was not called',
        "the caller went nowhere, not to 201",
    ]
    assert ElementTree.parse(out / "junit.xml").getroot()[1].get("failures") == "1"
    pcm, rate_hz = read_wav(Path(good["recording"]).read_bytes())
    assert len(pcm) > rate_hz and rate_hz == 8000
