"""From words that come in pieces to sentences that can be spoken. Pure.

The cut depends on the text alone, never on how it was cut into pieces.
"""

from __future__ import annotations

import re

MAX_CHARS = 300
"""Longest sentence; a longer one is cut at a comma or a space."""

_CLOSING = "\"'\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}»)]"
_OPENING = "\"'\N{LEFT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}«(["
_END = re.compile(rf"(?:[.!?…]+[{re.escape(_CLOSING)}]*(?=\s))|\n")
_WORD = re.compile(rf"(\S+?)[.!?…]+[{re.escape(_CLOSING)}]*$")
_ABBREVIATIONS = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "jr", "vs", "eg", "ie", "e.g", "i.e", "approx", "dept", "ext"}
    | {"sr", "sra", "srta", "dra", "exmo", "exma", "av", "tel", "cel", "apto", "pág", "nº", "núm"}
    | {"ltda", "cia", "sta", "p.ex", "aprox", "depto", "etc"}
)
"""English and Portuguese, in small letters, without the last full stop."""
_NUMBER = re.compile(r"\d{1,3}")
_MARKUP = re.compile(r"[*_`#>|~]+")


class SentenceSplitter:
    """Takes the text of one answer."""

    def __init__(self) -> None:
        self._text = ""
        self._from = 0
        """No sentence ends before this place."""

    def feed(self, text: str) -> list[str]:
        """Take some text; the sentences it completes."""
        self._text += text
        found: list[str] = []
        while (end := self._end()) is not None:
            sentence, self._text = self._text[:end].strip(), self._text[end:]
            self._from = 0
            if sentence:
                found.append(sentence)
        return found

    def finish(self) -> list[str]:
        """The text is over: what is left of it, none or one sentence."""
        rest, self._text, self._from = self._text.strip(), "", 0
        return [rest] if rest else []

    def _end(self) -> int | None:
        """Where the first sentence ends; None: not here yet."""
        while (match := _END.search(self._text, self._from)) is not None:
            if match.end() > MAX_CHARS:
                return _cut(self._text)
            if match.group() == "\n" or not _goes_on(self._text[: match.end()]):
                return match.end()
            self._from = match.end()
        return _cut(self._text) if len(self._text) > MAX_CHARS else None


def spoken(sentence: str) -> str:
    """A sentence without what a model writes for the eye."""
    return " ".join(_MARKUP.sub(" ", sentence).split())


def _cut(text: str) -> int:
    """A place in a text that is too long."""
    for mark in (", ", "; ", " "):
        place = text.rfind(mark, MAX_CHARS // 2, MAX_CHARS)
        if place > 0:
            return place + len(mark)
    return MAX_CHARS


def _goes_on(text: str) -> bool:
    """Whether the stop at its end is an abbreviation's, an initial's or a list number's."""
    found = _WORD.search(text)
    if found is None or "!" in text[found.end(1) :] or "?" in text[found.end(1) :]:
        return False
    word = found.group(1).lstrip(_OPENING)
    if _NUMBER.fullmatch(word):
        return text[: found.start(1)].strip() == ""
    initial = len(word) == 1 and word.isupper()
    return initial or word.lower() in _ABBREVIATIONS
