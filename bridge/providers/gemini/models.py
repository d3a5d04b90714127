"""Gemini Live: what differs between the models.

From the models' pages and the Live API guide (ai.google.dev/gemini-api/docs, 2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """What one family of models takes."""

    text_any_time: bool = True
    """`clientContent` is taken all session long; otherwise only as history at the beginning."""
    names_language: bool = True
    """`speechConfig.languageCode` is taken; other models find the language by themselves."""
    function_behavior: bool = False
    """Functions do not hold the model up unless `behavior` says so."""
    thinking: bool = False
    """`thinkingConfig` is taken."""
    affective: bool = False
    """`enableAffectiveDialog` is taken."""
    proactive: bool = False
    """`proactivity` is taken; a model that has it always on refuses to be asked."""


_LATEST = Traits(function_behavior=True)
_BY_PREFIX = {
    "gemini-3.1-flash-live": Traits(text_any_time=False, thinking=True),
    "gemini-2.5-": Traits(names_language=False, thinking=True, affective=True, proactive=True),
    "gemini-live-2.5-": Traits(names_language=False, thinking=True, affective=True, proactive=True),
}


def traits_of(model: str) -> Traits:
    """Those of a model, with or without its path; one nobody knows is taken for the latest."""
    name = model.rpartition("/")[2]
    for prefix, traits in _BY_PREFIX.items():
        if name.startswith(prefix):
            return traits
    return _LATEST
