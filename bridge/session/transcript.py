"""What was said, in order, as far as it was really heard."""

from __future__ import annotations

from dataclasses import replace

from bridge.ports import Utterance
from bridge.providers.base import Speaker

MAX_UTTERANCES = 1000
"""An hour of brisk talk has about 600."""
HISTORY_CHARS = 12_000
"""What goes along to the next provider: about 3,000 tokens, the end of a long talk."""


class Transcript:
    """Collects utterances of one conversation; `now` and `started_at` are monotonic seconds."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._cut: dict[str, int] = {}
        """Items cut off before their text was complete, and how much of each was heard in ms."""
        self.utterances: list[Utterance] = []
        self.dropped = 0

    def mark_interrupted(self, item_id: str, heard_ms: int) -> Utterance | None:
        """The agent's item was cut off; return it anew if its text is here already.

        Often it is: providers generate faster than anyone speaks.
        """
        for index in range(len(self.utterances) - 1, -1, -1):
            if self.utterances[index].item_id == item_id:
                cut = replace(self.utterances[index], interrupted=True, heard_ms=heard_ms)
                self.utterances[index] = cut
                return cut
        self._cut[item_id] = heard_ms
        return None

    def add(self, speaker: Speaker, item_id: str, text: str, now: float) -> Utterance | None:
        """Add one finished piece; None when it says nothing or the limit is reached."""
        text = text.strip()
        if not text:
            return None
        if len(self.utterances) >= MAX_UTTERANCES:
            self.dropped += 1
            return None
        heard_ms = self._cut.pop(item_id, None)
        utterance = Utterance(
            speaker,
            text,
            round(now - self._started_at, 3),
            interrupted=heard_ms is not None,
            item_id=item_id,
            heard_ms=heard_ms,
        )
        self.utterances.append(utterance)
        return utterance

    def history(self) -> list[tuple[Speaker, str]]:
        """The latest utterances that fit in `HISTORY_CHARS`, oldest first."""
        kept: list[tuple[Speaker, str]] = []
        room = HISTORY_CHARS
        for utterance in reversed(self.utterances):
            room -= len(utterance.text)
            if room < 0:
                break
            kept.append((utterance.speaker, utterance.text))
        return kept[::-1]
