"""The emulated model's side: it generates, plays by its own clock, is interrupted, calls functions.

Order of messages: Live API guide (2026-11). Answers are sent faster than they play; the turn is
complete when they would have been heard.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from bridge.audio.formats import L16_24K
from esl_controller.simulator.gemini.core import Core
from esl_controller.simulator.gemini.settings import Refused, invalid
from esl_controller.simulator.service.agenda import Appointment
from esl_controller.simulator.service.record import keep
from esl_controller.simulator.service.script import Answer, ScriptedCall
from esl_controller.simulator.service.voice import Chunk, silence

AUDIO_TOKENS_PER_S = 25
CHARS_PER_TOKEN = 4
PROMPT_TOKENS = 100


class Answers:
    """At most one turn of the model's at a time."""

    def __init__(self, core: Core) -> None:
        self.open_calls: dict[str, str] = {}
        """Names of the functions whose results are awaited, by id."""
        self._core = core
        self._results: list[str] = []
        self._queue: deque[tuple[Chunk, str]] = deque()
        self._answer = Answer()
        self._next: Appointment | None = None
        self._turn_open = False
        self._began_at = 0.0
        self._sent_ms = 0.0
        self._count = 0

    @property
    def turn_open(self) -> bool:
        """The model generates, or plays by its own clock."""
        return self._turn_open

    def begin(self, answer: Answer) -> None:
        """Answer; a turn under way is interrupted. An answer of nothing is none, on purpose."""
        self.interrupt()
        core = self._core
        quota = getattr(core.faults, "quota_after", None)
        spent = core.faults.out_of_quota and core.answers_fail
        if spent or (quota is not None and self._count >= quota):
            core.close(1011, "You exceeded your current quota, please check your plan and billing")
            return
        wait_s = core.faults.try_again_s
        if wait_s is not None and core.answers_fail:
            core.close(1011, f"Resource has been exhausted (check quota). Retry in {wait_s:g}s.")
            return
        self._count += 1
        if answer.fail is not None:
            core.close(1011, answer.fail[2])
            return
        self._answer = answer
        self._turn_open = True
        core.withdraw_handle()
        self._next = core.agenda.at(core.now + core.config.think_s, self._start)

    def interrupt(self) -> None:
        """The caller speaks, or a message came: the rest is dropped."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        core = self._core
        if self.open_calls:
            core.emit(toolCallCancellation={"ids": list(self.open_calls)})
            core.record.cancelled_calls += self.open_calls
            self.open_calls.clear()
            self._results.clear()
        if not self._turn_open:
            return
        began, self._turn_open = self._began_at > 0.0, False
        self._queue.clear()
        if began:
            core.emit(serverContent={"interrupted": True})
            keep(core.record.responses, ("cancelled", "interrupted"))
        self._complete()

    def results(self, responses: Any) -> None:
        """Results of functions. Raises `Refused`."""
        if not isinstance(responses, list):
            raise invalid()
        for one in responses:
            if not isinstance(one, dict) or not isinstance(one.get("response"), dict):
                raise invalid()
            name = self.open_calls.pop(str(one.get("id")), None)
            if name is None or name != one.get("name", name):
                raise Refused(1008, "Operation is not implemented, or supported, or enabled.")
            output = one["response"].get("output", one["response"])
            text = output if isinstance(output, str) else json.dumps(output)
            keep(self._core.record.function_outputs, (str(one["id"]), text))
            self._results.append(text)
        if not self.open_calls:
            text, self._results = ", ".join(self._results), []
            self.begin(self._core.config.script.answer_function(text))

    # --- one turn -----------------------------------------------------------------------------

    def _start(self, now: float) -> None:
        core, answer = self._core, self._answer
        self._began_at, self._sent_ms = now, 0.0
        core.now = now
        if not answer.text and not answer.calls and not answer.wav:
            keep(core.record.responses, ("silent", ""))
            self._turn_open, self._began_at = False, 0.0
            self._complete()
            return
        keep(core.record.spoken, answer.text)
        if answer.text or answer.wav:
            chunks = self._chunks()
            if chunks is None:  # still being made
                self._next = core.agenda.at(now + 0.05, self._start)
                return
            words = _spread(answer.text, len(chunks))
            self._queue.extend(zip(chunks, words, strict=True))
        if core.faults.wrong_order and core.answers_fail:
            self._backwards()
            return
        self._step(now)

    def _backwards(self) -> None:
        """A broken server: the whole answer at once, its end first."""
        core, before = self._core, len(self._core.outbox)
        while self._queue:
            self._send_piece(*self._queue.popleft())
        core.emit(serverContent={"generationComplete": True})
        self._played(core.now)
        core.outbox[before:] = core.outbox[before:][::-1]

    def _chunks(self) -> tuple[Chunk, ...] | None:
        config = self._core.config
        return config.voice.chunks(
            self._answer.text, self._answer.wav, L16_24K, config.delta_ms, 1.0
        )

    def _step(self, now: float) -> None:
        """One piece of sound and its words; behind the last one the end."""
        core = self._core
        core.now = now
        if not self._queue:
            self._generated()
            return
        chunk, words = self._queue.popleft()
        if not self._sent_ms:
            core.record.stamp("first_delta", now, core.config.on_stamp)
        self._send_piece(chunk, words)
        self._next = core.agenda.at(now + chunk.length_ms / 1000 / core.config.pace, self._step)

    def _send_piece(self, chunk: Chunk, words: str) -> None:
        core = self._core
        part: dict[str, Any] = {"text": words}
        if not (core.faults.text_only and core.answers_fail):
            data = chunk.base64.decode()
            sound_s = core.faults.soundless_after_s
            if sound_s is not None and core.answers_fail and self._sent_ms >= 1000 * sound_s:
                data = silence(chunk, L16_24K).decode()
            part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": data}}
        core.emit(serverContent={"modelTurn": {"role": "model", "parts": [part]}})
        if words and "outputAudioTranscription" in core.setup:
            core.emit(serverContent={"outputTranscription": {"text": words}})
        self._sent_ms += chunk.length_ms
        core.record.audio_out_ms += chunk.length_ms

    def _generated(self) -> None:
        core = self._core
        if self._answer.calls:
            self._call(self._answer.calls)
            return
        core.emit(serverContent={"generationComplete": True})
        played_at = max(core.now, self._began_at + self._sent_ms / 1000)
        self._next = core.agenda.at(played_at, self._played)

    def _call(self, calls: tuple[ScriptedCall, ...]) -> None:
        core = self._core
        made = []
        for call in calls:
            call_id = core.new_id("function-call")
            self.open_calls[call_id] = call.name
            made.append({"id": call_id, "name": call.name, "args": json.loads(call.arguments)})
        core.emit(toolCall={"functionCalls": made})
        self._turn_open, self._began_at = False, 0.0
        self._bill()

    def _played(self, now: float) -> None:
        self._core.now = now
        self._turn_open = False
        keep(self._core.record.responses, ("completed", ""))
        self._complete()

    def _complete(self) -> None:
        self._next = None
        self._began_at = 0.0
        self._core.emit(serverContent={"turnComplete": True}, usageMetadata=self._usage())
        self._core.offer_handle()

    def _bill(self) -> None:
        self._core.emit(usageMetadata=self._usage())

    def _usage(self) -> dict[str, Any]:
        """The prompt is everything said so far."""
        conversation = self._core.conversation
        audio = int(self._sent_ms * AUDIO_TOKENS_PER_S / 1000)
        self._sent_ms = 0.0
        prompt = PROMPT_TOKENS + conversation.tokens
        conversation.tokens += audio
        names = ("responseTokenCount", "responseTokensDetails")
        if self._core.config.vertex_names:
            names = ("candidatesTokenCount", "candidatesTokensDetails")
        return {
            "promptTokenCount": prompt,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": PROMPT_TOKENS},
                {"modality": "AUDIO", "tokenCount": prompt - PROMPT_TOKENS},
            ],
            names[0]: audio,
            names[1]: [{"modality": "AUDIO", "tokenCount": audio}],
            "totalTokenCount": prompt + audio,
        }


def _spread(text: str, pieces: int) -> list[str]:
    """The words of `text`, in order, over so many pieces."""
    words = [word + " " for word in text.split()]
    made, taken = [], 0
    for piece in range(1, pieces + 1):
        upto = len(words) * piece // pieces
        made.append("".join(words[taken:upto]))
        taken = upto
    return made
