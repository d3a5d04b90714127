"""Our own words: of hours that are over, of languages, with what is known of the call filled in."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.audio.formats import PCMU_8K
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import hearing
from esl_controller.calls.known import known_of
from esl_controller.calls.plan import briefed
from esl_controller.calls.wording import phrases_of
from esl_controller.database.hours import Opening, Reason
from esl_controller.database.models import ProcessingMode, RouteEntry, SecretaryRealtime
from esl_controller.tenants import rules
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.change_language import ChangeLanguage

NOW = datetime(2026, 11, 27, 19, 30)
OPEN = Opening(NOW, True, Reason.IN_HOURS, datetime(2026, 11, 27, 22))
CLOSED = Opening(NOW, False, Reason.OUT_OF_HOURS, *[datetime(2026, 11, 30, 9)] * 2)
NEVER = Opening(NOW, False, Reason.CLOSED_DATE)


def secretary_row(**columns: Any) -> SecretaryRealtime:
    key = "11111111-2222-4333-8444-555555555555"
    return rules.secretary({"secretary_realtime_uuid": key, "domain_uuid": key, **columns})


def entry(opening: Opening | None = None, **columns: Any) -> RouteEntry:
    row = secretary_row(**columns)
    tenant = rules.tenant({"domain_uuid": row.domain_uuid, "company_name": "Padaria Sol"})
    mode = ProcessingMode.REALTIME
    return RouteEntry(
        row.domain_uuid, "d.example.com", "8001", mode, row, (), tenant, opening=opening
    )


@pytest.mark.parametrize(
    ("opening", "language", "columns", "greeting"),
    [
        (OPEN, "en", {}, "Good day."),
        (None, "en", {}, "Good day."),
        (
            CLOSED,
            "en-GB",
            {},
            "We are closed at the moment. We open again on Monday at 9:00. "
            "How can I help you meanwhile?",
        ),
        (
            CLOSED,
            "pt-BR",
            {"legal_notice": "Aviso."},
            "Aviso. No momento estamos fechados. Abrimos de novo na segunda-feira às 9:00. "
            "Em que posso ajudar enquanto isso?",
        ),
        (
            NEVER,
            "es",
            {},
            "Hoy estamos cerrados. ¿En qué puedo ayudarle mientras tanto?",
        ),
        (
            CLOSED,
            "en",
            {"closed_message": "{{company}} opens {{opens_at|some day}}, {{caller_name}}."},
            "Padaria Sol opens on Monday at 9:00, Ana.",
        ),
    ],
)
def test_what_is_said_first(
    opening: Opening | None, language: str, columns: dict[str, Any], greeting: str
) -> None:
    one = entry(opening, language=language, first_message="Good day.", **columns)
    brief = briefed(one, (), known_of(one, "100", "Ana"))
    assert brief.greeting == greeting
    assert ("nobody is there now" in brief.instructions) is (opening in (CLOSED, NEVER))


def test_the_model_is_told_when_it_opens_and_what_it_can_still_do() -> None:
    one = entry(CLOSED, system_prompt="You work for {{company}}.", closed_prompt="Take messages.")
    told = briefed(one, (), known_of(one, "100", "")).instructions
    assert told.startswith("You work for Padaria Sol.\n\nIt is Friday, 27 November 2026, 19:30")
    assert "It opens again on Monday at 9:00." in told and told.endswith("Take messages.")


@pytest.mark.parametrize(
    ("name", "number", "known"),
    [
        ("Ana", "100", "Ana"),
        ("100", "100", ""),
        ("+55 11 99999", "100", ""),
        ("Anonymous", "anonymous", ""),
        ("", "", ""),
    ],
)
def test_a_number_is_no_name(name: str, number: str, known: str) -> None:
    found = known_of(entry(), number, name)
    assert found["caller_name"] == known
    assert found["caller_number"] == ("" if number == "anonymous" else number)


def test_the_callers_language_has_our_words_and_the_secretarys_has_its_own() -> None:
    row = secretary_row(language="pt-BR", farewell_message="Até mais, {{caller_name}}!")
    assert phrases_of(row, {"caller_name": "Ana"}).good_bye == "Até mais, Ana!"
    assert phrases_of(row, {}, "en").good_bye == "Thank you for calling. Good-bye!"
    assert phrases_of(row, {"caller_name": "Ana"}, "pt-PT").good_bye == "Até mais, Ana!"
    phrases = phrases_of(row, {})
    phrases.change_to(phrases_of(row, {}, "es"))
    assert phrases.still_there == "¿Sigue usted en la línea?"


def test_languages_are_offered_where_there_are_several() -> None:
    tool = ChangeLanguage()
    assert tool.describe(entry(language="pt-BR")) is None
    assert tool.describe(entry(language="pt-BR", languages=["pt-BR"])) is None
    several = entry(language="pt-BR", languages=["en", "de"], system_prompt="Be kind.")
    described = tool.describe(several)
    assert described is not None
    assert described.parameters["properties"]["language"]["enum"] == ["pt-BR", "en", "de"]
    told = briefed(several, (), {}).instructions
    assert "Begin in Portuguese." in told and "English (en), German (de)" in told
    asked: list[str] = []
    actions = SimpleNamespace(change_language=lambda tag: not asked.append(tag))  # type: ignore[func-returns-value]
    context: Any = SimpleNamespace(actions=actions)
    assert tool.run({"language": "en"}, context)["language"] == "en"
    context.actions.change_language = lambda _: False
    with pytest.raises(FunctionFailed, match="ending"):
        tool.run({"language": "en"}, context)
    assert asked == ["en"]


def test_an_ear_is_not_bound_to_one_language_where_there_are_several() -> None:
    one = briefed(entry(language="pt-BR", languages=["pt-BR"]), (), {})
    assert (one.language, one.heard_language) == ("pt-BR", "pt-BR")
    two = briefed(entry(language="pt-BR", languages=["en"]), (), {})
    assert (two.language, two.heard_language, two.languages) == ("pt-BR", None, ("en",))
    config = PipelineConfig(api_key="stt=k,chat=k")
    urls = [hearing(config, brief).target(PCMU_8K) for brief in (one, two)]
    assert "language=pt-BR" in urls[0].url and "language=multi" in urls[1].url  # type: ignore[union-attr]
