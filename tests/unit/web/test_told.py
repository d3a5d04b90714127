"""Every sentence that rules of rows can say is there in Portuguese and Spanish."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from bridge.providers.descriptor import FEATURES
from bridge.providers.registry import DESCRIPTORS, described_settings
from esl_controller.tenants.editing import _wrong
from esl_controller.tenants.fields import FUNCTION, PROVIDER, SECRETARY, TENANT
from esl_controller.tenants.model_ends import ModelEnd
from esl_controller.web.words.columns import SPANISH, help_of
from esl_controller.web.words.provider_fields import HELPS, OF_INTERFACE
from esl_controller.web.words.told import LANGUAGES, SENTENCES, key_of, preferred, split, told
from tests.arch.tree import ROOT

SOURCES = (
    "esl_controller/tenants/checks.py",
    "esl_controller/tenants/editing.py",
    "esl_controller/tenants/fields.py",
    "esl_controller/tenants/rules.py",
    "esl_controller/tenants/doubts.py",
    "esl_controller/tenants/system_doubts.py",
    "esl_controller/tenants/transfer_rules.py",
    "esl_controller/tenants/tool_schema.py",
    "esl_controller/tenants/own_functions.py",
    "esl_controller/tenants/addresses.py",
    "esl_controller/tenants/week.py",
    "esl_controller/tenants/wishes.py",
    "esl_controller/tenants/providers.py",
    "esl_controller/tenants/prompt.py",
    "esl_controller/tenants/columns/systems.py",
    "esl_controller/web/api/configuration.py",
    "esl_controller/web/api/functions.py",
    "esl_controller/web/api/documents.py",
    "esl_controller/web/api/routing.py",
    "esl_controller/web/api/application.py",
    "esl_controller/web/api/problems.py",
    "esl_controller/web/api/conversations.py",
    "esl_controller/web/api/erasing.py",
    "esl_controller/web/api/outbound.py",
    "esl_controller/routes/admission.py",
    "esl_controller/routes/verdict.py",
    "esl_controller/knowledge/documents.py",
    "esl_controller/knowledge/reader.py",
    "esl_controller/knowledge/search.py",
    "esl_controller/services/embeddings.py",
    "esl_controller/services/meaning.py",
    "bridge/providers/registry.py",
    *(
        f"bridge/providers/{kind}/config.py"
        for kind in ("openai", "elevenlabs", "gemini", "pipeline")
    ),
)
SILENT = {
    "NoSuchRow": "a page finds rows by their UUID; the command line tells the rest",
    "Words": "meanings and what is allowed, which have a test of their own",
    "compile": "patterns",
    "_unlisted": "put together, see PUT_TOGETHER",
    "_fenced": "what the model is told",
    "_json": "the command line reads texts; pages send JSON",
    "_flag": "as _json",
    "_number": "as _json",
    "_matching": "as NoSuchRow",
    "secret_of": "a session, not a row",
    "parse_ends": "a list of a vendor, not a row",
    "read_ends": "as parse_ends",
}
"""Calls whose texts no page shows."""
SUBJECTS = (SECRETARY, PROVIDER, TENANT, FUNCTION)
SUFFIXES = {"did_you_mean", "hint", "near", "ending", "better", "because", "_until"}
"""Filled in where a sentence may end, each with its own mark before it."""
WRONG: tuple[Any, ...] = (
    "?!", "", " ", "x" * 100_000, -1, 1e12, 0.5, True, [], [1], ["?!"], {}, {"a": 1}, {"mon": 3},
    {"mon": [["08:00"], ["25:00", "26:00"], ["08:00", "08:00"]], "closed_dates": ["2026-02-30"]},
    [{"destination": "10 00"}, {"destination": "1", "kind": "?", "fallback": {"?": 1}, "next": 3}],
    {"speed": 9, "sped": 1}, {"X?": "1"}, {"X": "\n"}, "https://u:p@x/", ["pt_BR", "??"],
)  # fmt: skip
WHOLE = ("esl_controller/tenants/editing.py", "esl_controller/routes/admission.py")
"""Have sentences in a table too."""
FILLED = "¤"
DATA = "{['\""
"""An example, or a value, begins so."""
PUT_TOGETHER = {
    "{} is no voice of {} this version knows",
    "{} is no model of {} this version knows",
    "Expected `{}`, got `{}`",
    "Expected `{}`, got `{}` - at `{}`",
    str(ModelEnd("{}", date(2026, 12, 1), 9, "{}")),
    str(ModelEnd("{}", date(2026, 12, 1), 0)),
}
"""Of several texts, or by msgspec."""


def spoken(node: ast.AST) -> Iterator[str]:
    """The texts below a node, `{}` for what is filled in; not those of docstrings and SILENT."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Call) and ast.unparse(child.func).split(".")[-1] in SILENT:
            continue
        if isinstance(child, ast.FunctionDef) and child.name in SILENT:
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif isinstance(child, ast.JoinedStr):
            yield "".join(map(_written, child.values))
        else:
            yield from spoken(child)


