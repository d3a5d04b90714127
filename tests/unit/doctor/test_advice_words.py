"""Every advice the doctor gives is there in Portuguese and Spanish."""

from __future__ import annotations

import ast

import pytest

from esl_controller.doctor.advice_words import ADVICE, LANGUAGES, told
from tests.arch.tree import ROOT

KINDS = {"failed", "warning", "note"}


def written(node: ast.expr, names: dict[str, list[ast.expr]]) -> list[str]:
    """The texts an expression can be, `{}` for what is filled in."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        return ["".join(map(str, parts))]
    if isinstance(node, ast.IfExp):
        return written(node.body, names) + written(node.orelse, names)
    assert isinstance(node, ast.Name), ast.unparse(node)
    assert names.get(node.id), node.id
    return [text for value in names[node.id] for text in written(value, {})]


def assigned(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    names: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=True))
            for name, one in pairs:
                if isinstance(name, ast.Name):
                    names.setdefault(name.id, []).append(one)
    return names


def every_advice() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "esl_controller" / "doctor").glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                names = assigned(function)
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and ast.unparse(node.func) in KINDS:
                        found.update(written(node.args[2], names))
    return found


def test_each_is_translated_and_none_is_left_over() -> None:
    advice = every_advice()
    assert len(advice) > 50
    assert advice == set(ADVICE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_in_stays(language: str) -> None:
    for key, tongues in ADVICE.items():
        assert [text.count("{}") for text in tongues] == [key.count("{}")] * 2
    said = told("make /var/spool and give it to the service's user", language)
    assert "/var/spool" in said


def test_unknown_advice_stays_english() -> None:
    assert told("do something new", "es") == "do something new"
    assert told("use unicast", "pt") == "use unicast"
    assert told("", "pt") == ""
