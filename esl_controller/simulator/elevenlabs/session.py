"""One emulated conversation: client messages in, server messages out, no socket and no clock.

Messages and their order: `@elevenlabs/types` 0.23.0 and the official clients (`elevenlabs` 2.78.0,
`@elevenlabs/client` 1.25.0), which this is tested with in tests/conformance.
"""

from __future__ import annotations

import audioop
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import pybase64

from esl_controller.simulator.elevenlabs.config import FORMATS, EmulatorConfig, Faults
from esl_controller.simulator.elevenlabs.core import Core
from esl_controller.simulator.elevenlabs.record import ConversationRecord
from esl_controller.simulator.elevenlabs.speaking import Speaking
from esl_controller.simulator.service.agenda import Appointment
from esl_controller.simulator.service.record import keep
from esl_controller.simulator.service.script import Answer
from esl_controller.simulator.service.vad import VoiceActivityDetector
from esl_controller.simulator.service.voice import decode

INITIATION = "conversation_initiation_client_data"
AUDIO = "audio"
_FORBIDDEN = "Override for field '{}' is not allowed by config."
_MISSING = "Missing required dynamic variables in first message: {}"


class EmulatedConversation:
    """The service's side of one WebSocket."""

    def __init__(
        self, config: EmulatorConfig, faults: Faults, record: ConversationRecord, now: float
    ) -> None:
        self.core = Core(config, faults, record, now)
        self._speaking = Speaking(self.core, self._on_heard)
        self._format = FORMATS[config.input_format]
        self._vad = VoiceActivityDetector(
            self._format.rate_hz,
            threshold=0.5,
            prefix_padding_ms=0,
            silence_duration_ms=config.silence_ms,
            whole_messages=config.fast,
            keeps=config.script.recogniser is not None,
        )
        self._begun = False
        self._turns = 0
        """Of the caller, spoken or typed."""
        self._turn_timeout: Appointment | None = None
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            AUDIO: self._on_audio,
            "pong": self._on_pong,
            "user_message": self._on_user_message,
            "user_activity": lambda message: self._await_caller(),
            "contextual_update": self._on_update,
            "client_tool_result": self._on_result,
            "feedback": lambda message: None,
        }
        self._plan_faults(now)

    # --- the shell's side ---------------------------------------------------------------------

    @property
    def closing(self) -> tuple[int, str] | None:
        """Close code and reason, once it wants to end."""
        return self.core.closing

    def receive_message(self, message: bytes, now: float) -> None:
        """Take one text message of the client."""
        self.core.now = now
        try:
            parsed = msgspec.json.decode(message)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            parsed = None
        if self.core.closing is None:
            self._take(parsed)

    def messages_to_send(self) -> list[bytes]:
        """Take all messages to be sent now."""
        out, self.core.outbox = self.core.outbox, []
        return out

    def next_deadline(self) -> float | None:
        """When `handle_timeout` is wanted."""
        return self.core.agenda.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        self.core.now = now
        self.core.agenda.run(now)

    def _take(self, message: object) -> None:
        kind = _kind(message)
        if not isinstance(message, dict) or (not self._begun and kind != INITIATION):
            self.core.fail("invalid_message", 1008, "Invalid message received")
            return
        self.core.record.count(kind)
        if kind == INITIATION and not self._begun:
            self._begin(message)
        elif kind in self._handlers:
            self._handlers[kind](message)
        else:
            keep(self.core.record.errors, f"unknown {kind[:40]!r}")

    # --- the beginning ------------------------------------------------------------------------

    def _begin(self, message: dict[str, Any]) -> None:
        core = self.core
        core.record.initiation = message
        self._begun = True
        if core.faults.silent:
            return
        refusal = self._refusal(message)
        if refusal is not None:
            core.fail(*refusal)
            return
        core.record.conversation_id = f"conv_{core.record.number:08d}"
        body = {
            "conversation_id": core.record.conversation_id,
            "agent_output_audio_format": core.config.output_format,
            "user_input_audio_format": core.config.input_format,
        }
        core.emit("conversation_initiation_metadata", body)
        if not core.faults.without_pings:
            self._ping(core.now)
        agent = _object(core.record.override.get("agent"))
        first = agent.get("first_message", core.config.first_message)
        if first and isinstance(first, str):
            self._speaking.begin(Answer(first), 0.05)

    def _refusal(self, message: dict[str, Any]) -> tuple[str, int, str] | None:
        config = self.core.config
        wanted = _paths(_object(message.get("conversation_config_override")))
        refused = sorted(wanted - config.overrides)
        if refused:
            field = refused[0].rpartition(".")[2]
            return "override_error", 1008, _FORBIDDEN.format(field)
        missing = sorted(
            config.required_variables - _object(message.get("dynamic_variables")).keys()
        )
        if missing:
            return "missing_dynamic_variable", 1008, _MISSING.format(set(missing))
        return None

    def _ping(self, now: float) -> None:
        core = self.core
        core.emit("ping", {"event_id": core.next_number(), "ping_ms": None})
        core.agenda.at(now + core.config.ping_every_s, self._ping)

    # --- the caller ---------------------------------------------------------------------------

    def _on_audio(self, message: dict[str, Any]) -> None:
        core = self.core
        try:
            data = pybase64.b64decode(message.get("user_audio_chunk", 0), validate=True)
            samples = decode(data, self._format)
        except (TypeError, ValueError, audioop.error):
            core.fail("invalid_message", 1008, "Invalid message received")
            return
        samples = samples[: len(samples) & ~1]
        core.record.audio_in_ms += len(samples) * 500 / self._format.rate_hz
        if core.faults.deaf:
            return
        for boundary in self._vad.receive(samples):
            if boundary.started:
                self._forget_timeout()
                self._speaking.interrupt()
            else:
                self._turn_over()

    def _turn_over(self) -> None:
        core = self.core
        script, heard = core.config.script, self._vad.turn_audio
        line = script.caller_line(core.record.turns, 1000, heard, self._format.rate_hz)
        core.record.turns += 1
        if script.recogniser is not None and not line:
            self._await_caller()
            return  # a sound that interrupted, and said nothing
        turn, self._turns = self._turns, self._turns + 1
        number = core.next_number()
        words = {"user_transcript": line, "event_id": number}
        when = core.now + core.config.transcription_delay_s
        core.agenda.at(
            when, lambda now: core.emit("user_transcript", words, "user_transcription_event")
        )
        self._answer(core.config.script.answer(turn))

    def _on_user_message(self, message: dict[str, Any]) -> None:
        text = str(message.get("text") or "")
        keep(self.core.record.texts, text)
        self._forget_timeout()
        self._speaking.interrupt()
        turn, self._turns = self._turns, self._turns + 1
        self._answer(self.core.config.script.answer_text(text, turn))

    def _answer(self, answer: Answer) -> None:
        self._speaking.begin(answer, self.core.config.think_s)

    # --- other messages -----------------------------------------------------------------------

    def _on_pong(self, message: dict[str, Any]) -> None:
        keep(self.core.record.pongs, message.get("event_id"))

    def _on_update(self, message: dict[str, Any]) -> None:
        keep(self.core.record.updates, str(message.get("text") or ""))

    def _on_result(self, message: dict[str, Any]) -> None:
        core, waiting = self.core, self._speaking.waiting
        call_id, result = message.get("tool_call_id"), message.get("result")
        known = isinstance(call_id, str) and call_id in waiting
        if not known or not isinstance(result, str):
            keep(core.record.errors, "unexpected result")
            return
        waiting.discard(call_id)
        failed = message.get("is_error") is True
        keep(core.record.function_outputs, (call_id, result, failed))
        if not waiting:
            self._answer(core.config.script.answer_function(result))

    # --- the agent minds silence --------------------------------------------------------------

    def _on_heard(self) -> None:
        self._await_caller()

    def _await_caller(self) -> None:
        self._forget_timeout()
        timeout_s = self.core.config.turn_timeout_s
        if timeout_s is not None:
            self._turn_timeout = self.core.agenda.at(self.core.now + timeout_s, self._ask)

    def _ask(self, now: float) -> None:
        if not self._speaking.is_heard:
            self._speaking.begin(Answer(self.core.config.still_there), 0.0)

    def _forget_timeout(self) -> None:
        if self._turn_timeout is not None:
            self._turn_timeout.cancel()
            self._turn_timeout = None

    # --- ends and faults ----------------------------------------------------------------------

    def _plan_faults(self, now: float) -> None:
        core = self.core
        faults, agenda = core.faults, core.agenda
        text = "Conversation has exceeded maximum duration"
        plan: tuple[tuple[float | None, Callable[[], None]], ...] = (
            (
                faults.session_limit_s or core.config.max_duration_s,
                lambda: core.fail("max_duration_exceeded", 1011, text),
            ),
            (faults.close_after_s, lambda: core.close(faults.close_code, faults.close_reason)),
            (
                faults.error_after_s,
                lambda: core.fail(faults.error_type, faults.error_code, faults.error_text),
            ),
            (faults.stall_after_s, self._stall),
            (faults.interrupt_after_s, self._speaking.interrupt),
            (faults.garbage_after_s, lambda: core.outbox.extend(faults.garbage)),
            (
                faults.oversize_after_s,
                lambda: core.send(b'{"type":"' + b"x" * faults.oversize_bytes + b'"}'),
            ),
        )
        for after_s, action in plan:
            if after_s is not None:
                agenda.at(now + after_s, partial(_now, action))

    def _stall(self) -> None:
        self.core.muted = True


def _now(action: Callable[[], None], now: float) -> None:
    action()


def _kind(message: object) -> str:
    """Audio alone has no type."""
    if not isinstance(message, dict):
        return ""
    if "user_audio_chunk" in message:
        return AUDIO
    kind = message.get("type")
    return kind if isinstance(kind, str) else ""


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _paths(tree: Mapping[str, Any], above: str = "") -> set[str]:
    """Dotted names of the leaves."""
    found: set[str] = set()
    for name, value in tree.items():
        path = f"{above}{name}"
        found |= _paths(value, f"{path}.") if isinstance(value, Mapping) else {path}
    return found
