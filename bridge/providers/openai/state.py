"""OpenAI Realtime: what one session knows, shared by its sending and its receiving half."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bridge.providers.base import ProviderEvent, ProviderFailure
from bridge.providers.conversation import Conversation
from bridge.providers.openai.calls import FunctionCalls
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.items import MAX_UNCONFIRMED, GeneratedAudio, ItemOrder
from bridge.providers.openai.responses import ResponseRequests
from bridge.short_queue import ShortQueue

MAX_RESPONSES = 64
"""Responses that are remembered as over, or as heard."""


@dataclass(slots=True)
class SessionState:
    """One session, from `start` to its end."""

    config: OpenAIRealtimeConfig
    conversation: Conversation
    settings: dict[str, Any]
    """What is asked for in `session.update`, without what the server has refused."""
    requests: ResponseRequests
    generated: GeneratedAudio
    began_at: float
    model: str
    limit_at: float
    """When the service ends the session."""
    events: ShortQueue[ProviderEvent] = field(default_factory=ShortQueue)
    order: ItemOrder = field(default_factory=ItemOrder)
    calls: FunctionCalls = field(default_factory=FunctionCalls)
    session_id: str = ""
    open: bool = False
    """The WebSocket is up."""
    ready: bool = False
    """The server took our settings."""
    failed: bool = False
    """A fatal failure was told; nothing more is sent, read or told."""
    update_due: bool = False
    """Settings were refused in part: the rest is to be sent."""
    removed_settings: int = 0
    create_id: str = ""
    """Event id of our last `response.create`."""
    takes_metadata: bool = True
    """The server has not refused `metadata` in a `response.create`."""
    cancel_when_created: bool = False
    cancelled_id: str | None = None
    """The response whose late audio is dropped: cut by us or by the server."""
    committed_turn: str = ""
    """The caller's last turn that is an item of the conversation."""
    answering_turn: str = ""
    """The turn that the active response answers, where the server began it by itself."""
    disregarded_turn: str = ""
    """What sounded like a turn and was none: an answer to it is cancelled."""
    forget_turn: bool = False
    """It has no words: its item is deleted when it is there."""
    cancel_due: bool = False
    """The active response is one of them."""
    unwanted_ids: dict[str, None] = field(default_factory=dict)
    """Responses to what was no turn: nothing is told of them."""
    interrupted_id: str | None = None
    """The response whose interruption by the caller has been told."""
    unconfirmed: dict[str, None] = field(default_factory=dict)
    """Items we created that the server has not shown in its conversation yet."""
    caller_speaks: bool = False
    """The server has heard the beginning of a turn, and not its end."""
    wrote: bool = False
    """The last answer was written, not spoken."""
    malformed_messages: int = 0
    sounding: str | None = None
    """The response whose audio came last."""
    _sounded: dict[str, None] = field(default_factory=dict)
    _over: dict[str, None] = field(default_factory=dict)

    def tell(self, event: ProviderEvent) -> None:
        """Queue an event; after a fatal failure there is nothing more to say."""
        if self.failed:
            return
        self.events.append(event)
        if isinstance(event, ProviderFailure) and event.fatal:
            self.failed = True

    def unwanted(self, response_id: str) -> None:
        """Nothing is told of this response any more."""
        self.cancelled_id = response_id
        self.requests.cancelled()
        _remember(self.unwanted_ids, response_id, MAX_RESPONSES)

    def sounded(self, response_id: str) -> None:
        """Audio of this response is here."""
        self.sounding = response_id
        if response_id not in self._sounded:
            _remember(self._sounded, response_id, MAX_RESPONSES)

    def has_sounded(self, response_id: str) -> bool:
        """Whether audio of this response came."""
        return response_id in self._sounded

    def over(self, response_id: str) -> bool:
        """A response ended; False when that is old news."""
        if response_id in self._over:
            return False
        _remember(self._over, response_id, MAX_RESPONSES)
        return True

    def created_item(self, item_id: str) -> None:
        """We sent an item."""
        _remember(self.unconfirmed, item_id, MAX_UNCONFIRMED)
        self.requests.conversation_changed()

    @property
    def going_away_at(self) -> float:
        """When to tell that the session will end: in time, but not right at its beginning."""
        length_s = self.limit_at - self.began_at
        return self.limit_at - min(self.config.going_away_s, length_s / 3)

    def announced_end(self, unix_s: float | None) -> None:
        """The server told when it will end the session. Nonsense is ignored: clocks differ."""
        began_unix_s = self.conversation.unix_s
        if unix_s is None or not began_unix_s or unix_s <= began_unix_s:
            return
        self.limit_at = min(self.limit_at, self.began_at + unix_s - began_unix_s)


def _remember(names: dict[str, None], name: str, limit: int) -> None:
    names[name] = None
    while len(names) > limit:
        del names[next(iter(names))]


def new_state(
    config: OpenAIRealtimeConfig,
    conversation: Conversation,
    settings: dict[str, Any],
    now: float,
) -> SessionState:
    """The state of a session that is about to be opened."""
    return SessionState(
        config=config,
        conversation=conversation,
        settings=settings,
        requests=ResponseRequests(
            server_answers=config.turn_detection != "none" and config.create_response
        ),
        generated=GeneratedAudio(conversation.audio_out),
        began_at=now,
        model=config.model,
        limit_at=now + config.session_limit_s,
    )
