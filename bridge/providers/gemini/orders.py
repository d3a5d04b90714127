"""Gemini Live: words for the model, and which of them come first."""

from __future__ import annotations

from typing import NamedTuple

from bridge.providers.conversation import Conversation, Opening

SAY = "Say exactly the following to the caller, word for word, and nothing else:\n\n"
ANSWER = "[The caller is waiting. Answer what was said last, aloud.]"


class Order(NamedTuple):
    """Words for the model."""

    text: str
    respond: bool
    token: str = ""
    urgent: bool = False
    """The caller's own: it may interrupt."""


def opening_order(conversation: Conversation, *, answer_is_told: bool) -> Order | None:
    """What the model is asked first; None: nothing, or the history asks for the answer."""
    opening = conversation.opening
    if opening is Opening.GREET and conversation.brief.greeting:
        text = SAY + conversation.brief.greeting
        return Order(text, respond=True, token=conversation.opening_token)
    if opening is Opening.ANSWER and not answer_is_told:
        return Order(ANSWER, respond=True)
    return None
