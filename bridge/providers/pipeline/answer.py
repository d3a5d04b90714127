"""One answer of the pipeline: its sentences, and how much of them was heard. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.audio.formats import AudioFormat
from bridge.providers.pipeline.chat import ChatAnswer
from bridge.providers.pipeline.memory import Entry
from bridge.providers.pipeline.sentences import SentenceSplitter

MS_PER_CHAR = 65
"""About 15 characters a second: how long a sentence lasts whose sound is not all here."""
BROKEN_OFF = "…"


@dataclass(slots=True)
class Sentence:
    """One sentence, and its sound."""

    text: str
    size: int = 0
    """Bytes of audio so far."""
    done: bool = False
    failed: bool = False


@dataclass(slots=True)
class Answer:
    """What the agent says in one go."""

    number: int
    entry: Entry
    chat: ChatAnswer | None = None
    """None: words that were given."""
    splitter: SentenceSplitter = field(default_factory=SentenceSplitter)
    sentences: list[Sentence] = field(default_factory=list)
    complete: bool = False
    """All its sentences are known."""
    owed: bool = False
    """It is to results of functions."""

    @property
    def id(self) -> str:
        """Of the response and of its only item."""
        return f"p{self.number}"

    @property
    def over(self) -> bool:
        """All of its sound is here."""
        return self.complete and all(sentence.done for sentence in self.sentences)

    @property
    def sounded(self) -> bool:
        """Whether any of it can have been heard."""
        return any(sentence.size for sentence in self.sentences)

    @property
    def text(self) -> str:
        """The words whose sound is here or has begun."""
        return " ".join(sentence.text for sentence in self.sentences if sentence.size)

    @property
    def characters(self) -> int:
        """How many were spoken."""
        return sum(len(sentence.text) for sentence in self.sentences if sentence.size)

    def heard_text(self, heard_ms: int, audio_out: AudioFormat) -> str:
        """The words that were heard: whole sentences, and of one its part by time."""
        heard: list[str] = []
        left_ms = heard_ms
        for sentence in self.sentences:
            if left_ms <= 0:
                break
            lasts_ms = audio_out.ms_for_bytes(sentence.size)
            if not sentence.done:
                lasts_ms = max(lasts_ms, len(sentence.text) * MS_PER_CHAR)
            if left_ms >= lasts_ms:
                heard.append(sentence.text)
            else:
                heard.append(_part(sentence.text, left_ms / lasts_ms))
            left_ms -= lasts_ms
        return " ".join([*filter(None, heard), BROKEN_OFF]) if any(heard) else ""


def _part(text: str, share: float) -> str:
    """Whole words of the first `share` of a text."""
    end = round(len(text) * share)
    return text[:end] if text[end : end + 1].isspace() else text[:end].rpartition(" ")[0]
