"""One emulated Gemini Live session: client messages in, server messages out, no socket, no clock.

Rules: Live API reference and guide (ai.google.dev, 2026-11) and the official client, google-genai.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from esl_controller.simulator.gemini.answers import AUDIO_TOKENS_PER_S, CHARS_PER_TOKEN, Answers
from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.gemini.core import Conversation, Core, Handles
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.gemini.settings import Refused, check_setup, invalid
from esl_controller.simulator.gemini.wire_names import base64_bytes, camel
from esl_controller.simulator.openai.config import Faults
from esl_controller.simulator.service.record import keep
from esl_controller.simulator.service.script import Answer, spoken_text
from esl_controller.simulator.service.vad import VoiceActivityDetector
from esl_controller.simulator.service.voice import resample

RATE_HZ = 16000
"""What the model hears."""
MAX_AUDIO_BYTES = 1 << 20
_RATE = re.compile(r"audio/pcm(?:;rate=(\d{4,6}))?", re.ASCII)
_decode = msgspec.json.Decoder().decode
_SILENCE_MS = {"END_SENSITIVITY_HIGH": 300, "END_SENSITIVITY_LOW": 800}
_THRESHOLD = {"START_SENSITIVITY_LOW": 0.6, "START_SENSITIVITY_HIGH": 0.4}


class EmulatedSession:
    """The service's side of one WebSocket."""

    def __init__(
        self,
        config: EmulatorConfig,
        faults: Faults,
        record: GeminiRecord,
        handles: Handles,
        *,
        now: float,
    ) -> None:
        self.core = Core(config, faults, record, handles, now)
        self._answers = Answers(self.core)
        self._vad: VoiceActivityDetector | None = None
        self._in_turn = False
        self._turn_ms = 0.0
        self._turn_audio = bytearray()
        self._initial_history = False
        self._handlers: dict[str, Callable[[Any], None]] = {
            "clientContent": self._on_client_content,
            "realtimeInput": self._on_realtime_input,
            "toolResponse": lambda body: self._answers.results(_object(body, "functionResponses")),
        }
        self._plan_faults(now)

    # --- the shell's side ---------------------------------------------------------------------

    def receive_message(self, message: bytes, now: float) -> None:
        """Take one message of the client, text or binary."""
        core = self.core
        core.now = now
        if core.closing is not None:
            return
        try:
            self._take(camel(_parse(message)))
        except Refused as refused:
            keep(core.record.errors, refused.reason)
            core.close(refused.code, refused.reason)

    @property
    def closing(self) -> tuple[int, str] | None:
        """Close code and reason, once it wants to end."""
        return self.core.closing

    def messages_to_send(self) -> list[bytes]:
        """Take all messages to be sent now."""
        out, self.core.outbox = self.core.outbox, []
        return out

    def next_deadline(self) -> float | None:
        """When `handle_timeout` is wanted."""
        return self.core.agenda.next_deadline() if self.core.closing is None else None

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        self.core.now = now
        self.core.agenda.run(now)

    def _take(self, message: dict[str, Any]) -> None:
        if len(message) != 1:
            raise invalid("Invalid JSON payload received. Exactly one message type is needed.")
        ((kind, body),) = message.items()
        self.core.record.count(kind)
        if not self.core.setup:
            if kind != "setup":
                raise invalid("setup must be the first message and only the first message")
            self._on_setup(body)
            return
        handler = self._handlers.get(kind)
        if handler is None:
            raise invalid(f'Invalid JSON payload received. Unknown name "{kind[:60]}"')
        handler(body)

    # --- setup --------------------------------------------------------------------------------

    def _on_setup(self, setup: Any) -> None:
        core = self.core
        keep(core.record.updates, setup)
        core.setup = check_setup(setup)
        handle = setup.get("sessionResumption", {}).get("handle")
        if handle:
            self._resume(handle)
        self._initial_history = bool(
            setup.get("historyConfig", {}).get("initialHistoryInClientContent")
        )
        detection = setup.get("realtimeInputConfig", {}).get("automaticActivityDetection", {})
        if not detection.get("disabled"):
            keeps = core.config.script.recogniser is not None
            self._vad = _detector(detection, whole_messages=core.config.fast, keeps=keeps)
        core.record.session_id = core.new_id("session")
        core.agenda.at(core.now + getattr(core.faults, "setup_delay_s", 0.0), self._ready)
        limit_s = core.session_limit_s
        warn_s = max(0.0, limit_s - core.config.go_away_s)
        core.agenda.at(core.now + warn_s, self._go_away)
        core.agenda.at(core.now + limit_s, self._expire)

    def _ready(self, now: float) -> None:
        self.core.emit(setupComplete={"sessionId": self.core.record.session_id})
        self.core.offer_handle()

    def _resume(self, handle: str) -> None:
        found = self.core.handles.kept.get(handle)
        if found is None:
            raise Refused(1008, "Requested entity was not found.")
        conversation, earlier = found
        if (
            earlier.record.open
            and earlier.closing is None
            and not self.core.config.resume_while_open
        ):
            raise Refused(1011, "Internal error encountered.")
        self.core.conversation = Conversation(conversation.turns, conversation.tokens)
        self.core.record.resumed = True

    # --- what the client says -----------------------------------------------------------------

    def _on_client_content(self, body: Any) -> None:
        turns = _object(body, "turns") if "turns" in body else []
        if not isinstance(turns, list):
            raise invalid()
        text = "\n".join([self._note_turn(turn) for turn in turns][-1:])
        complete = bool(body.get("turnComplete"))
        if self._initial_history:
            self._initial_history = not complete
            return
        self._no_client_content_later()
        self._answers.interrupt()
        if complete:
            self._answer_text(text)

    def _no_client_content_later(self) -> None:
        if "gemini-3.1-flash-live" in self.core.setup["model"]:
            raise invalid()

    def _note_turn(self, turn: Any) -> str:
        if not isinstance(turn, dict) or turn.get("role") not in ("user", "model"):
            raise invalid()
        parts = turn.get("parts")
        if not isinstance(parts, list):
            raise invalid()
        text = "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
        keep(self.core.record.history, (turn["role"], text))
        self.core.conversation.tokens += len(text) // CHARS_PER_TOKEN
        return text

    def _answer_text(self, text: str) -> None:
        core = self.core
        spoken = spoken_text(text)
        if spoken:
            self._answers.begin(Answer(spoken))
            return
        keep(core.record.texts, text)
        answer = core.config.script.answer_text(text, core.conversation.turns)
        core.conversation.turns += 1
        self._answers.begin(answer)

    def _on_realtime_input(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise invalid()
        handlers: dict[str, Callable[[Any], None]] = {
            "audio": self._on_audio,
            "text": self._on_text,
            "activityStart": lambda _: self._on_activity(begins=True),
            "activityEnd": lambda _: self._on_activity(begins=False),
            "audioStreamEnd": lambda _: self._speech(begins=False) if self._in_turn else None,
        }
        for name, value in body.items():
            if name not in handlers:
                raise invalid(f'Invalid JSON payload received. Unknown name "{name[:60]}"')
            handlers[name](value)

    def _on_text(self, text: Any) -> None:
        if not isinstance(text, str):
            raise invalid()
        keep(self.core.record.history, ("user", text))
        self._answer_text(text)

    def _on_audio(self, blob: Any) -> None:
        kind = _RATE.fullmatch(str(_object(blob, "mimeType")).replace(" ", ""))
        data = base64_bytes(blob.get("data"))
        if kind is None or data is None or len(data) % 2 or len(data) > MAX_AUDIO_BYTES:
            raise invalid()
        rate_hz = int(kind.group(1) or RATE_HZ)
        if rate_hz != RATE_HZ:
            data = resample(data, rate_hz, RATE_HZ)
        length_ms = len(data) * 500 / RATE_HZ
        core = self.core
        core.record.audio_in_ms += length_ms
        core.conversation.tokens += int(length_ms * AUDIO_TOKENS_PER_S / 1000)
        if self._in_turn:
            self._turn_ms += length_ms
            self._turn_audio += data if self._vad is None else b""
        if self._vad is None or not data:
            return
        for boundary in self._vad.receive(data):
            self._speech(begins=boundary.started)

    def _on_activity(self, *, begins: bool) -> None:
        if self._vad is not None:
            raise invalid(
                "Explicit activity control is not supported when automatic activity detection is "
                "enabled."
            )
        if begins:
            self.core.record.manual_turns += 1
        self._speech(begins=begins)

    # --- turns --------------------------------------------------------------------------------

    def _speech(self, *, begins: bool) -> None:
        core = self.core
        self._in_turn = begins
        if begins:
            self._turn_ms = 0.0
            self._turn_audio.clear()
            core.record.stamp("speech_started", core.now, core.config.on_stamp)
            handling = core.setup.get("realtimeInputConfig", {}).get("activityHandling")
            if handling != "NO_INTERRUPTION":
                self._answers.interrupt()
            return
        turn = core.record.turns
        core.record.turns += 1
        heard = self._vad.turn_audio if self._vad is not None else bytes(self._turn_audio)
        text = core.config.script.caller_line(turn, int(self._turn_ms), heard, RATE_HZ)
        if core.config.script.recogniser is not None and not text and self._vad is not None:
            return  # a sound that interrupted, and said nothing
        if "inputAudioTranscription" in core.setup:
            when = core.now + core.config.transcription_delay_s
            core.agenda.at(when, lambda now: self._transcribed(text, now))
        if not self._answers.turn_open:
            answer = core.config.script.answer(core.conversation.turns)
            core.conversation.turns += 1
            self._answers.begin(answer)

    def _transcribed(self, text: str, now: float) -> None:
        """In fragments, as the service does."""
        self.core.now = now
        middle = len(text) // 2
        for fragment in (text[:middle], text[middle:]):
            if fragment:
                self.core.emit(serverContent={"inputTranscription": {"text": fragment}})

    # --- ends and faults ----------------------------------------------------------------------

    def _go_away(self, now: float) -> None:
        left_s = min(self.core.config.go_away_s, self.core.session_limit_s)
        self.core.emit(goAway={"timeLeft": f"{left_s:g}s"})

    def _expire(self, now: float) -> None:
        self.core.close(1011, "Deadline expired before operation could complete.")

    def _plan_faults(self, now: float) -> None:
        core, faults = self.core, self.core.faults
        plan: list[tuple[float | None, Callable[[float], None]]] = [
            (
                faults.close_after_s,
                lambda due: core.close(faults.close_code, faults.close_reason),
            ),
            (faults.stall_after_s, self._stall),
            (faults.garbage_after_s, self._send_garbage),
            (faults.oversize_after_s, self._send_oversize),
        ]
        for after_s, action in plan:
            if after_s is not None:
                core.agenda.at(now + after_s, action)

    def _stall(self, now: float) -> None:
        self.core.muted = True

    def _send_garbage(self, now: float) -> None:
        for message in self.core.faults.garbage:
            self.core.send(message)

    def _send_oversize(self, now: float) -> None:
        self.core.send(b'{"x":"' + b"x" * self.core.faults.oversize_bytes + b'"}')


def _parse(message: bytes) -> dict[str, Any]:
    try:
        decoded = _decode(message)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise invalid("Invalid JSON payload received.") from error
    if not isinstance(decoded, dict):
        raise invalid("Invalid JSON payload received.")
    return decoded


def _object(body: Any, name: str) -> Any:
    """A field of an object. Raises `Refused` where there is no object."""
    if not isinstance(body, dict):
        raise invalid()
    return body.get(name)


def _detector(
    detection: dict[str, Any], *, whole_messages: bool, keeps: bool
) -> VoiceActivityDetector:
    silence_ms = detection.get("silenceDurationMs")
    if silence_ms is None:
        silence_ms = _SILENCE_MS.get(str(detection.get("endOfSpeechSensitivity")), 500)
    padding_ms = detection.get("prefixPaddingMs", 20)
    if not all(isinstance(ms, int) and 0 <= ms <= 10_000 for ms in (silence_ms, padding_ms)):
        raise invalid()
    return VoiceActivityDetector(
        RATE_HZ,
        threshold=_THRESHOLD.get(str(detection.get("startOfSpeechSensitivity")), 0.5),
        prefix_padding_ms=padding_ms,
        silence_duration_ms=silence_ms,
        whole_messages=whole_messages,
        keeps=keeps,
    )
