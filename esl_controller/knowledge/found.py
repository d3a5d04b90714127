"""What a search in a tenant's documents gives. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """Something of a tenant's documents that fits a question."""

    source: str
    """Title of the document."""
    text: str


class SearchFailed(Exception):
    """The documents could not be searched; the text is for the operator."""
