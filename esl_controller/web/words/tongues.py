"""The same sentence in the languages besides English."""

from __future__ import annotations

from typing import NamedTuple


class Tongues(NamedTuple):
    """The same sentence."""

    pt: str
    es: str
