"""What the pages say, taken apart: headings, links, blocks of code, tables and words in code."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.arch.tree import ROOT

DOCS = ROOT / "docs"
if str(DOCS) not in sys.path:  # as it is for a program that is started there
    sys.path.insert(0, str(DOCS))
import navigation  # noqa: E402

__all__ = ["navigation"]
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
GUIDES = [path for path in PAGES if path.name != "CHANGELOG.md" and path.parent.name != "adr"]
"""Pages that tell what to do now; the others tell what was."""

_FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(\s*([^)\s]+)\)")


def name(path: Path) -> str:
    """As tests call it."""
    return str(path.relative_to(ROOT))


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    text: str


@cache
def text(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text(path))


def blocks(path: Path, *languages: str) -> list[Block]:
    found = [Block(each[2], each[3]) for each in _FENCE.finditer(text(path))]
    return [block for block in found if not languages or block.language in languages]


def headings(path: Path) -> list[tuple[int, str]]:
    """Level and words of each."""
    found = re.findall(r"^(#{1,6}) +(.+?)\s*$", prose(path), re.MULTILINE)
    return [(len(level), words) for level, words in found]


@cache
def anchors(path: Path) -> frozenset[str]:
    """As GitHub makes them of headings; the second of the same gets a number."""
    seen: Counter[str] = Counter()
    found = set()
    for _, words in headings(path):
        plain = re.sub(r"\]\([^)]*\)|[`*\[\]]", "", words).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def links(path: Path) -> list[str]:
    """Every link and image that is not in code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(path)))


def spans(path: Path) -> list[str]:
    """Words set as code in running text and tables; one may go over the end of a line."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", prose(path)):
        joined = re.sub(r"\s*\n\s*", " ", paragraph)
        found += re.findall(r"(?<!`)`([^`]+)`(?!`)", joined)
    return found


def tables(path: Path) -> Iterator[list[list[str]]]:
    """Rows of cells, the heading first and without the line of dashes."""
    for found in re.finditer(r"(?:^\|.*\n?)+", prose(path), re.MULTILINE):
        rows = [re.split(r"(?<!\\)\|", row.strip())[1:-1] for row in found[0].splitlines()]
        yield [[cell.strip() for cell in row] for row in rows[:1] + rows[2:]]
