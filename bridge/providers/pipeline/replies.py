"""What the pipeline says: one answer at a time, from the model's words to their sound. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from bridge.errors import RemoteProtocolError
from bridge.providers.actions import Action, Close, Open, SpeechService
from bridge.providers.base import (
    Audio,
    ErrorKind,
    FunctionCall,
    ProviderEvent,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    Transcript,
    Usage,
)
from bridge.providers.conversation import Conversation, Speaker
from bridge.providers.http_errors import end_failure
from bridge.providers.pipeline import chat
from bridge.providers.pipeline.answer import Answer
from bridge.providers.pipeline.chat import ChatAnswer, Failure
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.memory import Memory
from bridge.providers.pipeline.sentences import spoken
from bridge.providers.pipeline.speaking import Speaking
from bridge.short_queue import ShortQueue
from bridge.wire.channel import ChannelEnd, Ender

CHAT = "chat"
MAX_WISHES = 16
KEPT_ANSWERS = 8
"""Answers that may be playing still, and be cut."""
_CUT_SHORT = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Wish(NamedTuple):
    """What is to be said next; without words the model is asked."""

    text: str = ""
    token: str = ""
    owed: bool = False
    """To results of functions: wanted whether or not the caller's last turn was one."""


class Replies:
    """The model and the voice of one conversation. Events and actions go to the owner's lists."""

    def __init__(
        self,
        config: PipelineConfig,
        talk: Conversation,
        events: ShortQueue[ProviderEvent],
        out: list[Action],
    ) -> None:
        self.dropped = 0
        self.ready = False
        self.held_until: float | None = None
        """The caller speaks: until then the model is not asked, or for this long if no end comes.
        Words that are given do not wait."""
        self.memory = Memory(talk.brief.instructions, talk.history)
        options = {
            "voice": config.voice or "",
            "language": talk.brief.language or "",
            "speed": config.speed,
            "rate_hz": talk.audio_out.rate_hz,
        }
        self.speaking = Speaking(SpeechService(config.tts, options), out)
        self._config = config
        self._talk = talk
        self._events = events
        self._out = out
        self._wishes: ShortQueue[Wish] = ShortQueue()
        self._answer: Answer | None = None
        self._chat: ChatAnswer | None = None
        """The request under way; its count may come after its answer."""
        self._kept: deque[Answer] = deque(maxlen=KEPT_ANSWERS)
        self._number = 0
        self._refused: set[str] = set()
        """Fields the chat server does not take."""

    def wish(self, wish: Wish, now: float) -> None:
        """Say this next, or ask the model, which is asked once for all that was said."""
        asked = next((n for n, waiting in enumerate(self._wishes) if not waiting.text), None)
        if asked is not None and not wish.text:
            self._wishes[asked] = Wish(owed=wish.owed or self._wishes[asked].owed)
        elif len(self._wishes) >= MAX_WISHES:
            self.dropped += 1
            return
        else:
            self._wishes.append(wish)
        self.go_on(now)

    def hold(self, until: float) -> None:
        """The caller speaks."""
        self.held_until = until

    def release(self, now: float) -> None:
        """The caller has spoken."""
        self.held_until = None
        self.go_on(now)

    def cut(self, heard_ms: Mapping[str, int]) -> bool:
        """Close the model, silence the voice, withdraw what waits; remember what was heard.

        Returns whether anything was broken off.
        """
        self._wishes.clear()
        answer, cut = self._answer, False
        ms = dict(heard_ms)
        if answer is not None:
            self._end_answer(answer)
            ms.setdefault(answer.id, 0)
        for kept in self._kept:
            if kept.id in ms:
                kept.entry.text = kept.heard_text(ms[kept.id], self._talk.audio_out)
                cut = True
        return cut

    @property
    def begun(self) -> int:
        """How many answers were begun."""
        return self._number

    def unwish(self, before: int) -> None:
        """No answer to the caller's last turn is wanted; `before`: answers begun before it."""
        self._wishes = ShortQueue(wish for wish in self._wishes if wish.text or wish.owed)
        answer = self._answer
        if answer is not None and answer.chat is not None and answer.number > before:
            self._end_answer(answer)
            answer.entry.text = ""
            if answer.owed:
                self._wishes.append(Wish(owed=True))

    def withdraw_unheard(self) -> None:
        """A caller who goes on speaking is not given the answer to half of it."""
        answer = self._answer
        if answer is not None and answer.chat is not None and not answer.sounded:
            self._end_answer(answer)
            answer.entry.text = ""
            self._events.append(ResponseDone(answer.id, "cancelled", "caller went on", spoke=False))

    def leave(self) -> None:
        """Bill what was begun."""
        if self._answer is not None:
            self._tell_text(self._answer)
            self._bill_voice(self._answer)
            self._answer = None
        self._drop_chat()

    # --- thinking -----------------------------------------------------------------------------

    def go_on(self, now: float) -> None:
        """Begin what is to be said next, when nothing is being said."""
        if not self.ready or self._answer is not None:
            return
        held = self.held_until is not None
        wish = next((wish for wish in self._wishes if wish.text or not held), None)
        if wish is None:
            return
        self._wishes.remove(wish)
        self._number += 1
        answer = Answer(self._number, self.memory.agent(), owed=wish.owed)
        self._answer = answer
        self._kept.append(answer)
        self._events.append(ResponseStarted(answer.id, wish.token))
        if wish.text:
            self._take_text(answer, wish.text + "\n", now)
            self._complete(answer, now)
        else:
            self._ask(answer)

    def _ask(self, answer: Answer) -> None:
        self._drop_chat()
        tools = self._talk.brief.tools
        request = chat.request(self._config, self.memory.messages(), tools, self._refused)
        answer.chat = self._chat = ChatAnswer(answer.number, len(request.body))
        self._out.append(Open(CHAT, request))

    def on_chat(self, data: bytes, now: float) -> None:
        """Take one event of the answer's stream."""
        model = self._chat
        if model is None:
            return
        text = model.receive(data)
        answer = self._answer
        if answer is None or answer.chat is not model or answer.complete:
            return
        if model.failure is not None:
            self._answer_failed(answer, model.failure, now)
            return
        if text:
            self._take_text(answer, text, now)
        if model.finish_reason:
            self._complete(answer, now)

    def on_chat_end(self, end: ChannelEnd, now: float) -> None:
        """The request is over: what was counted is billed, an answer that is not whole failed."""
        model, self._chat = self._chat, None
        if model is None:
            return
        self._bill_chat(model)
        answer = self._answer
        if answer is None or answer.chat is not model or answer.complete:
            return
        refused = chat.refused_field(end, self._refused)
        if refused is None:
            self._answer_failed(answer, _chat_failure(end), now)
        else:
            self._refused.add(refused)
            self._ask(answer)

    def _take_text(self, answer: Answer, text: str, now: float) -> None:
        for sentence in answer.splitter.feed(text):
            self._speak(answer, sentence, now)

    def _speak(self, answer: Answer, sentence: str, now: float) -> None:
        answer.entry.text = f"{answer.entry.text} {sentence}".strip()
        words = spoken(sentence)
        if words:
            self.speaking.speak(answer, words, now)

    def _complete(self, answer: Answer, now: float) -> None:
        """All its words are known, and its functions."""
        for sentence in answer.splitter.finish():
            self._speak(answer, sentence, now)
        answer.complete = True
        calls = [call for call in answer.chat.calls if call.name] if answer.chat else []
        self.memory.called(answer.entry, calls)
        for call in calls:
            arguments = call.arguments or "{}"
            self._events.append(FunctionCall(call.id, call.name, arguments, answer.id))
        self._done_if_over(answer, now)

    def _answer_failed(self, answer: Answer, failure: Failure, now: float) -> None:
        """What was said of it stays said."""
        spoke = answer.sounded
        self._end_answer(answer)
        answer.entry.text = answer.text
        self._events.append(
            ResponseDone(answer.id, "failed", failure.code, failure.kind, spoke, failure.retry_in_s)
        )
        self.go_on(now)

    # --- speaking -----------------------------------------------------------------------------

    def on_voice(self, data: bytes, now: float) -> ProviderFailure | None:
        """Take one message of the speech process."""
        try:
            part = self.speaking.receive(data, now)
        except RemoteProtocolError as error:
            text = str(error)[:500]
            return ProviderFailure(ErrorKind.OURS, "malformed_message", text, True, True)
        if part is not None and part.answer is self._answer:
            if part.audio:
                answer = part.answer
                self._events.append(Audio(answer.id, answer.id, part.audio))
            else:
                self._done_if_over(part.answer, now)
        return None

    def _tell_text(self, answer: Answer) -> None:
        """The words that have a sound, once for an answer."""
        if answer.text:
            self._events.append(Transcript(Speaker.AGENT, answer.id, answer.text))

    def _done_if_over(self, answer: Answer, now: float) -> None:
        if not answer.over or self._answer is not answer:
            return
        failed = [sentence for sentence in answer.sentences if sentence.failed]
        if failed and len(failed) == len(answer.sentences) and not answer.entry.calls:
            self._answer_failed(answer, Failure(ErrorKind.SERVER, "speech_failed"), now)
            return
        self._answer = None
        self._tell_text(answer)
        self._bill_voice(answer)
        reason = _CUT_SHORT.get(answer.chat.finish_reason, "") if answer.chat else ""
        spoke = answer.sounded or bool(answer.entry.calls)
        status = "incomplete" if reason else "completed"
        self._events.append(ResponseDone(answer.id, status, reason, spoke=spoke))
        self.go_on(now)

    def _end_answer(self, answer: Answer) -> None:
        """Nothing more comes of it."""
        self._answer = None
        self.speaking.cancel()
        if answer.chat is self._chat:
            self._drop_chat()
        self._tell_text(answer)
        self._bill_voice(answer)

    # --- bills --------------------------------------------------------------------------------

    def _drop_chat(self) -> None:
        model, self._chat = self._chat, None
        if model is not None:
            self._out.append(Close(CHAT))
            self._bill_chat(model, dropped=True)

    def _bill_chat(self, model: ChatAnswer, *, dropped: bool = False) -> None:
        usage = model.usage(self._config, dropped=dropped)
        if usage is not None:
            self._events.append(usage)

    def _bill_voice(self, answer: Answer) -> None:
        if answer.characters:
            model = self._config.voice or ""
            self._events.append(Usage(self._config.tts, model, characters=answer.characters))


def _chat_failure(end: ChannelEnd) -> Failure:
    """Why a request ended before its answer. A model that garbles a call may do better again."""
    if end.by is Ender.PEER and not end.stage and 200 <= end.code < 300:
        return Failure(ErrorKind.CONNECTION, "answer_cut_short")
    failure = end_failure(end)
    if failure.code == "tool_use_failed":
        return Failure(ErrorKind.SERVER, failure.code)
    return Failure(failure.kind, failure.code, failure.retry_in_s)
