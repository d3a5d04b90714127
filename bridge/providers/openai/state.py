"""OpenAI Realtime: what one session knows, shared by its sending and its receiving half."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bridge.audio.formats import AudioFormat
from bridge.providers.base import ConversationOptions, ProviderEvent, ProviderFailure
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.responses import ResponseRequests
from bridge.providers.openai.session import transcription_model

MAX_ITEMS = 64
"""Items whose audio length is remembered; only the last few can still be truncated."""


class GeneratedAudio:
    """How much audio each item has, so that no cut is asked for beyond it."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._bytes_by_item: dict[str, int] = {}

    def add(self, item_id: str, size: int) -> None:
        """`size` more bytes of `item_id` arrived."""
        sizes = self._bytes_by_item
        if item_id not in sizes and len(sizes) >= MAX_ITEMS:
            del sizes[next(iter(sizes))]
        sizes[item_id] = sizes.get(item_id, 0) + size

    def clamp(self, item_id: str, heard_ms: int) -> int:
        """`heard_ms`, at most what the item has; as given for an item no longer known."""
        size = self._bytes_by_item.get(item_id)
        return heard_ms if size is None else min(heard_ms, self._format.ms_for_bytes(size))


@dataclass(slots=True)
class SessionState:
    """One session, from `start` to its end."""

    options: ConversationOptions
    model: str
    transcription_model: str
    requests: ResponseRequests
    generated: GeneratedAudio
    events: deque[ProviderEvent] = field(default_factory=deque)
    session_id: str = ""
    ready: bool = False
    """The server took our settings."""
    failed: bool = False
    """A fatal failure was told; nothing more is sent, read or told."""
    create_id: str = ""
    """Event id of our last `response.create`."""
    cancel_when_created: bool = False
    cancelled_id: str | None = None
    """The response whose late audio is dropped."""
    open_calls: set[str] = field(default_factory=set)
    """Function calls whose results are awaited."""
    answer_after_calls: bool = False
    """An answer was asked for while results were awaited."""
    unconfirmed: set[str] = field(default_factory=set)
    """Items we created that the server has not shown in its conversation yet."""
    caller_speaks: bool = False
    """The server has heard the beginning of a turn, and not its end."""
    malformed_messages: int = 0
    late_audio: int = 0
    """Audio messages of cancelled responses, dropped."""

    def tell(self, event: ProviderEvent) -> None:
        """Queue an event; after a fatal failure there is nothing more to say."""
        if self.failed:
            return
        self.events.append(event)
        if isinstance(event, ProviderFailure) and event.fatal:
            self.failed = True


def new_state(config: OpenAIRealtimeConfig, options: ConversationOptions) -> SessionState:
    """The state of a session that is about to be configured."""
    turn = options.turn_detection
    return SessionState(
        options=options,
        model=config.model,
        transcription_model=transcription_model(config, options),
        requests=ResponseRequests(server_answers=turn.mode != "none" and turn.create_response),
        generated=GeneratedAudio(options.output_format),
    )
