"""What a search in a tenant's documents gives. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Passage:
    """Something of a tenant's documents that fits a question."""

    source: str
    """Title of the document."""
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the best first, and how."""

    passages: Sequence[Passage]
    by_meaning: bool = False
    """Else by words alone."""
    why: str = ""
    """Why not by both, where the domain wants that; for the operator."""


class SearchFailed(Exception):
    """The documents could not be searched; the text is for the operator."""


class NoVector(Exception):
    """A question has no vector now; the text is for the operator."""


class Vector(NamedTuple):
    """A question as a model sees it."""

    space: str
    """Of vectors it can be compared with."""
    numbers: str
    """A list in JSON."""


class Meaning(Protocol):
    """Turns a domain's questions into vectors."""

    def space(self, domain_uuid: str) -> str:
        """Of its vectors; empty: nobody makes any. May wait. Raises NoVector."""

    def vector(self, domain_uuid: str, question: str, *, timeout_s: float) -> Vector:
        """Of a question. Waits. Raises NoVector."""
