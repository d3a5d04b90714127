"""How each edition of the module brings the server's audio to the caller.

Open-source module: files and events. Forks and the closed edition: play what arrives, each with
its own way of clearing. All frames are 16-bit mono PCM.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from esl_controller.simulator.switch import sound
from esl_controller.simulator.switch.quirks import Edition

if TYPE_CHECKING:
    from esl_controller.simulator.switch.audio_stream import AudioStream
    from esl_controller.simulator.switch.stream_socket import StreamSocket

_RAW_RATES = {8000, 16000, 24000, 32000, 48000, 64000}
_CONTAINERS = {"wav", "mp3", "ogg", "pcmu", "pcma"}
# cloudfieldcz keeps this much and drops the rest; a larger message is dropped whole.
_BINARY_BUFFER_BYTES = 640_000
# 1.0.3: without data for this long the segment is over.
_SEGMENT_END_FRAMES = 5

EARSHOT_SILENT_FRAMES = 15
"""ES_PLAY_HANGOVER_US, in frames of 20 ms."""


class OpenEdition:
    """Binary is dropped; `streamAudio` is written to a file and reported."""

    def __init__(self, stream: AudioStream) -> None:
        self.stream = stream
        self._files: list[Path] = []

    def connected(self, socket: StreamSocket) -> None:
        """The WebSocket is up."""

    def wait_before_close(self) -> None:
        """Whatever the edition finishes before it closes the connection."""

    def replace_written(self, written: bytes | None) -> bytes | None:
        """This edition never touches what FreeSWITCH writes."""
        return written

    def receive_binary(self, payload: bytes) -> None:
        """Dropped without an event."""

    def receive_text(self, text: str) -> None:
        """`streamAudio` of a usable kind becomes a file, all else a `::json` event."""
        audio = stream_audio(text)
        saved = self._save(audio) if audio is not None else None
        if audio is None or saved is None:
            self.stream.fire("json", text)
        else:
            self.stream.fire("play", {**_without_audio(audio), "file": str(saved)})

    def removed(self) -> None:
        """The bug is gone: its files go with it."""
        for file in self._files:
            file.unlink(missing_ok=True)

    def clear(self) -> bool:
        """api `break`: this edition has none."""
        return False

    def _save(self, audio: dict[str, object]) -> Path | None:
        extension = file_extension(audio)
        data = audio_bytes(audio)
        if extension is None or data is None:
            return None
        session = self.stream.session
        name = f"{session.uuid}_{len(self._files)}.tmp.{extension}"
        file = session.switch.temp_dir / name
        file.write_bytes(data)
        self._files.append(file)
        return file


class BinaryEdition(OpenEdition):
    """Binary frames replace written ones; silent on an idle call unless it sends silence."""

    def __init__(self, stream: AudioStream) -> None:
        super().__init__(stream)
        codec = stream.session.channel.codec
        self._frame_bytes = stream.session.media.frame_bytes
        self._converter = sound.RateConverter(stream.rate_hz, codec.rate_hz)
        self._buffer = bytearray()
        self._took_over = False
        self.dropped_bytes = 0

    def receive_binary(self, payload: bytes) -> None:
        """Into the play-out buffer; what does not fit is dropped."""
        self._took_over = True
        room = _BINARY_BUFFER_BYTES - len(self._buffer)
        if len(payload) > _BINARY_BUFFER_BYTES:
            self.dropped_bytes += len(payload)
            return
        self.dropped_bytes += max(0, len(payload) - room)
        self._buffer += self._converter.convert(payload[: room // 2 * 2])

    def receive_text(self, text: str) -> None:
        """`clearAudio` empties the buffer; it is reported as `::json` like other text."""
        if _kind(text) == "clearAudio":
            self._buffer.clear()
            self.stream.fire("json", text)
        else:
            super().receive_text(text)

    def replace_written(self, written: bytes | None) -> bytes | None:
        """Once a binary frame has come, files are never audible again."""
        if written is None or not self._took_over:
            return written
        frame = bytes(self._buffer[: self._frame_bytes])
        del self._buffer[: self._frame_bytes]
        return frame.ljust(self._frame_bytes, b"\0")


class ClosedEdition(OpenEdition):
    """Edition 1.0.3 by its documentation: plays binary and JSON, reports progress, can clear."""

    def __init__(self, stream: AudioStream) -> None:
        super().__init__(stream)
        channel = stream.session.channel
        self._rate_hz = channel.codec.rate_hz
        self._frame_bytes = stream.session.media.frame_bytes
        self._enabled = channel.get("STREAM_PLAYBACK") in ("true", "1")
        preset = channel.get("STREAM_SAMPLE_RATE") or ""
        self._raw_rate_hz = int(preset) if preset.isdigit() else 0
        self._converter = sound.RateConverter(self._raw_rate_hz or self._rate_hz, self._rate_hz)
        self._chunks: deque[tuple[bytes, int]] = deque()
        self._current = b""
        self._current_bytes = 0
        self._played = 0
        self._idle_frames = 0

    def receive_binary(self, payload: bytes) -> None:
        """Raw mode only: after `rawAudio` or with STREAM_SAMPLE_RATE."""
        if self._enabled and self._raw_rate_hz:
            self._chunks.append((self._converter.convert(payload), len(payload)))

    def receive_text(self, text: str) -> None:
        """`rawAudio` sets the rate, `streamAudio` raw, pcmu and pcma play, else as open."""
        audio = stream_audio(text)
        if _kind(text) == "rawAudio":
            data = json.loads(text).get("data")
            rate = data.get("sampleRate") if isinstance(data, dict) else None
            if isinstance(rate, int) and rate > 0:
                self._raw_rate_hz = rate
                self._converter = sound.RateConverter(rate, self._rate_hz)
        elif self._enabled and audio is not None and self._queue(audio):
            self.stream.fire("play", _without_audio(audio))
        else:
            super().receive_text(text)

    def _queue(self, audio: dict[str, object]) -> bool:
        data, rate = audio_bytes(audio), audio.get("sampleRate")
        kind = audio.get("audioDataType")
        if data is None or not isinstance(rate, int) or rate <= 0:
            return False
        encoding = self.stream.session.channel.codec.encoding
        if kind == "raw":
            pcm = sound.RateConverter(rate, self._rate_hz).convert(data)
        elif kind == encoding.value.lower() and rate == 8000:
            pcm = sound.decode(data, encoding)
        else:
            return False
        self._chunks.append((pcm, len(data)))
        return True

    def replace_written(self, written: bytes | None) -> bytes | None:
        """The module writes frames itself whenever it has any."""
        frame = self._next_frame()
        return written if frame is None else frame

    def _next_frame(self) -> bytes | None:
        frame = b""
        while len(frame) < self._frame_bytes and (self._current or self._chunks):
            if not self._current:
                self._current, self._current_bytes = self._chunks.popleft()
            room = self._frame_bytes - len(frame)
            frame, self._current = frame + self._current[:room], self._current[room:]
            if not self._current:
                self._chunk_played()
        if frame:
            self._idle_frames = 0
            return frame.ljust(self._frame_bytes, b"\0")
        self._idle_frames += 1
        if self._idle_frames == _SEGMENT_END_FRAMES:
            self._complete()
        return None

    def _chunk_played(self) -> None:
        self._played += 1
        self.stream.fire(
            "playback",
            {
                "event": "chunk_played",
                "seq": self._played,
                "size": self._current_bytes,
                "remaining": len(self._chunks),
            },
        )

    def _complete(self) -> None:
        if self._played:
            body = {"event": "queue_completed", "total_chunks": self._played}
            self.stream.fire("playback", body)
            self._played = 0

    def clear(self) -> bool:
        """api `break`: drop the queue; the next audio plays."""
        if not self._enabled:
            return False
        self._chunks.clear()
        self._current = b""
        self._complete()
        return True


class AlchemillaEdition(ClosedEdition):
    """AlchemillaHQ's, which follows that contract (audio_streamer_glue.cpp)."""

    def connected(self, socket: StreamSocket) -> None:
        """A bug that only reads is read without end: memory is full within a minute."""
        if not self._enabled:
            self.stream.session.switch.crash("a stream that only hears, of AlchemillaHQ's module")


