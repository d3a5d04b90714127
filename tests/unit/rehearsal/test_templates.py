"""Every template, with its own secretary and the emulated model, without a telephone: the same
instructions and functions, the same answers, the same judgement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from esl_controller.calls.known import known_of
from esl_controller.calls.plan import briefed
from esl_controller.commands.rehearse import templates
from esl_controller.database.models import ProcessingMode, RouteEntry
from esl_controller.rehearsal.judging import MadeCall, Seen, judge
from esl_controller.rehearsal.model import NOT_TOLD, ToldModel, told_script
from esl_controller.rehearsal.reading import read_rehearsal
from esl_controller.rehearsal.scenario import Rehearsal, Scenario
from esl_controller.routes.hours import opening
from esl_controller.tenants import rules
from esl_controller.tenants.prompt import TEXTS, VARIABLES
from esl_controller.tools.registry import offered_tools
from tests.arch.tree import ROOT
from tests.unit.call.test_hours import at

KEY = "11111111-2222-4333-8444-555555555555"
NOW = at("2026-11-30T10:00")


def chunks(model: ToldModel, messages: list[Any], tools: list[Any]) -> Iterator[dict[str, Any]]:
    body = {"model": "m", "messages": messages, "tools": tools}
    for chunk in model.chunks(body):
        yield from (choice["delta"] for choice in chunk["choices"])


def talked(rehearsal: Rehearsal, scenario: Scenario, prompt: str | None = None) -> Seen:
    """What a call would have been, from what the model is told and does."""
    columns = {**rehearsal.secretary, **scenario.secretary}
    if prompt is not None:
        columns["system_prompt"] = columns["closed_prompt"] = prompt
    row = {"secretary_realtime_uuid": KEY, "domain_uuid": KEY, "secretary_name": "t"}
    secretary = rules.secretary({"language": rehearsal.language, **row, **columns})
    entry = RouteEntry(
        KEY,
        "d.example",
        "8001",
        ProcessingMode.REALTIME,
        secretary,
        (),
        rules.tenant({"domain_uuid": KEY, "company_name": rehearsal.company}),
        opening=opening(secretary.business_hours, "UTC", NOW),
    )
    tools = offered_tools(entry)
    brief = briefed(entry, tools, known_of(entry, "100", "Ana"))
    functions = [{"name": one.name, "description": one.description} for one in tools]
    model = ToldModel(scenario.lines)
    messages: list[Any] = [{"role": "system", "content": brief.instructions}]
    turns, calls, went_to = [("assistant", brief.greeting)], [], []
    for line in scenario.lines:
        messages.append({"role": "user", "content": line.says or f"[keypad: {line.presses}]"})
        text = ""
        for delta in chunks(model, messages, functions):
            text += delta.get("content") or ""
            for call in delta.get("tool_calls") or ():
                given = msgspec.json.decode(call["function"]["arguments"])
                calls.append(MadeCall(call["function"]["name"], given, "completed"))
                went_to += [
                    rule["destination"]
                    for rule in secretary.transfer_rules
                    if rule["department"] == given.get("destination")
                ]
        if line.emulated.then:
            text += line.emulated.then
        turns.append(("assistant", text))
    ended = "transferred" if went_to else "completed"
    return Seen(
        answered=True,
        turns=turns,
        calls=calls,
        went_to=went_to,
        outcome=ended,
        greeted_s=1.0,
    )


SCENARIOS = [
    pytest.param(rehearsal, scenario, id=f"{rehearsal.source}-{scenario.name}")
    for (name, language), text in sorted(templates().items())
    for rehearsal in [read_rehearsal(text, f"{name}.{language}")]
    for scenario in rehearsal.scenarios
]


def test_there_is_each_template_in_both_languages() -> None:
    names = {"reception", "clinic", "restaurant", "after-hours"}
    assert set(templates()) == {(name, tag) for name in names for tag in ("en", "pt-BR")}


@pytest.mark.parametrize(("rehearsal", "scenario"), SCENARIOS)
def test_a_template_passes_and_a_prompt_that_forgets_does_not(
    rehearsal: Rehearsal, scenario: Scenario
) -> None:
    assert judge(scenario.expect, talked(rehearsal, scenario)) == []
    forgetful = talked(rehearsal, scenario, prompt="Be kind.")
    if "{{" not in str(scenario.lines) and scenario.lines[-1].emulated.told != "Spanish":
        assert judge(scenario.expect, forgetful)
        assert any(NOT_TOLD in words for words in forgetful.agent)


@pytest.mark.parametrize("page", ["rehearsals.md", "pt-BR/ensaios.md"])
def test_the_file_of_the_guide_passes(page: str) -> None:
    (block,) = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL
    )
    guide = read_rehearsal(block, page)
    assert judge(guide.scenarios[0].expect, talked(guide, guide.scenarios[0])) == []


@pytest.mark.parametrize("page", ["conversations.md", "pt-BR/conversas.md"])
def test_the_guide_names_every_variable_and_every_text(page: str) -> None:
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / page).read_text("utf-8")))
    assert {*VARIABLES, *TEXTS} <= named


def test_a_model_that_hears_sound_does_what_it_was_told_of() -> None:
    """Behind a provider's interface: by turns, by keys, and once its functions have returned."""
    rehearsal = read_rehearsal(templates()["reception", "en"], "reception.en.toml")
    scenario = rehearsal.scenarios[1]
    told = [""]
    script = told_script(scenario.lines, lambda: told[0])
    assert script.caller_line(0, 900) == scenario.lines[0].says
    assert script.answer(0).text == NOT_TOLD
    told[0] = "We are at HARBOUR ROAD. Then end the call."
    assert script.answer(0).text.startswith("At Harbour Road 12")
    assert [one.name for one in script.answer(1).calls] == ["end_call"]
    assert script.answer_function("done").text == scenario.lines[1].emulated.then
    assert script.answer(7).text == NOT_TOLD
