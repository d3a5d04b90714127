"""The emulated conversation: items in order, and what they cost.

Item fields, order and error texts: OpenAI API reference, Realtime (2026-08), and the public
reports openai-agents-js#748, livekit/agents#6157, twilio-samples/speech-assistant-openai-python#45.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

USER_TOKENS_PER_S = 10
AGENT_TOKENS_PER_S = 20
"""Audio tokens (OpenAI, Realtime costs)."""
CHARS_PER_TOKEN = 4


class ClientError(Exception):
    """The client broke a rule: becomes an `error` event."""

    def __init__(
        self,
        code: str | None,
        message: str,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.kind = kind


@dataclass(slots=True)
class Item:
    """A conversation item as sent, with bookkeeping."""

    data: dict[str, Any]
    audio_ms: float = 0.0

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.data["id"])

    @property
    def text(self) -> str:
        """Every word in it."""
        parts = self.data.get("content", ())
        words = [part.get("text") or part.get("transcript") or "" for part in parts]
        words += [self.data.get("arguments", ""), self.data.get("output", "")]
        return " ".join(word for word in words if word)

    def tokens(self) -> tuple[int, int]:
        """Text and audio tokens it costs as input."""
        rate = AGENT_TOKENS_PER_S if self.data.get("role") == "assistant" else USER_TOKENS_PER_S
        return len(self.text) // CHARS_PER_TOKEN + 3, int(self.audio_ms * rate / 1000)


class Conversation:
    """Items by id, in their order."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, oldest first."""
        return tuple(self._items)

    @property
    def last(self) -> Item | None:
        """The newest item."""
        return self._items[-1] if self._items else None

    def find(self, item_id: object) -> Item | None:
        """The item of that id."""
        return next((item for item in self._items if item.id == item_id), None)

    def previous_id(self, item: Item) -> str | None:
        """The id of the item before it."""
        index = self._items.index(item)
        return self._items[index - 1].id if index else None

    def add(self, item: Item, previous_id: str | None = None) -> None:
        """Put an item at the end, or after `previous_id` (`root`: at the beginning)."""
        if self.find(item.id) is not None:
            raise ClientError("invalid_value", f"Item with id '{item.id}' exists.", "item.id")
        if previous_id is None:
            self._items.append(item)
        elif previous_id == "root":
            self._items.insert(0, item)
        else:
            before = self._known(previous_id, "item_create_invalid_previous_item_id")
            self._items.insert(self._items.index(before) + 1, item)

    def retrieve(self, item_id: object) -> Item:
        """Return the item, or raise the error the service would send."""
        return self._known(item_id, "item_retrieve_invalid_item_id")

    def delete(self, item_id: object) -> None:
        """Remove an item."""
        self._items.remove(self._known(item_id, "item_delete_invalid_item_id"))

    def truncate(self, item_id: object, audio_end_ms: object) -> None:
        """Truncate the audio of an assistant item and drop its transcript."""
        item = self._known(item_id, "item_truncate_invalid_item_id")
        if type(audio_end_ms) is not int or audio_end_ms < 0:
            raise ClientError("invalid_value", "Invalid 'audio_end_ms'.", "audio_end_ms")
        if item.data.get("role") != "assistant" or not item.audio_ms or not audio_end_ms:
            text = "Only model output audio messages can be truncated"
            raise ClientError("unsupported_content_type", text)
        if audio_end_ms > item.audio_ms:
            have = int(item.audio_ms)
            text = f"Audio content of {have}ms is already shorter than {audio_end_ms}ms"
            raise ClientError("invalid_value", text, "audio_end_ms")
        item.audio_ms = audio_end_ms
        for part in item.data["content"]:
            part.pop("transcript", None)

    def _known(self, item_id: object, code: str) -> Item:
        item = self.find(item_id)
        if item is None:
            raise ClientError(code, f"Item with item_id '{item_id}' not found.", "item_id")
        return item
