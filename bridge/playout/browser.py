"""Playback in a browser: L16 in binary messages, dropped there at a word (`talk_sound.js`).

The browser's audio thread keeps a short queue of its own. What is in it when the caller interrupts
goes with the text `{"event": "clear"}`.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.audio.formats import FRAME_MS, AudioFormat
from bridge.playout.base import Fade

LEAD_MS = 120
"""Sent ahead: a page's main thread hands sound on, and is late at times."""
LATENCY_MS = 60
"""From `play` to the loudspeaker: the queue's start and the audio device."""
CLEAR = b'{"event":"clear"}'


class BrowserPlayout:
    """Messages of 20 ms, sent slightly ahead of real time."""

    frame_ms = first_chunk_ms = chunk_ms = FRAME_MS
    lead_ms = LEAD_MS
    latency_ms = LATENCY_MS
    tail_padding_ms = 0
    silence_every_s = None
    recalls = True
    margin_ms = None
    begins = None
    fade = Fade.AFTER_CLEAR

    def __init__(
        self,
        audio_format: AudioFormat,
        send_binary: Callable[[bytes], object],
        send_text: Callable[[bytes], object],
    ) -> None:
        self.format = audio_format
        self._send_binary = send_binary
        self._send_text = send_text

    def play(self, chunk: bytes, generation: int) -> None:
        """Send a chunk."""
        self._send_binary(chunk)

    def clear(self, generation: int, now: float) -> None:
        """Have the browser drop its queue."""
        self._send_text(CLEAR)
