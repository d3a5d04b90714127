"""The voice: sentences out, sound back. A speech process that dies costs no word. Pure."""

from __future__ import annotations

from typing import NamedTuple

from bridge.errors import RemoteProtocolError
from bridge.providers.actions import Action, Close, Open, Send, SpeechService
from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.providers.http_errors import MAX_MESSAGE_CHARS
from bridge.providers.pipeline.answer import Answer, Sentence
from bridge.speech.messages import Cancel, Reply, Say, Told, decode_reply, encode_request
from bridge.wire.channel import ChannelEnd, Ender

TTS = "tts"
SOUND_LIMIT_S = 5.0
"""Longest wait for the next sound of what was asked for."""
REOPEN_AFTER_S = (0.1, 0.5)
"""Pauses before the tries to reach a process that was lost; each waits for one that is starting."""
MAX_AHEAD = 8
"""Sentences asked for at a time."""


class Part(NamedTuple):
    """Something that came for a sentence."""

    answer: Answer
    sentence: Sentence
    audio: bytes
    """Empty: the sentence is over."""


class Speaking:
    """One session's voice."""

    def __init__(self, service: SpeechService, out: list[Action]) -> None:
        self._out = out
        self._service = service
        self._open = self._was_open = False
        self._tries = 0
        self._reopen_at: float | None = None
        self._progress_at = 0.0
        self._number = 0
        self._asked: dict[int, tuple[Answer, Sentence]] = {}
        self._skip: dict[int, int] = {}
        """Bytes of a sentence that is asked for again and that are here already."""
        self._waiting: list[tuple[Answer, Sentence]] = []

    def open(self) -> None:
        """Reach the process."""
        self._out.append(Open(TTS, self._service))

    def opened(self, now: float) -> None:
        """It is there: what it owes is asked for, again or for the first time."""
        self._open = self._was_open = True
        again = [*self._asked.values(), *self._waiting]
        self._asked, self._skip, self._waiting = {}, {}, again
        self._progress_at = now
        self._ask(now)

    def speak(self, answer: Answer, text: str, now: float) -> None:
        """Have a sentence spoken."""
        sentence = Sentence(text)
        answer.sentences.append(sentence)
        if not self._asked:
            self._progress_at = now
        self._waiting.append((answer, sentence))
        self._ask(now)

    def cancel(self) -> None:
        """Nothing asked for is wanted any more."""
        if self._asked and self._open:
            self._out.append(Send(TTS, encode_request(Cancel())))
        self._asked, self._skip, self._waiting = {}, {}, []

    def receive(self, data: bytes, now: float) -> Part | None:
        """Take one message; None: of nothing that is wanted. Raises `RemoteProtocolError`."""
        reply = decode_reply(data)
        owed = self._asked.get(reply.number)
        if owed is None or reply.told in (Told.STARTED, Told.ENDED):
            return None
        self._progress_at = now
        answer, sentence = owed
        if reply.told is Told.AUDIO:
            return self._sound(reply, answer, sentence)
        del self._asked[reply.number]
        sentence.done, sentence.failed = True, reply.told is Told.FAILED and not sentence.size
        self._ask(now)
        return Part(answer, sentence, b"")

    def lost(self, end: ChannelEnd, now: float) -> ProviderFailure | None:
        """The process is gone: try again in a moment, or tell why not."""
        self._open = False
        again = end.by is Ender.NETWORK or not end.stage
        if again and self._was_open and self._tries < len(REOPEN_AFTER_S):
            self._reopen_at = now + REOPEN_AFTER_S[self._tries]
            self._tries += 1
            return None
        code = "speech_refused" if end.stage == "protocol" else "speech_lost"
        kind = ErrorKind.INVALID_REQUEST if end.stage == "protocol" else ErrorKind.OURS
        return ProviderFailure(kind, code, end.reason[:MAX_MESSAGE_CHARS], True, again)

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        if self._reopen_at is not None:
            return self._reopen_at
        return self._progress_at + SOUND_LIMIT_S if self._open and self._asked else None

    def handle_timeout(self, now: float) -> ProviderFailure | None:
        """Time has passed."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return None
        if self._reopen_at is not None:
            self._reopen_at = None
            self.open()
            return None
        self._out.append(Close(TTS))
        return self.lost(ChannelEnd(Ender.NETWORK, reason="no sound in time"), now)

    def _ask(self, now: float) -> None:
        while self._open and self._waiting and len(self._asked) < MAX_AHEAD:
            answer, sentence = self._waiting.pop(0)
            self._number = (self._number + 1) % (1 << 32)
            self._asked[self._number] = answer, sentence
            self._skip[self._number] = sentence.size
            self._out.append(Send(TTS, encode_request(Say(self._number, sentence.text))))

    def _sound(self, reply: Reply, answer: Answer, sentence: Sentence) -> Part | None:
        skip = self._skip.get(reply.number, 0)
        self._skip[reply.number] = max(0, skip - len(reply.data))
        data = reply.data[skip:]
        if not data:
            return None
        if len(data) % 2:
            raise RemoteProtocolError("speech process: half a sample")
        self._tries = 0
        sentence.size += len(data)
        return Part(answer, sentence, data)
