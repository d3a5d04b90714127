"""Rows of a domain are checked whole, stored whole or not at all, and never another's."""

from __future__ import annotations

import dataclasses
import uuid
from decimal import Decimal

import pytest

from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.tenants.editing import EditError, Editor, NoSuchRow
from esl_controller.tenants.fields import PROVIDER, SECRETARY, TENANT, parse_text
from tests.integration.db_fixtures import TestDatabase


@pytest.fixture
def domain(database: TestDatabase) -> str:
    """A domain with nothing in it."""
    domain_uuid = str(uuid.uuid4())
    database.execute("insert into v_domains values (%s, null, 'pbx.example.com')", domain_uuid)
    return domain_uuid


@pytest.fixture
def editor(pool: Pool, domain: str) -> Editor:
    return Editor(pool, domain)


RECEPTION = {"secretary_name": "Reception", "extension": "8000"}


def fields_of(error: pytest.ExceptionInfo[EditError]) -> list[str | None]:
    return [problem.field for problem in error.value.problems]


def test_a_row_is_added_changed_and_removed(editor: Editor) -> None:
    row = editor.add(SECRETARY, {**RECEPTION, "barge_in": None, "language": ""})
    key = row["secretary_realtime_uuid"]
    assert (row["realtime_provider"], row["barge_in"], row["language"]) == ("openai", True, None)
    changed = editor.change(SECRETARY, key, {"vad_threshold": Decimal("0.7")})
    assert (changed["vad_threshold"], changed["secretary_name"]) == (Decimal("0.70"), "Reception")
    assert editor.change(SECRETARY, key, {})["secretary_realtime_uuid"] == key
    for name in ("8000", "reception", key):
        assert editor.find(SECRETARY, name)["secretary_realtime_uuid"] == key
    editor.remove(SECRETARY, key)
    assert editor.rows(SECRETARY) == []
    with pytest.raises(NoSuchRow):
        editor.remove(SECRETARY, key)


def test_every_wrong_field_is_named_and_nothing_is_stored(editor: Editor) -> None:
    with pytest.raises(EditError) as caught:
        editor.add(
            SECRETARY, {"extension": "80 00", "max_turns": 0, "vad_mode": "loud", "voce_id": "x"}
        )
    assert set(fields_of(caught)) == {
        "extension",
        "max_turns",
        "vad_mode",
        "secretary_name",
        "voce_id",
    }
    assert "did you mean voice_id?" in str(caught.value)
    assert editor.rows(SECRETARY) == []


def test_two_secretaries_cannot_have_one_number(editor: Editor) -> None:
    editor.add(SECRETARY, RECEPTION)
    with pytest.raises(EditError) as caught:
        editor.add(SECRETARY, RECEPTION)
    assert fields_of(caught) == ["extension"]
    editor.add(SECRETARY, {**RECEPTION, "enabled": False})
    assert editor.find(SECRETARY, "8000")["enabled"]


@pytest.mark.parametrize("name", ["secretary_realtime_uuid", "domain_uuid"])
def test_nobody_chooses_a_key_or_a_domain(editor: Editor, name: str) -> None:
    with pytest.raises(EditError) as caught:
        editor.add(SECRETARY, {**RECEPTION, name: str(uuid.uuid4())})
    assert fields_of(caught) == [name]


def test_a_provider_of_another_domain_is_refused(editor: Editor, database: TestDatabase) -> None:
    other = database.seed(provider=DemoProvider())
    with pytest.raises(EditError) as caught:
        foreign = {"voice_realtime_provider_uuid": other.voice_realtime_provider_uuid}
        editor.add(SECRETARY, {**RECEPTION, **foreign})
    assert fields_of(caught) == ["voice_realtime_provider_uuid"]
    for change in (editor.change, editor.validate):
        with pytest.raises(NoSuchRow):
            arguments = (SECRETARY, other.secretary_realtime_uuid, {"enabled": False})
            change(*(arguments if change == editor.change else (SECRETARY, {}, arguments[1])))


def test_a_key_in_clear_is_not_stored_nor_repeated(editor: Editor) -> None:
    with pytest.raises(EditError) as caught:
        editor.add(
            PROVIDER,
            {"provider_label": "a", "realtime_provider": "openai", "credential": "sk-very-secret"},
        )
    assert fields_of(caught) == ["credential"]
    assert "sk-very-secret" not in str(caught.value)


