"""A guide says the same in both languages: the same parts, commands, names and figures."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs import pages, shell
from tests.docs.pages import DOCS, navigation

_NAME = re.compile(r"VOICE_AI_[A-Z_]+|\b[a-z]+(?:_[a-z0-9]+)+\b")
_FIGURE = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)?(?!\d|[A-Za-su-z]|\.\d)")
_CELLS = re.compile(r"(?<!\\)\|")
EXAMPLES = re.compile(r"(shop|loja)_\w+|order_status|status_pedido|esl_controller")
"""Names that are chosen by whoever follows the page."""
THERE = [
    pytest.param(DOCS / english, DOCS / "pt-BR" / portuguese, id=english)
    for english, portuguese in navigation.PORTUGUESE.items()
    if (DOCS / english).exists() and (DOCS / "pt-BR" / portuguese).exists()
]


def shape(path: Path) -> list[str]:
    """What a page is made of: headings, tables, blocks of code."""
    parts: list[str] = []
    fenced = False
    for line in pages.text(path).splitlines():
        if line.startswith("```"):
            fenced = not fenced
            parts += [line] if fenced else []
        elif not fenced and line.startswith("#"):
            parts.append(line.split()[0])
        elif not fenced and line.startswith("|"):
            parts.append(f"row of {len(_CELLS.split(line)) - 2}")
    return parts


def told(path: Path) -> list[str]:
    """Its commands, without what is a matter of language."""
    found = [each for line in shell.lines(path) for each in shell.commands(line)]
    kept = []
    for command in found:
        words = [word for word in command.words if re.fullmatch(r"-{0,2}[a-z][a-z-]*", word)]
        kept.append(" ".join(word for word in words[:3]) + " " + " ".join(
            sorted(word for word in words[3:] if word.startswith("--") and word != "--language")
        ))  # fmt: skip
    return kept


def names(path: Path) -> set[str]:
    """Settings, columns, functions, events."""
    found = _NAME.findall(" ".join(pages.spans(path)))
    return {name for name in found if not EXAMPLES.fullmatch(name)}


def figures(path: Path) -> Counter[str]:
    """Numbers in the text and its tables, however their decimals are written."""
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)", " ", pages.prose(path))
    return Counter(each.replace(",", ".") for each in _FIGURE.findall(text))


@pytest.mark.parametrize(("english", "portuguese"), THERE)
def test_both_have_the_same_parts(english: Path, portuguese: Path) -> None:
    assert shape(portuguese) == shape(english)


@pytest.mark.parametrize(("english", "portuguese"), THERE)
def test_both_have_the_same_commands(english: Path, portuguese: Path) -> None:
    assert told(portuguese) == told(english)


@pytest.mark.parametrize(("english", "portuguese"), THERE)
def test_both_name_the_same(english: Path, portuguese: Path) -> None:
    assert names(portuguese) == names(english)


@pytest.mark.parametrize(("english", "portuguese"), THERE)
def test_both_have_the_same_figures(english: Path, portuguese: Path) -> None:
    theirs, ours = figures(portuguese), figures(english)
    assert {each for each in theirs | ours if (each in theirs) != (each in ours)} == set()
