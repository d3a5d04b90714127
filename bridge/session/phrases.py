"""The words of set moments."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bridge.ports import SetPhrase


@dataclass(slots=True)
class Phrases:
    """Words the agent says at set moments, in the language of the conversation."""

    still_there: str
    good_bye: str
    time_up: str
    connecting: str
    """Before a transfer, when the agent has not announced it."""
    say_again: str
    """When what the caller said was lost with a provider."""

    def change_to(self, other: Phrases) -> None:
        """The conversation goes on in another language."""
        for one in fields(self):
            setattr(self, one.name, getattr(other, one.name))

    def text(self, phrase: SetPhrase) -> str:
        """The words of a set phrase."""
        words: str = getattr(self, phrase.value)
        return words

    def phrase(self, text: str) -> SetPhrase | None:
        """The set phrase that has these words."""
        return next((phrase for phrase in SetPhrase if self.text(phrase) == text), None)