def _written(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    named = ast.unparse(part.value).split("(")[0].split(".")[-1]
    return "" if named in SUFFIXES else "{}"


def every_sentence() -> set[str]:
    found = {column.because for one in SUBJECTS for column in one.rules.values()}
    for name in SOURCES:
        for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name not in SILENT:
                found |= set(spoken(node))
    for name in WHOLE:
        found |= set(spoken(ast.parse((ROOT / name).read_text("utf-8"))))
    return {
        text.replace("{}", FILLED)
        for text in found | PUT_TOGETHER | shapes()
        if re.search("[a-z]", text) and " " in text
    }


class Shaped(msgspec.Struct, forbid_unknown_fields=True):
    """A request's body, of everything that bodies and queries are made of."""

    name: Annotated[str, msgspec.Meta(min_length=2, max_length=3)] = "ab"
    word: Annotated[str, msgspec.Meta(pattern="^a+$")] = "a"
    count: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1
    many: Annotated[list[int], msgspec.Meta(min_length=1, max_length=2)] = msgspec.field(
        default_factory=lambda: [1]
    )
    kind: Literal["a", "b"] = "a"
    when: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    key: UUID | None = None


class Needing(msgspec.Struct):
    """A body that must have something."""

    title: str


def shapes() -> set[str]:
    """What msgspec itself says of bodies that do not fit, with and without a place."""
    wrong = (
        *({"name": "a"}, {"name": "abcd"}, {"word": "b"}, {"count": 0}, {"count": 4}),
        *({"many": []}, {"many": [1, 2, 3]}, {"kind": "c"}, {"when": "now"}, {"name": 1}),
        *({"when": "2026-12-01T00:00:00"}, {"key": "x"}, {"what": 1}, [], {"many": {}}),
    )
    said = set()
    for kind, values in (*((Shaped, one) for one in wrong), (Needing, {})):
        for given, body in ((kind, values), (list[kind], [values])):  # type: ignore[valid-type]
            with pytest.raises(msgspec.ValidationError) as refused:
                msgspec.json.decode(msgspec.json.encode(body), type=given)
            said |= {str(refused.value), str(refused.value).partition(" - at ")[0]}
    return said


def untold(text: str, used: set[str]) -> list[str]:
    """Parts of a text that the table does not have; those it has go into `used`."""
    return [part for one in text.split("; ") for part in _untold(one.strip(), used)]


def _untold(part: str, used: set[str]) -> list[str]:
    if (known := key_of(part)) is not None:
        used.add(known[0])
        return []
    pieces = split(part)
    if pieces is not None and pieces[1] == ": ":
        return _untold(pieces[0], used) + _untold(pieces[2], used)
    if pieces is not None and key_of(pieces[2]) is not None:
        return _untold(pieces[2], used)
    is_sentence = " " in part.replace(FILLED, "").strip() and part[0] not in DATA
    return [part] if is_sentence else []


def test_every_sentence_is_translated_and_none_is_left_over() -> None:
    sentences, used = every_sentence(), set[str]()
    assert len(sentences) > 120
    assert [(part, text) for text in sentences for part in untold(text, used)] == []
    assert used == set(SENTENCES)


def test_what_is_filled_in_stays() -> None:
    for key, tongues in SENTENCES.items():
        assert [text.count("{}") for text in tongues] == [key.count("{}")] * 2, key


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.noun)
def test_no_refusal_of_a_form_stays_english(subject: Any) -> None:
    """Of every column, whatever is put into it."""
    said = [
        problem.message
        for name in subject.rules
        for value in WRONG
        for problem in _wrong(subject, {name: value}, [name])
    ]
    assert len(said) > 50
    assert {one for one in said if untold(one, set())} == set()
    assert {one for one in said if "must" in told(one, "pt") or "must" in told(one, "es")} == set()