def test_a_secretary_takes_the_kind_of_the_domain_s_provider(editor: Editor) -> None:
    provider = {"provider_label": "g", "realtime_provider": "gemini", "credential": "env:KEY"}
    editor.add(PROVIDER, provider)
    assert editor.add(SECRETARY, RECEPTION)["realtime_provider"] == "gemini"


def test_limits_have_defaults_until_they_are_set(editor: Editor) -> None:
    before = editor.settings()
    assert (before["budget_warning_percent"], before["daily_budget_usd"]) == (80, None)
    after = editor.set_settings({"daily_budget_usd": Decimal("2.5")})
    assert after["daily_budget_usd"] == Decimal("2.50")
    assert editor.set_settings({"retention_days": 30})["daily_budget_usd"] == Decimal("2.50")
    with pytest.raises(EditError):
        editor.set_settings({"retention_days": 0})
    assert editor.settings()["retention_days"] == 30


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("barge_in", "no", False),
        ("max_turns", "12", 12),
        ("vad_threshold", "0.25", Decimal("0.25")),
        ("voice_settings", '{"speed": 1.1}', {"speed": 1.1}),
        ("language", "", None),
        ("system_prompt", "Be brief.", "Be brief."),
    ],
)
def test_values_as_they_are_typed(name: str, text: str, value: object) -> None:
    fields = {field.name: field for field in SECRETARY.fields()}
    assert parse_text(fields[name], text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("barge_in", "perhaps"),
        ("max_turns", "x"),
        ("max_turns", "NaN"),
        ("max_turns", "1e999999999"),
        ("vad_threshold", "0,5"),
        ("voice_settings", "{"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, text: str) -> None:
    fields = {field.name: field for field in SECRETARY.fields()}
    with pytest.raises(ValueError, match=r"must be|no JSON"):
        SECRETARY.read(name, parse_text(fields[name], text))


def test_every_column_may_be_set_but_the_keys() -> None:
    for subject in (SECRETARY, PROVIDER, TENANT):
        names = {field.name for field in subject.fields()}
        columns = {field.name for field in dataclasses.fields(subject.table.model)}
        assert names == columns - {subject.table.key, "domain_uuid"}


def test_what_a_provider_will_not_take_is_told_before_it_is_stored(editor: Editor) -> None:
    row = {
        "provider_label": "a",
        "realtime_provider": "openai",
        "credential": "env:KEY",
        "provider_settings": {"voice": "cedar", "speed": "fast", "api_key": "sk-very-secret"},
    }
    report = editor.validate(PROVIDER, row)
    said = "provider 'a': provider_settings: "
    assert report.problems == ()
    assert report.warnings == (
        f"{said}'api_key' is never taken from here and is left out",
        f"{said}speed: Expected `float | null`, got `str`; it is left out",
    )
    report = editor.validate(PROVIDER, row | {"realtime_provider": "elevenlabs"})
    assert report.warnings[-1] == "provider 'a': elevenlabs_agent: agent_id: missing"
    report = editor.validate(PROVIDER, row | {"realtime_provider": "custom"})
    assert report.warnings[-1] == f"{said}speed: Expected `float`, got `str`; it is left out"


def test_a_secretary_is_held_against_its_provider_before_it_is_stored(editor: Editor) -> None:
    assert editor.validate(SECRETARY, RECEPTION | {"voice_id": "marina"}).warnings == ()
    editor.add(
        PROVIDER, {"provider_label": "a", "realtime_provider": "openai", "credential": "env:KEY"}
    )
    report = editor.validate(SECRETARY, RECEPTION | {"voice_id": "marina"})
    assert report == (
        (),
        (
            "secretary 'Reception': voice_id 'marina' is no voice of openai this version knows; "
            "did you mean marin?",
        ),
    )
    key = editor.add(PROVIDER, {"provider_label": "c", "realtime_provider": "custom"})
    named = {"voice_realtime_provider_uuid": key["voice_realtime_provider_uuid"]}
    report = editor.validate(SECRETARY, RECEPTION | named | {"realtime_provider": "custom"})
    needed = "api_key: Deepgram needs a key: stt=KEY; api_key: Groq needs a key: chat=KEY"
    assert report == ((), (f"provider 'c': pipeline: {needed}",))
