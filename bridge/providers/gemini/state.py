"""Gemini Live: what one session knows, shared by its sending and its receiving half."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.providers.base import ProviderEvent, ProviderFailure, Usage
from bridge.providers.conversation import Conversation
from bridge.providers.gemini.calls import FunctionCalls
from bridge.providers.gemini.config import GeminiLiveConfig
from bridge.short_queue import ShortQueue

MAX_WORDS_CHARS = 20_000
"""Of one turn; what is more is cut off."""


@dataclass(slots=True)
class Response:
    """One answer. The service numbers nothing: the numbers are ours."""

    number: int
    before: str
    """Id of the item before it."""
    words: str = ""
    told: str = ""
    """The words as they were last told."""
    sounded: bool = False
    called: bool = False
    dropped: bool = False
    """The session cut it: what still comes of it is not wanted."""

    @property
    def id(self) -> str:
        """As told in events."""
        return f"response-{self.number}"

    @property
    def item_id(self) -> str:
        """Of its audio and words."""
        return f"answer-{self.number}"


@dataclass(slots=True)
class CallerTurn:
    """What the caller says, as it is written down."""

    item_id: str
    after: str
    words: str = ""
    told: str | None = None
    answered: bool = False
    """An answer has begun: words that come now are late, and still of this turn."""
    tell_at: float = 0.0
    """The words have not changed until then: they are told."""


@dataclass(slots=True)
class SessionState:
    """One session, from `start` to its end."""

    config: GeminiLiveConfig
    conversation: Conversation
    began_at: float
    events: ShortQueue[ProviderEvent] = field(default_factory=ShortQueue)
    calls: FunctionCalls = field(default_factory=FunctionCalls)
    open: bool = False
    """The WebSocket is up."""
    ready: bool = False
    """The service took our settings."""
    failed: bool = False
    """A fatal failure was told; nothing more is sent, read or told."""
    response: Response | None = None
    """The answer being generated."""
    last: Response | None = None
    """The answer before: its words may still come."""
    turn_open: bool = False
    """The service has begun a turn of the model's, and not closed it: it may still be playing."""
    ordered: bool = False
    """We asked for something that has not been answered."""
    token: str = ""
    """Of the words that were ordered last."""
    we_interrupt: bool = False
    """Something of ours has interrupted the open turn: the caller did not."""
    caller: CallerTurn | None = None
    handle: str = ""
    """Resumes this session, as it stands now."""
    usage: Usage | None = None
    """Of the turn under way, the latest."""
    malformed_messages: int = 0
    _items: int = 0
    _last_item: str = ""

    def tell(self, event: ProviderEvent) -> None:
        """Queue an event; after a fatal failure there is nothing more to say."""
        if self.failed:
            return
        self.events.append(event)
        if isinstance(event, ProviderFailure) and event.fatal:
            self.failed = True

    def tell_usage(self) -> None:
        """The bill of a turn that is over."""
        usage, self.usage = self.usage, None
        if usage is not None:
            self.tell(usage)

    def new_response(self) -> Response:
        """The model begins to answer."""
        self._items += 1
        self.response = self.last = Response(self._items, self._last_item)
        self._last_item = self.response.item_id
        self.turn_open = True
        return self.response

    def new_caller_turn(self) -> CallerTurn:
        """The caller has said something. In the middle of an answer its place is before that."""
        self._items += 1
        response = self.response
        item_id = f"caller-{self._items}"
        self.caller = CallerTurn(item_id, response.before if response else self._last_item)
        self.caller.answered = response is not None
        if response is None:
            self._last_item = item_id
        return self.caller


def joined(words: str, fragment: str) -> str:
    """A transcript and its next fragment, which brings its own spaces."""
    return (words + fragment)[:MAX_WORDS_CHARS]
