"""What a model thinks aloud between the words it says: never spoken. Pure.

Servers without a reasoning parser leave the model's own marks
in the text: Qwen3, DeepSeek and others write `<think>…</think>`.
"""

from __future__ import annotations

_MARKS = {"<think>": "</think>", "<thinking>": "</thinking>"}
_LONGEST = max(len(mark) for pair in _MARKS.items() for mark in pair)


class Thoughts:
    """Takes the text of one answer, cut anywhere."""

    def __init__(self) -> None:
        self._kept = ""
        self._end = ""
        """The mark that ends the thought we are in."""

    def strip(self, text: str) -> str:
        """Take some text; what of it is to be said."""
        text, self._kept = self._kept + text, ""
        said = ""
        while text:
            before, mark, text = _cut(text, (self._end,) if self._end else tuple(_MARKS))
            said += "" if self._end else before
            if not mark:
                self._kept = text
                return said
            self._end = "" if self._end else _MARKS[mark]
        return said

    def finish(self) -> str:
        """The answer is over: what looked like the beginning of a mark, and was none."""
        rest, self._kept = self._kept, ""
        return "" if self._end else rest


def _cut(text: str, marks: tuple[str, ...]) -> tuple[str, str, str]:
    """Before the first mark, the mark, behind it; without one, a beginning of one is left over."""
    found = [(place, mark) for mark in marks if (place := text.find(mark)) >= 0]
    if found:
        place, mark = min(found)
        return text[:place], mark, text[place + len(mark) :]
    for place in range(max(0, len(text) - _LONGEST), len(text)):
        if any(mark.startswith(text[place:]) for mark in marks):
            return text[:place], "", text[place:]
    return text, "", ""
