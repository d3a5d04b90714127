"""OpenAI Realtime: what is known of the conversation's items: their order and their audio."""

from __future__ import annotations

from bridge.audio.formats import AudioFormat

MAX_ITEMS = 64
"""Items that are remembered; only the last few can still be truncated or transcribed."""
MAX_PARTS = 8
MAX_UNCONFIRMED = 256


class GeneratedAudio:
    """How much audio each item has, part by part, so that no cut is asked for beyond it."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._sizes: dict[str, dict[int, int]] = {}
        """Bytes by item and `content_index`."""

    def add(self, item_id: str, content_index: int, size: int) -> None:
        """`size` more bytes of a part of `item_id` arrived."""
        items = self._sizes
        parts = items.get(item_id)
        if parts is None:
            if len(items) >= MAX_ITEMS:
                del items[next(iter(items))]
            parts = items[item_id] = {}
        if content_index in parts or len(parts) < MAX_PARTS:
            parts[content_index] = parts.get(content_index, 0) + size

    def place(self, item_id: str, heard_ms: int) -> tuple[int, int]:
        """The part in which `heard_ms` of the item end, and where in it, at most its length.

        As given, in the first part, for an item no longer known.
        """
        parts = self._sizes.get(item_id)
        if not parts:
            return 0, heard_ms
        left_ms, index, length_ms = heard_ms, 0, 0
        for index, size in sorted(parts.items()):
            length_ms = self._format.ms_for_bytes(size)
            if left_ms <= length_ms:
                return index, left_ms
            left_ms -= length_ms
        return index, length_ms


class ItemOrder:
    """Which item each item follows."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}

    def follows(self, item_id: str, previous_id: str) -> None:
        """`item_id` comes after `previous_id`."""
        if item_id and previous_id:
            self._before[item_id] = previous_id
            while len(self._before) > MAX_ITEMS:
                del self._before[next(iter(self._before))]

    def before(self, item_id: str) -> str:
        """The item before `item_id`; empty where that is not known."""
        return self._before.get(item_id, "")
