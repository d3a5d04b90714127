"""What was said and done, in the order of the conversation, as far as it was heard.

Texts come late: a caller's words are often written down after the agent has answered them. So a
place is opened when somebody begins to speak, and the text is put there when it comes.
"""

from __future__ import annotations

from bridge.ports import Utterance
from bridge.providers.conversation import Ran, Said, Speaker

MAX_ENTRIES = 1000
"""An hour of brisk talk has about 600."""
HISTORY_CHARS = 12_000
"""What goes along to the next provider: about 3,000 tokens, the end of a long talk."""
STILL_RUNNING = "still running: the result will be told"
_NEXT_S = 0.001


class _Entry:
    """One place in the conversation."""

    __slots__ = ("at_s", "cut", "heard_ms", "item_id", "ran", "speaker", "text", "total_ms")

    def __init__(self, speaker: Speaker, item_id: str, at_s: float) -> None:
        self.speaker = speaker
        self.item_id = item_id
        self.at_s = at_s
        self.text: str | None = None
        """None: not told yet; empty: it could not be written down."""
        self.cut = False
        self.heard_ms = 0
        self.total_ms = 0
        self.ran: Ran | None = None

    def utterance(self) -> Utterance | None:
        """The entry as it stands; None as long as there are no words."""
        if self.text is None:
            return None
        heard_ms = self.heard_ms if self.cut else None
        return Utterance(self.speaker, self.text, self.at_s, self.cut, self.item_id, heard_ms)

    def history(self) -> Said | Ran | None:
        """What the next provider is told of it."""
        if self.ran is not None:
            return self.ran
        text = self._heard_text()
        return Said(self.speaker, text) if text else None

    def _heard_text(self) -> str:
        text = self.text or ""
        if not self.cut or self.heard_ms >= self.total_ms > 0:
            return text
        if not self.heard_ms or not self.total_ms:
            return ""
        end = len(text) * self.heard_ms // self.total_ms
        return text[:end].rpartition(" ")[0] if end < len(text) else text


class Transcript:
    """Collects one conversation; `now` and `started_at` are monotonic seconds."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._entries: list[_Entry] = []
        self._by_id: dict[str, _Entry] = {}
        self._unheard: dict[str, str] = {}
        """Texts of the agent that have no sound so far: nobody has heard them."""
        self.dropped = 0

    # --- what is said ---------------------------------------------------------------------------

    def open(self, speaker: Speaker, item_id: str, now: float) -> Utterance | None:
        """Somebody begins to speak: what comes of it has its place here.

        Returns:
            The agent's words, where they came before their sound.
        """
        if not item_id or item_id in self._by_id:
            return None
        entry = self._append(speaker, item_id, now)
        text = self._unheard.pop(item_id, None)
        if entry is None or text is None:
            return None
        entry.text = text
        return entry.utterance()

    def add(
        self, speaker: Speaker, item_id: str, text: str, now: float, *, after: str = ""
    ) -> Utterance | None:
        """Put words to their place, or correct them; None when they are not to be told (yet)."""
        text = text.strip()
        entry = self._by_id.get(item_id) if item_id else None
        if entry is None and speaker is Speaker.AGENT and item_id:
            if len(self._unheard) < MAX_ENTRIES:
                self._unheard[item_id] = text
            return None
        if not text and speaker is Speaker.AGENT:
            return None
        if entry is None:
            entry = self._place(speaker, item_id, after, now)
        if entry is None or entry.text == text:
            return None
        entry.text = text
        return entry.utterance()

    def cut(self, item_id: str, heard_ms: int, total_ms: int) -> Utterance | None:
        """The agent's item was cut off; return it anew if its words are here already.

        Often they are: providers generate faster than anyone speaks.
        """
        entry = self._by_id.get(item_id)
        if entry is None:
            return None
        entry.cut, entry.heard_ms, entry.total_ms = True, heard_ms, total_ms
        return entry.utterance()

    # --- what is done ---------------------------------------------------------------------------

    def called(self, call_id: str, name: str, arguments: str, now: float) -> None:
        """A function runs."""
        entry = self._append(Speaker.AGENT, call_id, now)
        if entry is not None:
            entry.ran = Ran(name, arguments, STILL_RUNNING)

    def returned(self, call_id: str, output: str) -> Ran | None:
        """Its result; None when nothing is known of the call."""
        entry = self._by_id.get(call_id)
        if entry is None or entry.ran is None:
            return None
        entry.ran = Ran(entry.ran.name, entry.ran.arguments, output)
        return entry.ran

    # --- the whole ------------------------------------------------------------------------------

    @property
    def utterances(self) -> list[Utterance]:
        """All words so far, in the order of the conversation."""
        told = (entry.utterance() for entry in self._entries)
        return [utterance for utterance in told if utterance is not None]

    def history(self) -> list[Said | Ran]:
        """The latest entries that fit in `HISTORY_CHARS`, oldest first."""
        kept: list[Said | Ran] = []
        room = HISTORY_CHARS
        for entry in reversed(self._entries):
            told = entry.history()
            if told is None:
                continue
            room -= _size(told)
            if room < 0:
                break
            kept.append(told)
        return kept[::-1]

    def last(self) -> Said | Ran | None:
        """What the conversation ends with; None where the caller said more than is known.

        Words of the agent's that never came are lost with their provider, and no matter.
        """
        for entry in reversed(self._entries):
            told = entry.history()
            if told is not None or entry.speaker is Speaker.CALLER:
                return told
        return None

    # --- inside ---------------------------------------------------------------------------------

    def _append(self, speaker: Speaker, item_id: str, now: float) -> _Entry | None:
        at_s = round(now - self._started_at, 3)
        if self._entries:
            at_s = max(at_s, self._entries[-1].at_s)
        return self._insert(len(self._entries), _Entry(speaker, item_id, at_s))

    def _place(self, speaker: Speaker, item_id: str, after: str, now: float) -> _Entry | None:
        before = self._by_id.get(after) if after else None
        if before is None:
            return self._append(speaker, item_id, now)
        index = self._entries.index(before) + 1
        at_s = before.at_s + _NEXT_S
        if index < len(self._entries):
            at_s = min(at_s, self._entries[index].at_s)
        return self._insert(index, _Entry(speaker, item_id, round(at_s, 3)))

    def _insert(self, index: int, entry: _Entry) -> _Entry | None:
        if len(self._entries) >= MAX_ENTRIES:
            self.dropped += 1
            return None
        self._entries.insert(index, entry)
        if entry.item_id:
            self._by_id[entry.item_id] = entry
        return entry


def _size(told: Said | Ran) -> int:
    if isinstance(told, Said):
        return len(told.text)
    return len(told.name) + len(told.arguments) + len(told.output)
