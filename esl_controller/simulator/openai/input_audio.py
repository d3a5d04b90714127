"""The emulated input audio buffer: decodes, finds turns, commits, transcribes."""

from __future__ import annotations

import audioop
from collections.abc import Callable
from typing import Any

import pybase64

from bridge.audio.formats import AudioFormat
from esl_controller.simulator.openai.conversation import (
    CHARS_PER_TOKEN,
    USER_TOKENS_PER_S,
    ClientError,
    Item,
)
from esl_controller.simulator.openai.core import Core
from esl_controller.simulator.openai.settings import audio_format
from esl_controller.simulator.service.vad import MAX_KEPT_MS, Boundary, VoiceActivityDetector
from esl_controller.simulator.service.voice import decode

MIN_COMMIT_MS = 100
LOUD_RMS = 1000
"""About -30 dBFS: the first message so loud after a quiet while is stamped."""
QUIET_MS = 100.0
"""Shorter gaps lie between syllables."""
SEMANTIC_SILENCE_MS = {"low": 1000, "medium": 600, "auto": 600, "high": 300}
"""Stands in for understanding that a sentence is over."""
_BY_DURATION = ("whisper-1", "gpt-realtime-whisper", "gpt-live-transcribe")
"""Transcription models billed by the minute."""


class InputAudio:
    """Everything the client has appended."""

    def __init__(self, core: Core, on_speech: Callable[[], None], on_turn: Callable[[], None]):
        """`on_speech`: the caller began. `on_turn`: a turn was committed by turn detection."""
        self.position_ms = 0.0
        self._core = core
        self._on_speech = on_speech
        self._on_turn = on_turn
        self._buffered_ms = 0.0
        self._started_ms = 0
        self._item_id = ""
        self._uncommitted = bytearray()
        """What a recogniser hears of it, where the client ends the turns."""
        self._quiet_ms = QUIET_MS
        self._format: AudioFormat
        self._turn_detection: dict[str, Any] | None
        self._vad: VoiceActivityDetector | None
        self._begin()

    def configure(self) -> None:
        """Follow the session's settings; an update of others leaves a turn as it is."""
        turn = self._core.settings["audio"]["input"]["turn_detection"]
        wanted = (audio_format(self._core.settings, "input"), turn)
        if wanted != (self._format, self._turn_detection):
            self._begin()

    def _begin(self) -> None:
        self._format = audio_format(self._core.settings, "input")
        self._turn_detection = self._core.settings["audio"]["input"]["turn_detection"]
        self._vad = self._detector(self._turn_detection) if self._turn_detection else None

    def _detector(self, turn: dict[str, Any]) -> VoiceActivityDetector:
        silence_ms = turn.get("silence_duration_ms")
        if silence_ms is None:
            silence_ms = SEMANTIC_SILENCE_MS[turn.get("eagerness", "auto")]
        return VoiceActivityDetector(
            self._format.rate_hz,
            threshold=turn.get("threshold", 0.5),
            prefix_padding_ms=turn.get("prefix_padding_ms", 300),
            silence_duration_ms=silence_ms,
            whole_messages=self._core.config.fast,
            position_ms=self.position_ms,
            keeps=self._core.config.script.recogniser is not None,
        )

    def append(self, base64: str) -> None:
        """Take audio. Raises `ClientError` when it is not base64."""
        try:
            samples = decode(pybase64.b64decode(base64, validate=True), self._format)
        except (ValueError, audioop.error) as error:
            text = "Invalid 'audio'. Expected base64-encoded audio bytes."
            raise ClientError("invalid_value", text, "audio") from error
        samples = samples[: len(samples) & ~1]
        length_ms = len(samples) * 500 / self._format.rate_hz
        self.position_ms += length_ms
        self._buffered_ms += length_ms
        self._core.record.audio_in_ms += length_ms
        self._stamp(samples, length_ms)
        if self._vad is None and self._core.config.script.recogniser is not None:
            self._uncommitted += samples
            del self._uncommitted[: -self._format.rate_hz * 2 * MAX_KEPT_MS // 1000]
        if self._vad is not None:
            for boundary in self._vad.receive(samples):
                self._turn(boundary)

    def _stamp(self, samples: bytes, length_ms: float) -> None:
        if audioop.rms(samples, 2) < LOUD_RMS:
            self._quiet_ms += length_ms
            return
        if self._quiet_ms >= QUIET_MS:
            self._core.record.stamp("loud", self._core.now, self._core.config.on_stamp)
        self._quiet_ms = 0.0

    def _turn(self, boundary: Boundary) -> None:
        core = self._core
        if boundary.started:
            self._item_id = core.new_id("item")
            self._started_ms = boundary.at_ms
            fields = {"audio_start_ms": boundary.at_ms, "item_id": self._item_id}
            core.emit("input_audio_buffer.speech_started", **fields)
            core.record.stamp("speech_started", core.now, core.config.on_stamp)
            self._on_speech()
        else:
            fields = {"audio_end_ms": boundary.at_ms, "item_id": self._item_id}
            core.emit("input_audio_buffer.speech_stopped", **fields)
            self._commit(self._item_id, boundary.at_ms - self._started_ms)
            self._on_turn()

    def clear(self) -> None:
        """Discard audio that was not committed."""
        self._buffered_ms = 0.0
        self._uncommitted.clear()
        self._begin()
        self._core.emit("input_audio_buffer.cleared")

    def commit(self) -> None:
        """Turn the appended audio into an item. Raises `ClientError` if there is too little."""
        if self._buffered_ms < MIN_COMMIT_MS:
            text = (
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{MIN_COMMIT_MS}ms of audio, but buffer only has {self._buffered_ms:.2f}ms "
                "of audio."
            )
            raise ClientError("input_audio_buffer_commit_empty", text)
        self._commit(self._core.new_id("item"), int(self._buffered_ms))

    def commit_silence(self) -> None:
        """The caller said nothing for too long: the silence becomes a turn."""
        core = self._core
        start_ms, end_ms = int(self.position_ms - self._buffered_ms), int(self.position_ms)
        item_id = core.new_id("item")
        core.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=start_ms,
            audio_end_ms=end_ms,
            item_id=item_id,
        )
        self._commit(item_id, end_ms - start_ms)

    def _commit(self, item_id: str, length_ms: int) -> None:
        core = self._core
        self._buffered_ms = 0.0
        data = {
            "id": item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        item = Item(data, audio_ms=length_ms)
        core.conversation.add(item)
        previous = core.conversation.previous_id(item)
        core.emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        core.show_item("conversation.item.added", item)
        core.show_item("conversation.item.done", item)
        core.record.turns += 1
        core.user_turns += 1
        self._transcribe(item, core.record.turns - 1)

    def _transcribe(self, item: Item, turn: int) -> None:
        core = self._core
        transcription = core.settings["audio"]["input"]["transcription"]
        if transcription is None:
            return
        model = transcription.get("model", "whisper-1")
        heard = self._vad.turn_audio if self._vad is not None else bytes(self._uncommitted)
        self._uncommitted.clear()
        rate_hz = self._format.rate_hz
        text = core.config.script.caller_line(turn, int(item.audio_ms), heard, rate_hz)
        when = core.now + core.config.transcription_delay_s
        core.agenda.at(when, lambda now: self._transcribed(item, text, model))

    def _transcribed(self, item: Item, text: str, model: str) -> None:
        item.data["content"][0]["transcript"] = text
        where = {"item_id": item.id, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        if model != "whisper-1":
            self._core.emit(f"{kind}.delta", **where, delta=text)
        usage = _transcription_usage(text, item.audio_ms, by_duration=model in _BY_DURATION)
        self._core.emit(f"{kind}.completed", **where, transcript=text, usage=usage)


def _transcription_usage(text: str, length_ms: float, *, by_duration: bool) -> dict[str, Any]:
    if by_duration:
        return {"type": "duration", "seconds": round(length_ms / 1000, 2)}
    audio = int(length_ms * USER_TOKENS_PER_S / 1000)
    output = len(text) // CHARS_PER_TOKEN + 1
    return {
        "type": "tokens",
        "total_tokens": audio + output,
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": output,
    }
