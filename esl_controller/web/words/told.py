"""Sentences about rows and fields, in the language a page asks for. Pure.

The English sentence is the key, as in gettext; `{}` stands for what is filled in. Sentences come
put together (`secretary 'Ana': speed is 3, must be a number; it is left out`): each part between
`; ` and `: ` is looked up by itself, and a part that nobody has translated stays English.
"""

from __future__ import annotations

import re
from functools import cache, partial
from typing import NamedTuple

from esl_controller.web.words import other_sentences, provider_sentences, sentences
from esl_controller.web.words.tongues import Tongues

LANGUAGES = ("en", "pt", "es")
MAX_PARTS = 12
"""Of one text: what is longer has been said often enough."""
MAX_PART = 400
MAX_DEPTH = 6
_AWAY = "\ue000"
_PUT_AWAY = re.compile(_AWAY)
_QUOTED = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|\ue000""")
"""Values as `repr` writes them."""
_WHOSE = re.compile(r"\w+ \{\}")
_NAME = re.compile(r"[\w.\[\]]+")
_RANGE = re.compile(
    r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?\s*"
)

SENTENCES: dict[str, Tongues] = {
    **sentences.SENTENCES,
    **provider_sentences.SENTENCES,
    **other_sentences.SENTENCES,
}


def preferred(header: str) -> str:
    """The best of LANGUAGES for an `Accept-Language` (RFC 9110 section 12.5.4); else English."""
    wanted = [found for one in header[:200].split(",") if (found := _RANGE.fullmatch(one))]
    ranked = sorted(wanted, key=lambda found: -float(found[2] or "1"))
    known = [found[1].lower() for found in ranked if float(found[2] or "1") > 0]
    return next((one for one in known if one in LANGUAGES), "en")


def told(text: str, language: str) -> str:
    """The text in this language, as far as it is known in it."""
    if language == "en" or not text:
        return text
    quoted: list[str] = []
    parts = _QUOTED.sub(partial(_put_away, quoted), text).split("; ")
    said = "; ".join(_told_part(part, language) for part in parts[:MAX_PARTS])
    whole = "; ".join([said, *parts[MAX_PARTS:]])
    return _PUT_AWAY.sub(lambda found: quoted.pop(0) if quoted else found[0], whole)


def _put_away(quoted: list[str], found: re.Match[str]) -> str:
    """A value that holds what parts are told by is none of ours to cut."""
    if not any(mark in found[0] for mark in ("; ", ": ", _AWAY)):
        return found[0]
    quoted.append(found[0])
    return _AWAY


def key_of(part: str) -> tuple[str, tuple[str, ...]] | None:
    """The sentence of the table that a part is, and what is filled in."""
    if len(part) > MAX_PART:
        return None
    for one in _patterns():
        if one.word in part and (found := one.pattern.fullmatch(part)):
            return one.key, found.groups()
    return None


def split(part: str) -> tuple[str, str, str] | None:
    """Where a part that is in no table begins anew: behind `: `, or behind the name of a field."""
    head, mark, tail = part.partition(": ")
    if mark:
        return head, mark, tail
    head, mark, tail = part.partition(" ")
    return (head, mark, tail) if mark and _NAME.fullmatch(head) else None


def _told_part(part: str, language: str, depth: int = MAX_DEPTH) -> str:
    if (known := key_of(part)) is not None:
        key, filled = known
        sentence: str = getattr(SENTENCES[key], language)
        return sentence.format(*filled)
    if (pieces := split(part)) is None or depth == 0:
        return part
    head, mark, tail = pieces
    if mark == " ":
        return part if key_of(tail) is None else f"{head} {_told_part(tail, language, 0)}"
    return f"{_told_part(head, language, 0)}: {_told_part(tail, language, depth - 1)}"


class _Pattern(NamedTuple):
    key: str
    word: str
    """The longest that stands in any such sentence: quicker to look for than to match."""
    pattern: re.Pattern[str]


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """Those with most words of their own first: `{} is not set` fits much."""
    keys = sorted(SENTENCES, key=lambda key: (-len(key.replace("{}", "")), key))
    return tuple(
        _Pattern(
            key,
            max(key.split("{}"), key=len),
            re.compile(_filled(key).join(map(re.escape, key.split("{}"))), re.DOTALL),
        )
        for key in keys
    )


def _filled(key: str) -> str:
    """What may be filled in: where a sentence begins with it, what goes before is no part of it."""
    name = "(?:(?!: ).)+?"
    if _WHOSE.fullmatch(key):
        return f"({name})"
    return f"([\\[{{'\"].+?|{name})" if key.startswith("{}") else "(.+?)"
