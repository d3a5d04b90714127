"""Lays together what several ways of searching have found. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from esl_controller.knowledge.found import Passage

LOOKED_AT = 20
"""Passages of each way that are laid together."""
SOFTENED = 60
"""Reciprocal rank fusion's constant (Cormack, Clarke, Buettcher 2009)."""


def fused(ways: Sequence[Sequence[Mapping[str, Any]]], limit: int) -> list[Passage]:
    """The best of several lists, each the best first, by reciprocal rank: what two ways find comes
    before what one does. Equals go by their place in the documents."""
    scores: defaultdict[str, float] = defaultdict(float)
    rows = {}
    for way in ways:
        for place, row in enumerate(way, 1):
            scores[row["passage_uuid"]] += 1 / (SOFTENED + place)
            rows[row["passage_uuid"]] = row
    ranked = sorted(
        rows.values(),
        key=lambda row: (-scores[row["passage_uuid"]], row["title"], row["passage_number"]),
    )
    return [Passage(row["title"], row["content"]) for row in ranked[:limit]]
