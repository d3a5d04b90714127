"""Responses of an emulated session, one at a time: begin, pace, cancel, bill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from esl_controller.simulator.openai.conversation import CHARS_PER_TOKEN, ClientError
from esl_controller.simulator.openai.core import Core
from esl_controller.simulator.openai.response import Response
from esl_controller.simulator.openai.settings import RESPONSE, check, invalid
from esl_controller.simulator.service.agenda import Appointment
from esl_controller.simulator.service.record import keep
from esl_controller.simulator.service.script import Answer, spoken_text

_IN_WORDS = ("user", "system")
"""Whose texts keywords are looked for in."""
CACHE_BLOCK = 64
"""Cached input is counted in blocks of this many tokens."""
TOKENS_A_MINUTE = 800_000
OUT_OF_QUOTA = Answer(
    fail=(
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    )
)


class Responses:
    """The one active response and the bill so far."""

    def __init__(self, core: Core, on_done: Callable[[Response], None]) -> None:
        self.active: Response | None = None
        self.audio_sent = False
        """The model has spoken: its voice cannot change any more."""
        self._core = core
        self._on_done = on_done
        self._steps: Iterator[float] = iter(())
        self._next: Appointment | None = None
        self._seen_tokens = (0, 0)
        self._used_tokens = 0

    def create(self, request: object) -> None:
        """Begin a response. Raises `ClientError` when one is active or the request is wrong."""
        if self.active is not None:
            text = (
                "Conversation already has an active response in progress: "
                f"{self.active.id}. Wait until the response is finished before creating a new one."
            )
            raise ClientError("conversation_already_has_active_response", text)
        if request is not None and not isinstance(request, dict):
            raise invalid("response", request)
        overrides: dict[str, Any] = request or {}
        check(overrides, RESPONSE, "response")
        core = self._core
        response = self.active = Response(core, self._answer(overrides), overrides)
        self._steps = response.steps()
        core.emit("response.created", response=response.as_json(None))
        core.emit("rate_limits.updated", rate_limits=self._rate_limits())
        if core.faults.wrong_order:
            self._reverse()
        else:
            self._next = core.agenda.at(core.now + core.config.think_s, self._step)

    def cancel(self, reason: str, response_id: object = None) -> None:
        """End the active response now. Raises `ClientError` when there is none."""
        response = self.active
        if response is None or response_id not in (None, response.id):
            text = "Cancellation failed: no active response found"
            raise ClientError("response_cancel_not_active", text)
        if self._next is not None:
            self._next.cancel()
        response.end("cancelled", reason=reason)
        self._done(response)

    def _step(self, due: float) -> None:
        wait_s = next(self._steps, None)
        if wait_s is not None:
            self._next = self._core.agenda.at(due + wait_s, self._step)
        elif self.active is not None:
            self._done(self.active)

    def _done(self, response: Response) -> None:
        self.active = None
        self.audio_sent = self.audio_sent or response.audio_ms > 0
        reason = (response.details or {}).get("reason", "")
        keep(self._core.record.responses, (response.status, reason))
        usage = self._usage(response)
        self._core.emit("response.done", response=response.as_json(usage))
        self._on_done(response)

    def _reverse(self) -> None:
        """A broken server: the whole answer at once, last event first."""
        core = self._core
        before = len(core.outbox)
        for _ in self._steps:
            pass
        if self.active is not None:
            self._done(self.active)
        core.outbox[before:] = core.outbox[before:][::-1]

    # --- what to say --------------------------------------------------------------------------

    def _answer(self, overrides: dict[str, Any]) -> Answer:
        core = self._core
        if core.faults.out_of_quota:
            return OUT_OF_QUOTA
        words = spoken_text(overrides.get("instructions", ""))
        if words:
            return Answer(words)
        answer = self._scripted()
        return Answer(answer.text, self._allowed(answer, overrides), answer.fail, answer.wav)

    def _scripted(self) -> Answer:
        core, last = self._core, self._core.conversation.last
        script, turn = core.config.script, max(0, core.user_turns - 1)
        if last is not None and last.data["type"] == "function_call_output":
            return script.answer_function(str(last.data["output"]))
        if last is not None and last.data.get("role") in _IN_WORDS and not last.audio_ms:
            return script.answer_text(last.text, turn)
        return script.answer(turn)

    def _allowed(self, answer: Answer, overrides: dict[str, Any]) -> tuple[Any, ...]:
        """The calls of functions that the session has; a model knows no others."""
        settings = self._core.settings | overrides
        if settings["tool_choice"] == "none":
            return ()
        names = {tool.get("name") for tool in settings["tools"] if isinstance(tool, dict)}
        return tuple(call for call in answer.calls if call.name in names)

    # --- what it costs ------------------------------------------------------------------------

    def _input_tokens(self) -> tuple[int, int]:
        settings = self._core.settings
        text = (len(settings["instructions"]) + len(msgspec.json.encode(settings["tools"]))) // (
            CHARS_PER_TOKEN
        )
        audio = 0
        for item in self._core.conversation.items:
            item_text, item_audio = item.tokens()
            text += item_text
            audio += item_audio
        return text, audio

    def _usage(self, response: Response) -> dict[str, Any]:
        """Each response takes the whole conversation as input; some of it is cached."""
        text, audio = self._input_tokens()
        cached_text = min(text, self._seen_tokens[0]) // CACHE_BLOCK * CACHE_BLOCK
        cached_audio = min(audio, self._seen_tokens[1]) // CACHE_BLOCK * CACHE_BLOCK
        self._seen_tokens = (text, audio)
        out_text, out_audio = response.output_tokens()
        self._used_tokens += text + audio + out_text + out_audio
        cached = {"text_tokens": cached_text, "audio_tokens": cached_audio, "image_tokens": 0}
        return {
            "total_tokens": text + audio + out_text + out_audio,
            "input_tokens": text + audio,
            "output_tokens": out_text + out_audio,
            "input_token_details": {
                "text_tokens": text,
                "audio_tokens": audio,
                "image_tokens": 0,
                "cached_tokens": cached_text + cached_audio,
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": out_text, "audio_tokens": out_audio},
        }

    def _rate_limits(self) -> list[dict[str, Any]]:
        remaining = max(0, TOKENS_A_MINUTE - self._used_tokens)
        reset_s = round((TOKENS_A_MINUTE - remaining) * 60 / TOKENS_A_MINUTE, 3)
        limit = {"limit": TOKENS_A_MINUTE, "remaining": remaining, "reset_seconds": reset_s}
        return [{"name": "tokens", **limit}]
