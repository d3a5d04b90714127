"""What is kept of a text from another system, and what two telephone numbers are. Pure."""

from __future__ import annotations

import re

MAX_TEXT = 200
"""Characters of a name, a title, a number in an answer."""
MIN_TAIL = 8
"""Digits by which a number written without its country or area is known."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
NUMBER = re.compile(r"\+?[0-9]{2,20}")
"""A telephone number that can be told to another system."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """One line of it, without what changes how it is shown."""
    return _CONTROLS.sub(" ", text).strip()[:limit]


def same_number(one: str, other: str) -> bool:
    """Whether two ways of writing a telephone number mean the same.

    A country's prefix may be missing from one of them, so the shorter must end the longer.
    """
    one, other = _digits(one), _digits(other)
    if not one or not other:
        return False
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= MIN_TAIL and longer.endswith(shorter))


def _digits(text: str) -> str:
    return "".join(digit for digit in text if digit in "0123456789").lstrip("0")
