"""What is known of a call before it begins: what the variables of its texts stand for. Pure."""

from __future__ import annotations

from esl_controller.database.models import RouteEntry
from esl_controller.tenants.dates import clock_words, date_words, when_words
from esl_controller.tenants.prompt import Known

_NOBODY = frozenset(
    ("anonymous", "unknown", "unavailable", "private", "restricted", "anonimo", "anônimo")
)
"""What a telephone network sends for a caller who is not named."""


def known_of(entry: RouteEntry, caller_number: str, caller_name: str) -> Known:
    """The variables of one call. The caller fields are what the caller claims."""
    return {
        **_times(entry),
        "caller_name": "" if _is_no_name(caller_name, caller_number) else caller_name,
        "caller_number": "" if caller_number.lower() in _NOBODY else caller_number,
        "called_number": entry.extension,
        "company": entry.tenant.company_name or entry.domain_name,
    }


def _times(entry: RouteEntry) -> Known:
    opening, language = entry.opening, entry.secretary.language
    if opening is None:
        return {}
    at, opens = opening.at, opening.next_open_at
    closes = opening.changes_at if opening.open else None
    return {
        "today": date_words(at, language),
        "hour": clock_words(at),
        "open": "yes" if opening.open else "no",
        "opens_at": when_words(opens, at, language) if opens else "",
        "closes_at": when_words(closes, at, language) if closes else "",
    }


def _is_no_name(name: str, number: str) -> bool:
    """FreeSWITCH shows the number for a name where there is none."""
    bare = name.strip().lower()
    return bare in _NOBODY or bare == number.lower() or not any(one.isalpha() for one in bare)
