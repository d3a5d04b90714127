"""What every provider looks like to a session: actions out, events in, and no I/O.

A protocol object is pure: it has no socket, clock or log. A conversation with a provider needs one
or more *channels* (WebSockets, HTTP requests, the local speech process). The protocol names them
and says when to open them; `bridge.providers.host` opens them, moves their bytes and hands the time
in. Nothing else crosses the seam, so that a fifth provider is one folder and one line in
`bridge.providers.registry`.

All times are monotonic seconds. Every command but `send_audio`, the hot path, is dated.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec

from bridge.audio.formats import AudioFormat
from bridge.providers.actions import Action
from bridge.providers.conversation import Conversation, Speaker
from bridge.wire.channel import ChannelEnd
from bridge.wire.uplink_codec import AudioShape


class ErrorKind(enum.Enum):
    """Why a provider failed, as far as the caller's experience is concerned."""

    AUTHENTICATION = "authentication"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    INVALID_REQUEST = "invalid_request"
    SESSION_EXPIRED = "session_expired"
    SERVER = "server"
    CONNECTION = "connection"
    PROTOCOL = "protocol"
    OURS = "ours"
    """A limit or a fault of our own ended it: the provider is not to blame."""


# --- what a provider can do -----------------------------------------------------------------------


class Turns(enum.Enum):
    """Who finds the caller's turns, and whether we are told."""

    TOLD = "told"
    """The provider, and it tells `CallerStarted` and `CallerStopped`."""
    HIDDEN = "hidden"
    """The provider, and it does not tell: our own ear tells the session."""
    OURS = "ours"
    """Our ear; the provider is told by `begin_turn` and `end_turn`."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the session must know of a provider. It never asks for the provider's name."""

    audio_in: tuple[AudioFormat, ...]
    """Formats it takes, best first. What it really takes is told by `SessionReady`."""
    audio_out: tuple[AudioFormat, ...]
    turns: Turns = Turns.TOLD
    interrupts: bool = False
    """It decides what interrupts its answer, and tells `Interrupted`; otherwise a caller who
    speaks does."""
    speaks_text: bool = True
    """`say` works; otherwise the call plays recorded phrases."""
    writes: bool = True
    """It tells what the caller said (`Transcript`)."""
    minds_silence: bool = False
    """It asks a silent caller itself: the session does not."""
    notices_within_s: float | None = None
    """The caller's voice brings some message within this time, or `probe` provokes one; None:
    a provider that sends nothing may be well."""


# --- what was heard of it -------------------------------------------------------------------------


class Heard(NamedTuple):
    """How much of one item the caller heard; 0: nothing."""

    item_id: str
    heard_ms: int


# --- events ---------------------------------------------------------------------------------------


class _Event(msgspec.Struct, frozen=True, gc=False):
    """Dozens are made of each answer: a frozen dataclass takes five times as long."""


class SessionReady(_Event, frozen=True):
    """Audio may flow, in these formats."""

    session_id: str
    audio_in: AudioFormat
    audio_out: AudioFormat


class CallerStarted(_Event, frozen=True):
    """The caller speaks. This alone does not cut the agent: see `Capabilities.interrupts`."""

    item_id: str = ""


class CallerStopped(_Event, frozen=True):
    """The caller's turn is over."""

    item_id: str = ""
    expects_answer: bool = True
    """False: noise, or a model that may choose to stay silent."""


class CallerWords(_Event, frozen=True):
    """What was understood of the caller's turn so far; may change, and is told as `Transcript`."""

    item_id: str
    text: str


class Interrupted(_Event, frozen=True):
    """The provider dropped the rest of its answer: cut what is heard, now."""

    response_id: str = ""


class ResponseStarted(_Event, frozen=True):
    """The model began to answer."""

    response_id: str
    token: str = ""
    """That of the `say` this answers, where the provider can tell; otherwise empty."""


class Audio(_Event, frozen=True):
    """A piece of the agent's voice, in `SessionReady.audio_out`."""

    response_id: str
    item_id: str
    data: bytes


class ResponseDone(_Event, frozen=True):
    """No more audio is expected of this answer; if more comes all the same, it is played."""

    response_id: str
    status: str
    """completed | cancelled | incomplete | failed, or silent: the model chose to say nothing, and
    no answer is due any more"""
    reason: str = ""
    error_kind: ErrorKind | None = None
    spoke: bool = True
    """False: neither audio nor a function call: the caller has not been answered."""
    retry_in_s: float | None = None
    """How long a rate-limited provider asked us to wait."""


class Transcript(_Event, frozen=True):
    """All words of one item; told again under the same id when they are corrected."""

    speaker: Speaker
    item_id: str
    text: str
    """Empty: something was said that could not be transcribed."""
    after: str = ""
    """The item before it in the conversation, where the provider knows it: texts come late."""


class FunctionCall(_Event, frozen=True):
    """The model wants a function run. Each `call_id` is told once."""

    call_id: str
    name: str
    arguments: str
    """JSON text exactly as the model wrote it: hostile until parsed."""
    response_id: str = ""