class JsonEdition(OpenEdition):
    """`streamAudio` raw is played by the module; the backlog waits unread in the socket."""

    def __init__(self, stream: AudioStream) -> None:
        super().__init__(stream)
        codec = stream.session.channel.codec
        self._rate_hz = codec.rate_hz
        self._frame_bytes = stream.session.media.frame_bytes
        self._buffer = bytearray()
        self._socket: StreamSocket | None = None

    def connected(self, socket: StreamSocket) -> None:
        """The connection is held back while there is a backlog."""
        self._socket = socket

    def receive_text(self, text: str) -> None:
        """Raw audio is played; containers become files; other text a `::json` event."""
        audio = stream_audio(text)
        if audio is None or audio.get("audioDataType") != "raw":
            super().receive_text(text)
            return
        data, rate = audio_bytes(audio), audio.get("sampleRate")
        if data is None or not isinstance(rate, int) or rate <= 0:
            self.stream.fire("json", text)
            return
        self._buffer += sound.RateConverter(rate, self._rate_hz).convert(data)
        if self._socket is not None and len(self._buffer) > self._frame_bytes:
            self._socket.pause_reading()

    def replace_written(self, written: bytes | None) -> bytes | None:
        """The stream wins over a file, not over idle silence."""
        if not self._buffer:
            return written
        media = self.stream.session.media
        frame = bytes(self._buffer[: self._frame_bytes])
        del self._buffer[: self._frame_bytes]
        if self._socket is not None and len(self._buffer) <= self._frame_bytes:
            self._socket.resume_reading()
        if written == media.silence and media.silence_wins:
            return written
        return frame.ljust(self._frame_bytes, b"\0")

    def wait_before_close(self) -> None:
        """`stop` or hang-up with a backlog never comes back."""
        if self._buffer and self.stream.session.switch.quirks.hanging_stop:
            self.stream.session.switch.hang_for_ever()