@pytest.mark.parametrize(
    ("text", "pt", "es"),
    [
        (
            "secretary 'Ana': max_turns is 'x', must be a whole number; 50 is used",
            "secretária 'Ana': max_turns é 'x', deve ser um número inteiro; usa-se 50",
            "secretaria 'Ana': max_turns es 'x', debe ser un número entero; se usa 50",
        ),
        (
            "entry 2: destination is 'a; b: c', must be digits, letters and * # + . _ -, "
            "at most 32",
            "entrada 2: destination é 'a; b: c', deve ter dígitos, letras e * # + . _ -, "
            "no máximo 32",
            "entrada 2: destination es 'a; b: c', debe tener dígitos, letras y * # + . _ -, "
            "como máximo 32",
        ),
        (
            "provider 'Meu: provedor; 2': provider_settings: 'voic' is no setting of it and is "
            "left out; did you mean voice?",
            "provedor 'Meu: provedor; 2': provider_settings: 'voic' não é uma opção dele e fica "
            "de fora; quis dizer voice?",
            "proveedor 'Meu: provedor; 2': provider_settings: 'voic' no es una opción suya y "
            "queda fuera; ¿quiso decir voice?",
        ),
        (
            "Expected `str` of length >= 1 - at `$.content`",
            "esperava-se `str` de comprimento >= 1 - em `$.content`",
            "se esperaba `str` de longitud >= 1 - en `$.content`",
        ),
        (
            "budget: budget of the day used up (10 of 10 USD); the domain has no low-cost provider "
            "that can be used",
            "budget: orçamento do dia esgotado (10 de 10 USD); o domínio não tem provedor de baixo "
            "custo que possa ser usado",
            "budget: presupuesto del día agotado (10 de 10 USD); el dominio no tiene un proveedor "
            "de bajo costo que se pueda usar",
        ),
        ("something new", "something new", "something new"),
        ("is \ue000, must be a UUID", "é \ue000, deve ser um UUID", "es \ue000, debe ser un UUID"),
    ],
)
def test_a_sentence_is_told_part_by_part(text: str, pt: str, es: str) -> None:
    assert [told(text, one) for one in LANGUAGES] == [text, pt, es]


def test_a_text_of_any_length_is_told_at_once() -> None:
    """Nothing of it is lost; what is beyond the limits stays English."""
    long = "; ".join(
        f"closed_dates, entry {n}: 'x' is not a date like 2026-12-25" for n in range(400)
    )
    said = told(long, "pt")
    assert said.count("; ") == 399
    assert said.startswith("closed_dates, entrada 0: 'x' não é uma data")
    assert told("'" * 100_000, "es") == "'" * 100_000


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("pt-br", "pt"),
        ("es-cl", "es"),
        ("en-us", "en"),
        ("de-DE, es;q=0.5, pt;q=0.8", "pt"),
        ("es;q=0, pt_BR, *", "en"),
        ("fr", "en"),
        ("\xff" * 9000, "en"),
    ],
)
def test_the_language_is_the_best_that_is_asked_for(header: str, language: str) -> None:
    assert preferred(header) == language


def test_every_column_is_explained_in_every_language() -> None:
    shown = {one.rules[field.name].meaning for one in SUBJECTS for field in one.fields()}
    assert {meaning.en for meaning in shown} == set(SPANISH)
    for meaning in shown:
        assert [help_of(meaning, "pt"), help_of(meaning, "es")] == [meaning.pt, SPANISH[meaning.en]]


def test_every_field_and_feature_of_a_provider_is_explained_in_every_language() -> None:
    protocols = {one.protocol for known in DESCRIPTORS.values() for one in known.interfaces}
    shown = {text for protocol in protocols for *_, text in described_settings(protocol)}
    assert shown | {*FEATURES.values(), OF_INTERFACE} == set(HELPS)