class FunctionCancelled(_Event, frozen=True):
    """The result of this call is no longer wanted."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What one vendor counted; a pipeline has several vendors."""

    vendor: str
    """As in the price list: openai | elevenlabs | gemini | deepgram | groq …"""
    model: str = ""
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    cached_text_tokens: int = 0
    cached_audio_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    transcription_seconds: float = 0.0
    transcription_tokens: int = 0
    audio_seconds: float = 0.0
    characters: int = 0
    account: str = ""
    """Of the candidate it came through (`Candidate.name`). A protocol object knows none."""


class GoingAway(_Event, frozen=True):
    """The provider will end this session in so many seconds."""

    in_s: float


class Ended(_Event, frozen=True):
    """The agent ended the conversation by itself. Not a failure."""

    reason: str = ""


class ProviderFailure(_Event, frozen=True):
    """Something went wrong at the provider."""

    kind: ErrorKind
    code: str
    message: str
    """For logs; holds no secret."""
    fatal: bool
    """The session is over; nothing follows."""
    retryable: bool
    """The same provider may work if tried again."""
    retry_in_s: float | None = None


ProviderEvent = (
    SessionReady
    | CallerStarted
    | CallerStopped
    | CallerWords
    | Interrupted
    | ResponseStarted
    | Audio
    | ResponseDone
    | Transcript
    | FunctionCall
    | FunctionCancelled
    | Usage
    | GoingAway
    | Ended
    | ProviderFailure
)


# --- the object -----------------------------------------------------------------------------------


class Pieces(NamedTuple):
    """The beginning of some messages, taken by the short way."""

    audio: Sequence[Audio] = ()
    """All that is to be told of them."""
    taken: int = 0
    """How many they were."""


NO_PIECES = Pieces()


class ProviderProtocol(Protocol):
    """The pure core of a provider: one conversation over its channels.

    No method raises for what a peer sent: bad input becomes a `ProviderFailure`. Commands given
    before `SessionReady` are carried out when it is ready, in order.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; known before `start`."""

    # life

    def start(self, conversation: Conversation, now: float) -> None:
        """Begin: the first `actions` open channels.

        Raises:
            LocalProtocolError: called twice, or formats it does not speak.
        """

    def stop(self, now: float) -> None:
        """We leave: last messages and last `Usage` are due.

        Only `actions` and `next_event` follow.
        """

    def successor(self) -> ProviderProtocol:
        """A fresh object to cross a session limit with; it may hold a resumption handle of this."""

    # in

    def receive_open(self, channel: str, now: float) -> None:
        """A channel is open."""

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        """Take one whole message of a channel."""

    def receive_audio(self, channel: str, messages: Sequence[bytes], now: float) -> Pieces:
        """Take messages of a channel for as long as there is nothing in them but more of the answer
        under way, or what nobody needs. The rest is for `receive_message`, and all where an event
        waits. It comes to the same as `receive_message`: no other event, no action, and no deadline
        but a later one. The hot path."""

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        """A channel ended or could not be opened; not told of one we closed."""

    # out

    def next_event(self) -> ProviderEvent | None:
        """Take the next event, or None."""

    def actions(self) -> list[Action]:
        """Take everything to be done on channels now, in order."""

    # commands

    @property
    def audio_shape(self) -> AudioShape | None:
        """How each piece of the caller's audio goes out as a message, for as long as this is the
        same object; None: there is more to it now, and `send_audio` does it."""

    def audio_sent(self, size: int) -> None:
        """So many bytes of the caller's audio went out in `audio_shape`, without `send_audio`."""

    def send_audio(self, data: bytes) -> None:
        """Caller audio in `SessionReady.audio_in`, never empty. Moves no deadline: the hot path."""

    def begin_turn(self, now: float) -> None:
        """`Turns.OURS`: the caller speaks."""

    def end_turn(self, now: float, *, answer: bool = True) -> None:
        """`Turns.OURS`: the caller has spoken, and an answer is wanted.

        Without `answer` only its words are, for now: then comes `answer` or `disregard`. A provider
        that answers each turn by itself need not wait.
        """

    def send_text(self, text: str, now: float) -> None:
        """A turn of the caller in words (keys pressed, for instance); an answer is wanted."""

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        """Tell the model something the caller did not say; `respond`: it shall speak about it."""

    def say(self, text: str, token: str, now: float) -> None:
        """Have the agent say exactly this next, whatever the caller does (`speaks_text`)."""

    def answer(self, now: float) -> None:
        """Answer what the conversation holds: the last answer failed, or said nothing, or the turn
        that ended without one is wanted after all."""

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        """Give a result. Whether and when the model goes on is the protocol's own affair."""

    def cut(self, heard: Sequence[Heard], now: float) -> None:
        """The session cut the agent: stop what is generated or asked for; items end as heard.

        Also called after `Interrupted`, with what was heard. Items not named were heard whole.
        """

    def disregard(self, turn_id: str, unheard: Sequence[str], *, words: bool, now: float) -> None:
        """What sounded like a turn was none: it is not answered, and the answer before it goes on.

        `turn_id`: of `CallerStarted`. An answer of its own to it, begun or still to come, is
        stopped; `unheard` are the items of that. `words`: the model may know what was said, an
        "uh-huh"; else there was nothing.
        """

    def probe(self, now: float) -> None:
        """Provoke some message, without any other effect (`notices_within_s`)."""

    # time

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