class EarshotEdition(BinaryEdition):
    """Whole frames only, and what FreeSWITCH writes where there is none (mod_earshot.c)."""

    def __init__(self, stream: AudioStream) -> None:
        super().__init__(stream)
        self._silent_frames = 0

    def receive_text(self, text: str) -> None:
        """`clear` empties the buffer; other text is a `::json` event."""
        if _kind(text) == "clear":
            self._buffer.clear()
            self._silent_frames = 0
        else:
            self.stream.fire("json", text)

    def replace_written(self, written: bytes | None) -> bytes | None:
        """What is less than a frame waits for more; between two chunks there is silence."""
        if written is None:
            return None
        if len(self._buffer) >= self._frame_bytes:
            self._silent_frames = EARSHOT_SILENT_FRAMES
            return super().replace_written(written)
        self._silent_frames = max(0, self._silent_frames - 1)
        return bytes(self._frame_bytes) if self._silent_frames else written


EDITIONS: dict[Edition, type[OpenEdition]] = {
    Edition.OPEN: OpenEdition,
    Edition.BINARY: BinaryEdition,
    Edition.CLOSED: ClosedEdition,
    Edition.ALCHEMILLA: AlchemillaEdition,
    Edition.JSON: JsonEdition,
    Edition.EARSHOT: EarshotEdition,
}


def _kind(text: str) -> str:
    try:
        message = json.loads(text)
    except ValueError:
        return ""
    kind = message.get("type") if isinstance(message, dict) else None
    return kind if isinstance(kind, str) else ""


def stream_audio(text: str) -> dict[str, object] | None:
    """The `data` of a `streamAudio` message, or None if it is something else."""
    if _kind(text) != "streamAudio":
        return None
    data = json.loads(text).get("data")
    return data if isinstance(data, dict) else None


def audio_bytes(audio: dict[str, object]) -> bytes | None:
    """The decoded `audioData`, or None if it is missing or not base64."""
    text = audio.get("audioData")
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def file_extension(audio: dict[str, object]) -> str | None:
    """`r8`, `r16` …, `wav`, `ogg` …; None for what the module does not know."""
    kind, rate = audio.get("audioDataType"), audio.get("sampleRate")
    if kind == "raw":
        known = isinstance(rate, int) and rate in _RAW_RATES
        return f"r{int(str(rate)) // 1000}" if known else None
    return kind if isinstance(kind, str) and kind in _CONTAINERS else None


def _without_audio(audio: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in audio.items() if name != "audioData"}


def temp_dir() -> Path:
    """Where FreeSWITCH keeps the module's files."""
    return Path(os.environ.get("TMPDIR", "/tmp"))
