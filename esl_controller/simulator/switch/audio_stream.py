"""mod_audio_stream on one channel: the caller's audio to a WebSocket server, events back.

After `mod_audio_stream.c` and `audio_streamer_glue.cpp` of the open-source edition; how the
server's audio reaches the caller is the edition's business (editions.py).
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections import deque
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event as Flag

from bridge.audio.formats import FRAME_MS
from esl_controller.simulator.switch import sound, stream_socket
from esl_controller.simulator.switch.editions import EDITIONS
from esl_controller.simulator.switch.quirks import Edition
from esl_controller.simulator.switch.stream_socket import ConnectFailedError, StreamSocket

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

SUBCLASS = "mod_audio_stream::"
_URL = re.compile(r"wss?://[A-Za-z0-9.-]+(:\d+)?(/.*)?$")
# Codes a Close may carry through libwsc; others are reported as 1002.
_CLOSE_CODES = {*range(1000, 1012), *range(3000, 5000)} - {1004, 1005, 1006}
_QUEUE_LIMIT = 1024
_NORMAL = (1000).to_bytes(2, "big") + b"Normal closure"
_STOP_WAIT_S = 1.0
_FAST_HAND_SHAKE_S = 0.001


def valid_url(url: str) -> bool:
    """Host names with other characters than letters, digits, `-` and `.` are refused."""
    return _URL.match(url) is not None


class AudioStream:
    """The media bug of one channel, from `start` to its removal."""

    def __init__(
        self, session: Session, url: str, mix: str, rate_hz: int, metadata: str | None
    ) -> None:
        self.session = session
        self.rate_hz = rate_hz
        self.removed = Flag()
        self.server_closed = False
        self._url = url
        self._mix = mix
        self._metadata = metadata
        self._paused = False
        self._closing = False
        self._socket: StreamSocket | None = None
        self._tcp_closed = Flag()
        self._queued: deque[bytes] = deque(maxlen=_QUEUE_LIMIT)
        self._pending: list[bytes] = []
        channel = session.channel
        self._frames_per_message = _buffer_frames(channel.get("STREAM_BUFFER_SIZE"))
        self._channel_hz = channel.codec.rate_hz
        """At the start: of a later change the module knows nothing."""
        self._converters = [sound.RateConverter(self._channel_hz, rate_hz) for _ in range(2)]
        self.edition = EDITIONS[session.switch.quirks.edition](self)
        self._connecting = gevent.spawn(self._connect)

    @property
    def open(self) -> bool:
        """The bug is still attached, or its connection still being closed."""
        return not self.removed.is_set()

    @property
    def backlog_bytes(self) -> int:
        """Audio the server has not read yet."""
        return self._socket.backlog_bytes if self._socket is not None else 0

    # from the channel, once per frame

    def feed(self, caller: bytes, played: bytes) -> None:
        """A packet of what the caller said and of what FreeSWITCH played, at the channel's rate."""
        if self._paused or self.server_closed or self._closing:
            return
        frame = self._mixed(caller, played)
        if self._frames_per_message > 1:
            self._pending.append(frame)
            if len(self._pending) < self._frames_per_message:
                return
            frame = b"".join(self._pending)
            self._pending.clear()
        if self._socket is None:
            self._queued.append(frame)
        else:
            self._socket.send(stream_socket.BINARY, frame)

    def replace_written(self, written: bytes | None) -> bytes | None:
        """What goes to the caller in this frame instead of `written`."""
        return self.edition.replace_written(written)

    def _mixed(self, caller: bytes, played: bytes) -> bytes:
        caller, played = self._resampled(caller), self._resampled(played)
        first = self._converters[0].convert(caller)
        if self._mix == "mono":
            return first
        second = self._converters[1].convert(played)
        join = sound.mixed if self._mix == "mixed" else sound.interleaved
        return join(first, second)

    def _resampled(self, pcm: bytes) -> bytes:
        """What the module's resampler takes of a packet: 20 ms, whatever its length."""
        if self.rate_hz == self._channel_hz or not self.session.switch.quirks.resamples_20_ms:
            return pcm
        return pcm[: self._channel_hz * FRAME_MS // 1000 * 2]

    # from the api

    def send_text(self, text: str) -> bool:
        """Send a text message to the server; False while not connected."""
        if self._socket is None:
            return False
        self._socket.send(stream_socket.TEXT, text.encode("utf-8", "surrogateescape"))
        return True

    def pause(self, paused: bool) -> None:
        """Pause or resume the caller's audio; nothing is replayed."""
        self._paused = paused

    def stop(self, text: str = "") -> None:
        """Close the connection and remove the bug; blocks on the server's manners.

        A server that answers Close by closing TCP lets it return at once, one that leaves TCP open
        costs 1 s; if the server had sent Close first, there is no limit.
        """
        if self._closing:
            self.removed.wait()
            return
        self._closing = True
        if text:
            self.send_text(text)
        self.edition.wait_before_close()
        if self._socket is not None and not self.server_closed:
            self._socket.send(stream_socket.CLOSE, _NORMAL)
        self._connecting.kill()
        if self._socket is not None and self.session.switch.quirks.blocking_stop:
            self._tcp_closed.wait(None if self.server_closed else _STOP_WAIT_S)
        self._remove()

    def close_on_hangup(self) -> None:
        """The channel hung up: stop without blocking the session."""
        if self.open and not self._closing:
            gevent.spawn(self.stop)

    def drop(self) -> None:
        """The switch died: close TCP without a word."""
        self._closing = True
        self._connecting.kill(block=False)
        if self._socket is not None:
            self._socket.close()
        self.edition.removed()
        self._tcp_closed.set()
        self.removed.set()

    # connection

    def _connect(self) -> None:
        quirks = self.session.switch.quirks
        began = time.monotonic()
        try:
            named = self.session.channel.get("STREAM_EXTRA_HEADERS")
            extra = _extra_headers(None if quirks.edition is Edition.EARSHOT else named)
            request = stream_socket.upgrade_request(self._url, extra)
            sock = stream_socket.hand_shake(
                self._url,
                request,
                quirks.stream_connect_timeout_s,
                plain=quirks.module_without_tls,
            )
        except ConnectFailedError as error:
            self.fail(error.code, str(error))
            return
        self._connected(sock, time.monotonic() - began)

    def _connected(self, sock: socket.socket, took_s: float) -> None:
        quirks = self.session.switch.quirks
        self._socket = StreamSocket(sock, self._receive, self._gone)
        self.fire("connect", {"status": "connected"})
        self.edition.connected(self._socket)
        lost = took_s < _FAST_HAND_SHAKE_S and self.session.switch.chance(quirks.lost_metadata)
        metadata = None if lost else self._metadata
        if metadata is not None and not quirks.late_metadata:
            self.send_text(metadata)
        while self._queued:
            self._socket.send(stream_socket.BINARY, self._queued.popleft())
        if metadata is not None and quirks.late_metadata:
            self.send_text(metadata)

    def _receive(self, opcode: int, payload: bytes) -> None:
        if self._closing or self.server_closed:
            return
        if opcode == stream_socket.TEXT:
            try:
                self.edition.receive_text(payload.decode())
            except UnicodeDecodeError:
                self._break_off("WebSocket invalid UTF-8 (1007): Invalid UTF-8 sequence", 1007)
        elif opcode == stream_socket.BINARY:
            self.session.media.agent_audio(payload, time.monotonic())
            self.edition.receive_binary(payload)
        elif opcode == stream_socket.CLOSE:
            self._server_close(payload)

    def _server_close(self, payload: bytes) -> None:
        """The server closed: echo its Close; the media bug stays until `stop`."""
        code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1000
        reason = payload[2:].decode("utf-8", "replace")
        if code not in _CLOSE_CODES:
            code = 1002
        self.server_closed = True
        if self._socket is not None:
            self._socket.send(stream_socket.CLOSE, payload)
        self.fire("disconnect", _message("disconnected", code=code, reason=reason))

    def _break_off(self, text: str, close_code: int) -> None:
        if self._socket is not None:
            self._socket.send(stream_socket.CLOSE, close_code.to_bytes(2, "big"))
        self.fail(11, text)

    def _gone(self, reason: str) -> None:
        self._tcp_closed.set()
        if self._closing or self.server_closed:
            return
        if "WebSocket" in reason:
            self.fail(11, reason)
        else:
            self.fail(1, reason or "Connection closed without WebSocket CLOSE (abnormal EOF)")

    def fail(self, code: int, text: str) -> None:
        """Report an error and remove the bug; `start` works again afterwards."""
        self.fire("error", _message("error", code=code, error=text))
        self._closing = True
        self._remove()

    def _remove(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self.edition.removed()
        streams = self.session.media.streams
        if self in streams:
            streams.remove(self)
        source = ("switch_core_media_bug.c", "switch_core_media_bug_remove", 1330)
        self.session.fire("MEDIA_BUG_STOP", source, _BUG)
        self.removed.set()

    # events

    def fire(self, name: str, body: object) -> None:
        """A CUSTOM event `mod_audio_stream::name`; `body` text as it is, else as JSON."""
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        source = ("mod_audio_stream.c", "responseHandler", 16)
        data = text.encode("utf-8", "surrogateescape")
        self.session.fire("CUSTOM", source, body=data, subclass=SUBCLASS + name)


_BUG = (("Media-Bug-Function", "audio_stream"), ("Media-Bug-Target", "(null)"))


def start(session: Session, url: str, mix: str, rate_hz: int, metadata: str | None) -> AudioStream:
    """Attach a bug and begin to connect; on a ringing call early media starts."""
    session.start_media()
    source = ("switch_core_media_bug.c", "switch_core_media_bug_add", 998)
    session.fire("MEDIA_BUG_START", source, _BUG)
    stream = AudioStream(session, url, mix, rate_hz, metadata)
    session.media.streams.append(stream)
    return stream


def _message(status: str, **fields: object) -> dict[str, object]:
    return {"status": status, "message": fields}


def _buffer_frames(text: str | None) -> int:
    """STREAM_BUFFER_SIZE in frames; no number or no multiple of 20 counts as 20 ms."""
    size_ms = int(text) if text and text.isdigit() else FRAME_MS
    return size_ms // FRAME_MS if size_ms and size_ms % FRAME_MS == 0 else 1


def _extra_headers(text: str | None) -> list[tuple[str, str]]:
    """STREAM_EXTRA_HEADERS: one JSON object, string values only, sorted by name."""
    try:
        fields = json.loads(text) if text else {}
    except ValueError:
        return []
    if not isinstance(fields, dict):
        return []
    return sorted((name, value) for name, value in fields.items() if isinstance(value, str))
