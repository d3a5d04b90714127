"""Cuts a document's text into passages that can be read aloud from. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

PASSAGE_CHARS = 1000
"""About a minute of speech: what answers one question, and costs a model 250 tokens."""
MAX_PASSAGES = 4000
"""Of one document."""
_BLANK = re.compile(r"\n\s*\n")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_SENTENCE = re.compile(r"(?<=[.!?…:;])\s+|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def cut(text: str) -> list[str]:
    """The passages of a text, each below the headings it stands under; MAX_PASSAGES at most."""
    passages: list[str] = []
    trail: dict[int, str] = {}
    begun = ""
    for paragraph in _paragraphs(text):
        heading = _HEADING.fullmatch(paragraph)
        if heading is not None:
            passages += _finished(trail, begun)
            begun, level = "", len(heading.group(1))
            trail = {one: words for one, words in trail.items() if one < level}
            trail[level] = heading.group(2)
            continue
        for piece in _pieces(paragraph):
            if begun and len(begun) + len(piece) + 1 > PASSAGE_CHARS:
                passages += _finished(trail, begun)
                begun = ""
            begun = f"{begun}\n{piece}" if begun else piece
        if len(passages) >= MAX_PASSAGES:
            break
    return [*passages, *_finished(trail, begun)][:MAX_PASSAGES]


def without_accents(text: str) -> str:
    """As people type who leave them out: `não` is `nao`."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(one for one in parts if not unicodedata.combining(one))


def _paragraphs(text: str) -> Iterator[str]:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    for block in _BLANK.split(_CONTROL.sub(" ", text)):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        plain: list[str] = []
        for line in lines:
            if _HEADING.fullmatch(line):
                if plain:
                    yield "\n".join(plain)
                plain = []
                yield line
            else:
                plain.append(line)
        if plain:
            yield "\n".join(plain)


def _pieces(paragraph: str) -> Iterator[str]:
    """A paragraph, in sentences where it is too long, by force where one sentence is."""
    if len(paragraph) <= PASSAGE_CHARS:
        yield paragraph
        return
    for sentence in _SENTENCE.split(paragraph):
        for begin in range(0, len(sentence), PASSAGE_CHARS):
            if piece := sentence[begin : begin + PASSAGE_CHARS].strip():
                yield piece


def _finished(trail: dict[int, str], begun: str) -> list[str]:
    if not begun:
        return []
    heading = " > ".join(words for _, words in sorted(trail.items()))[:200]
    return [f"{heading}\n{begun}" if heading else begun]
