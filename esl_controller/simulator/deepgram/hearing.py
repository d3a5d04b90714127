"""What the emulated service makes of audio: Nova's results or Flux's turns. Pure.

Deepgram API reference, Live Audio v1 and v2. Times are counted in audio, not on a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bridge.audio.formats import AudioFormat, Encoding
from esl_controller.simulator.service.faults import ConnectionFaults
from esl_controller.simulator.service.script import Script
from esl_controller.simulator.service.vad import VoiceActivityDetector
from esl_controller.simulator.service.voice import decode

_ENCODINGS = {"mulaw": Encoding.PCMU, "alaw": Encoding.PCMA, "linear16": Encoding.L16}
FLUX_SILENCE_MS = 400
REQUEST_ID = "0b2a7c1e-0000-4000-8000-000000000001"
_MODEL = {"name": "general-nova-3", "version": "2026-08-01.0", "arch": "nova-3"}


@dataclass(frozen=True, slots=True)
class Faults(ConnectionFaults):
    """What goes wrong on one connection. Times are of audio, once it is open."""

    close_code: int = 1011
    close_reason: str = "NET-0000"
    garbage: tuple[bytes, ...] = (
        b"\x00\xff",
        b"[]",
        b'{"type":"Results","channel":7}',
        b"{" * 5000,
    )
    wrong_order: bool = False
    """What tells that a turn began comes behind what tells that it is over."""


@dataclass(frozen=True, slots=True)
class HearingConfig:
    """Everything that can be set."""

    host: str = "127.0.0.1"
    port: int = 0
    api_keys: frozenset[str] | None = field(default=None, repr=False)
    """None lets in every key that is not empty."""
    script: Script = field(default_factory=Script)
    idle_s: float = 10.0
    """Without audio or text for so long it closes with NET-0001."""


def reached(after_s: float | None, now_s: float) -> bool:
    """Whether the time of a fault has come."""
    return after_s is not None and now_s >= after_s


class BadRequest(Exception):
    """A query the service does not take."""


class EmulatedHearing:
    """One connection."""

    def __init__(self, config: HearingConfig, faults: Faults, path: str, query: Mapping[str, str]):
        """Raises `BadRequest`."""
        self.turns = 0
        self.closing: tuple[int, str] | None = None
        self.position_s = 0.0
        self.dropped = False
        """Its connection is to be reset."""
        self._in_turn = self._garbled = False
        self._script = config.script
        self._faults = faults
        self._flux = path.startswith("/v2/")
        self._query = query
        self._format = _format(query)
        self._out: list[bytes] = []
        self._sequence = 0
        self._began_s = 0.0
        wait_ms = FLUX_SILENCE_MS if self._flux else _endpointing_ms(query)
        self._vad = VoiceActivityDetector(
            self._format.rate_hz,
            threshold=0.5,
            prefix_padding_ms=0,
            silence_duration_ms=wait_ms,
            keeps=config.script.recogniser is not None,
        )
        if self._flux:
            self._tell({"type": "Connected", "request_id": REQUEST_ID, "sequence_id": 0})

    def messages_to_send(self) -> list[bytes]:
        """Take what is to be sent."""
        faults = self._faults
        if faults.wrong_order and self._in_turn:
            return []
        out, self._out = self._out, []
        if reached(faults.stall_after_s, self.position_s):
            return []
        return out[::-1] if faults.wrong_order else out

    def receive_audio(self, data: bytes) -> None:
        """A message without bytes ends the stream."""
        if not data:
            self._end()
            return
        self.position_s += len(data) / (self._format.rate_hz * self._format.bytes_per_sample)
        for boundary in self._vad.receive(decode(data, self._format)):
            if boundary.started:
                self._began(boundary.at_ms / 1000)
            else:
                self._over(boundary.at_ms / 1000)
        self._fail()

    def _fail(self) -> None:
        faults, at_s = self._faults, self.position_s
        if reached(faults.garbage_after_s, at_s) and not self._garbled:
            self._garbled = True
            self._out += faults.garbage
        if reached(faults.close_after_s, at_s):
            self.closing = faults.close_code, faults.close_reason
        elif reached(faults.session_limit_s, at_s):
            self.closing = 1011, "NET-0000: the longest time of a stream is reached"
        self.dropped = reached(faults.drop_after_s, at_s)

    def receive_text(self, data: bytes) -> None:
        """A control message."""
        try:
            kind = msgspec.json.decode(data, type=dict[str, Any]).get("type")
        except (msgspec.DecodeError, UnicodeDecodeError):
            kind = None
        if kind == "CloseStream":
            self._end()
        elif kind == "Finalize" and not self._flux:
            self._results("", final=True, over=True, from_finalize=True)
        elif kind != "KeepAlive" or self._flux:
            self._tell({"type": "Error", "variant": "SchemaError", "description": str(kind)})
            self.closing = 1008, "DATA-0000"

    # --- turns --------------------------------------------------------------------------------

    def _began(self, at_s: float) -> None:
        self._began_s, self._in_turn = at_s, True
        heard = "" if self._script.recogniser is not None else self._line(1).partition(" ")[0]
        if self._flux:
            self._turn("StartOfTurn", heard)
            return
        if self._query.get("vad_events") == "true":
            self._tell({"type": "SpeechStarted", "channel": [0, 1], "timestamp": at_s})
        if self._query.get("interim_results") == "true":
            self._results(heard, final=False, over=False)

    def _over(self, at_s: float) -> None:
        text = self._line(round(1000 * (at_s - self._began_s)))
        if self._flux:
            self._turn("EndOfTurn", text, trigger="model")
        else:
            self._results(text, final=True, over=True)
        self.turns += 1
        self._in_turn = False

    def _line(self, length_ms: int) -> str:
        heard, rate_hz = self._vad.turn_audio, self._format.rate_hz
        return self._script.caller_line(self.turns, length_ms, heard, rate_hz)

    def _results(self, text: str, *, final: bool, over: bool, from_finalize: bool = False) -> None:
        at_s, words = self._began_s, text.split()
        each_s = (self.position_s - at_s) / max(1, len(words))
        told = [
            {
                "word": word,
                "start": at_s + n * each_s,
                "end": at_s + (n + 1) * each_s,
                "confidence": 0.99,
                "punctuated_word": word,
            }
            for n, word in enumerate(words)
        ]
        alternative = {"transcript": text, "confidence": 0.98 if text else 0.0, "words": told}
        metadata = {"request_id": REQUEST_ID, "model_info": _MODEL, "model_uuid": REQUEST_ID}
        self._tell(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": at_s,
                "duration": self.position_s - at_s,
                "is_final": final,
                "speech_final": over,
                "from_finalize": from_finalize,
                "channel": {"alternatives": [alternative]},
                "metadata": metadata,
            }
        )

    def _turn(self, event: str, text: str, **more: str) -> None:
        self._sequence += 1
        words = [{"word": word, "confidence": 0.99} for word in text.split()]
        self._tell(
            {
                "type": "TurnInfo",
                "request_id": REQUEST_ID,
                "sequence_id": self._sequence,
                "event": event,
                "turn_index": self.turns,
                "audio_window_start": self._began_s,
                "audio_window_end": self.position_s,
                "transcript": text,
                "words": words,
                "end_of_turn_confidence": 0.9 if event == "EndOfTurn" else 0.1,
                **more,
            }
        )

    def _end(self) -> None:
        if not self._flux:
            self._tell(
                {
                    "type": "Metadata",
                    "transaction_key": "deprecated",
                    "request_id": REQUEST_ID,
                    "sha256": "0" * 64,
                    "created": "2026-11-30T00:00:00.000Z",
                    "duration": round(self.position_s, 3),
                    "channels": 1,
                }
            )
        self.closing = 1000, ""

    def _tell(self, message: dict[str, Any]) -> None:
        self._out.append(msgspec.json.encode(message))


def _format(query: Mapping[str, str]) -> AudioFormat:
    encoding = _ENCODINGS.get(query.get("encoding", ""))
    rate = query.get("sample_rate", "")
    if encoding is None or not rate.isdigit() or not 8000 <= int(rate) <= 48000:
        raise BadRequest("encoding or sample_rate")
    return AudioFormat(encoding, int(rate))


def _endpointing_ms(query: Mapping[str, str]) -> int:
    text = query.get("endpointing", "10")
    if not text.isdigit():
        raise BadRequest("endpointing")
    return max(100, int(text))
