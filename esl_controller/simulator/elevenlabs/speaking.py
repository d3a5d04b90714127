"""The emulated agent speaks: words, chunks of sound, functions, and being interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from esl_controller.simulator.elevenlabs.config import FORMATS
from esl_controller.simulator.elevenlabs.core import Core
from esl_controller.simulator.service.agenda import Appointment
from esl_controller.simulator.service.record import keep
from esl_controller.simulator.service.script import Answer, ScriptedCall
from esl_controller.simulator.service.voice import Chunk, silence

END_CALL = "end_call"
VOICE_WAIT_S = 0.02


class Speaking:
    """One answer after the other."""

    def __init__(self, core: Core, on_heard: Callable[[], None]) -> None:
        """`on_heard`: everything said has been heard, as far as the service can know."""
        self.waiting: set[str] = set()
        """Calls whose results are awaited."""
        self._core = core
        self._on_heard = on_heard
        self._text = ""
        self._number = 0
        self._sent_ms = 0.0
        self._began_at = 0.0
        self._step: Appointment | None = None
        self._heard: Appointment | None = None
        self._calls = 0

    @property
    def is_heard(self) -> bool:
        """The caller hears the agent, or is about to."""
        return self._step is not None or self._heard is not None

    def begin(self, answer: Answer, delay_s: float) -> None:
        """Answer, after thinking."""
        self._stop()
        steps = self._steps(answer)
        self._step = self._core.agenda.at(self._core.now + delay_s, lambda now: self._go(steps))

    def interrupt(self) -> None:
        """The caller speaks: what is left is dropped, and what was heard is told."""
        if not self.is_heard:
            return
        self._stop()
        core = self._core
        core.emit("interruption", {"event_id": core.number})
        played_ms = (core.now - self._began_at) * 1000
        share = min(1.0, played_ms / self._sent_ms) if self._sent_ms else 0.0
        words = self._text.split(" ")
        left = " ".join(words[: int(len(words) * share)]) + "..."
        keep(core.record.corrections, left)
        if self._sent_ms and not core.faults.wordless:
            corrected = {
                "original_agent_response": self._text,
                "corrected_agent_response": left,
                "event_id": self._number,
            }
            core.emit("agent_response_correction", corrected)

    def _stop(self) -> None:
        for appointment in (self._step, self._heard):
            if appointment is not None:
                appointment.cancel()
        self._step = self._heard = None

    def _go(self, steps: Iterator[float]) -> None:
        wait_s = next(steps, None)
        if wait_s is None:
            self._step = None
            return
        self._step = self._core.agenda.at(self._core.now + wait_s, lambda now: self._go(steps))

    def _steps(self, answer: Answer) -> Iterator[float]:
        core = self._core
        if answer.fail is not None:
            core.fail(answer.fail[0], 1011, answer.fail[2])
            return
        self._text, self._sent_ms, self._began_at = answer.text, 0.0, core.now
        self._number = core.next_number()
        if answer.text or answer.wav:
            yield from self._say(answer)
        ends = False
        for call in answer.calls:
            ends |= call.name == END_CALL
            self._call(call)
        left_s = max(0.0, self._began_at + self._sent_ms / 1000 - core.now)
        self._heard = core.agenda.at(core.now + left_s, lambda now: self._heard_out(ends))

    def _heard_out(self, ends: bool) -> None:
        self._heard = None
        if ends:
            self._core.close(1000, "")
        elif not self.waiting:
            self._on_heard()

    def _say(self, answer: Answer) -> Iterator[float]:
        core = self._core
        keep(core.record.spoken, answer.text)
        chunks = self._chunks(answer)
        while chunks is None:
            yield VOICE_WAIT_S
            chunks = self._chunks(answer)
        words = {"agent_response": answer.text, "event_id": self._number}
        backwards = core.faults.wrong_order and core.answers_fail
        if backwards:
            self._began_at = core.now
            for chunk in reversed(chunks):
                self._send(chunk)
            core.emit("agent_response", words)
            return
        if not core.faults.wordless:
            core.emit("agent_response", words)
        if core.faults.text_only and core.answers_fail:
            return
        self._began_at = core.now
        for number, chunk in enumerate(chunks):
            if core.config.number_chunks and number:
                core.next_number()
            self._send(chunk)
            yield chunk.length_ms / 1000 / core.config.pace

    def _chunks(self, answer: Answer) -> tuple[Chunk, ...] | None:
        config = self._core.config
        audio_format = FORMATS[config.output_format]
        return config.voice.chunks(answer.text, answer.wav, audio_format, config.chunk_ms, 1.0)

    def _send(self, chunk: Chunk) -> None:
        core, sound = self._core, chunk.base64
        sound_s = core.faults.soundless_after_s
        if sound_s is not None and core.answers_fail and self._sent_ms >= 1000 * sound_s:
            sound = silence(chunk, FORMATS[core.config.output_format])
        self._sent_ms += chunk.length_ms
        core.record.audio_out_ms += chunk.length_ms
        body: dict[str, Any] = {
            "audio_base_64": sound.decode(),
            "event_id": core.number if core.config.number_chunks else self._number,
        }
        if core.config.with_alignment:
            body["alignment"] = {
                "chars": ["a"],
                "char_start_times_ms": [0],
                "char_durations_ms": [int(chunk.length_ms)],
            }
        core.emit("audio", body)

    def _call(self, call: ScriptedCall) -> None:
        core = self._core
        self._calls += 1
        call_id = f"call_{core.record.number:04d}{self._calls:04d}"
        where = {"tool_name": call.name, "tool_call_id": call_id, "event_id": self._number}
        if call.name == END_CALL:
            done = where | {"tool_type": "system", "is_error": False, "is_called": True}
            core.emit("agent_tool_response", done, "agent_tool_response")
            return
        self.waiting.add(call_id)
        parameters = msgspec.json.decode(call.arguments.encode())
        core.emit("client_tool_call", where | {"parameters": parameters}, "client_tool_call")
