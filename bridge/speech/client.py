"""One client of the speech process: its socket, its service and what it asked for."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import msgspec

from bridge.errors import RemoteProtocolError
from bridge.speech.counters import Counters
from bridge.speech.frames import MAX_PAYLOAD_BYTES, Kind, SpeechFrameParser, encode_frame
from bridge.speech.messages import (
    MAX_WAITING,
    Cancel,
    Say,
    Told,
    decode_request,
    encode_reply,
)
from bridge.speech.service import Ear, Refused, Service, SpeechFailed, Voice

_log = logging.getLogger("bridge.speech")

HELLO_S = 5.0
"""A client that connects and asks for nothing is let go."""
SEND_S = 5.0
"""One that does not read is let go."""
READ_BYTES = 65536
MAX_AUDIO_BYTES = MAX_PAYLOAD_BYTES // 2

OpenService = Callable[[str, dict[str, Any]], Service]


class _Hello(msgspec.Struct):
    service: str
    options: dict[str, Any] = {}


class Client:
    """Reads in a thread of its own; speaks, one sentence at a time, in the process's workers."""

    def __init__(
        self, sock: socket.socket, workers: Executor, open_service: OpenService, counters: Counters
    ) -> None:
        self._sock = sock
        self._workers = workers
        self._open_service = open_service
        self._counters = counters
        self._parser = SpeechFrameParser()
        self._sending = threading.Lock()
        self._waiting: deque[tuple[int, Say]] = deque()
        self._lock = threading.Lock()
        self._speaking = False
        self._generation = 0
        """Grows with each cancel: what is of an earlier one is not wanted."""
        self._gone = False

    def serve(self) -> None:
        """Until the client leaves."""
        try:
            service = self._greet()
            if service is not None:
                self._sock.settimeout(None)
                self._read(service)
        except (OSError, RemoteProtocolError) as error:
            _log.info("client let go: %s", error)
        except Exception:  # noqa: BLE001 - one client is lost, nothing else
            _log.exception("client let go")
        finally:
            self.close()

    def close(self) -> None:
        """Let it go; what it asked for is dropped."""
        with self._lock:
            self._gone = True
            self._generation += 1
            self._waiting.clear()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    # --- in the reading thread ----------------------------------------------------------------

    def _greet(self) -> Service | None:
        self._sock.settimeout(HELLO_S)
        frames: list[tuple[Kind, bytes]] = []
        while not frames:
            frames = self._parser.receive_data(self._receive())
        try:
            kind, payload = frames[0]
            if kind is not Kind.HELLO or len(frames) > 1:
                raise Refused("a client begins with HELLO and waits")
            hello = msgspec.json.decode(payload, type=_Hello)
            service = self._open_service(hello.service, hello.options)
        except (Refused, msgspec.DecodeError) as error:
            self._counters.refused()
            _log.warning("client refused: %s", error)
            self._send(Kind.REFUSED, str(error).encode()[:200])
            return None
        self._send(Kind.READY)
        return service

    def _read(self, service: Service) -> None:
        while True:
            for kind, payload in self._parser.receive_data(self._receive()):
                if kind is Kind.TEXT and isinstance(service, Voice):
                    self._ask(decode_request(payload), service)
                elif kind is Kind.BINARY and isinstance(service, Ear):
                    self._hear(service, payload)
                else:
                    raise RemoteProtocolError(f"this service takes no {kind.name}")

    def _receive(self) -> bytes:
        data = self._sock.recv(READ_BYTES)
        if not data:
            raise OSError("it left")
        return data

    def _ask(self, request: Say | Cancel, voice: Voice) -> None:
        with self._lock:
            if isinstance(request, Cancel):
                self._counters.cancelled(len(self._waiting) + self._speaking)
                self._generation += 1
                self._waiting.clear()
                return
            if len(self._waiting) >= MAX_WAITING:
                raise RemoteProtocolError(f"more than {MAX_WAITING} sentences waiting")
            self._waiting.append((self._generation, request))
            if self._speaking:
                return
            self._speaking = True
        self._workers.submit(self._speak_next, voice)

    def _hear(self, ear: Ear, data: bytes) -> None:
        for began, at_ms in ear.hear(data):
            told = Told.STARTED if began else Told.ENDED
            self._send(Kind.BINARY, encode_reply(told, at_ms))

    # --- in a worker --------------------------------------------------------------------------

    def _speak_next(self, voice: Voice) -> None:
        """One sentence; then everybody else has a turn."""
        with self._lock:
            if not self._waiting:
                self._speaking = False
                return
            generation, request = self._waiting.popleft()
        try:
            self._speak(voice, generation, request)
        except OSError as error:
            _log.info("client let go: %s", error)
            self.close()
        self._workers.submit(self._speak_next, voice)

    def _speak(self, voice: Voice, generation: int, request: Say) -> None:
        def cancelled() -> bool:
            return self._generation != generation

        with self._counters.sentence():
            try:
                for data in voice.speak(request.text, cancelled):
                    if cancelled():
                        return
                    self._counters.audio(len(data))
                    for at in range(0, len(data), MAX_AUDIO_BYTES):
                        part = data[at : at + MAX_AUDIO_BYTES]
                        self._send(Kind.BINARY, encode_reply(Told.AUDIO, request.number, part))
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - one sentence is lost, nothing else
                self._failed(request, error)
                return
        if not cancelled():
            self._send(Kind.BINARY, encode_reply(Told.DONE, request.number))

    def _failed(self, request: Say, error: Exception) -> None:
        self._counters.failed()
        text = str(error) if isinstance(error, SpeechFailed) else type(error).__name__
        _log.warning("a sentence cannot be spoken: %s", text, exc_info=error)
        self._send(Kind.BINARY, encode_reply(Told.FAILED, request.number, text.encode()[:200]))

    def _send(self, kind: Kind, payload: bytes = b"") -> None:
        with self._sending:
            if self._gone:
                raise OSError("it left")
            _send_within(self._sock, encode_frame(kind, payload))


def _send_within(sock: socket.socket, data: bytes) -> None:
    """Raises OSError when the client does not read for SEND_S."""
    left = memoryview(data)
    while left:
        try:
            sent = sock.send(left, socket.MSG_DONTWAIT)
        except BlockingIOError:
            _wait_writable(sock)
        else:
            left = left[sent:]


def _wait_writable(sock: socket.socket) -> None:
    if not select.select([], [sock], [], SEND_S)[1]:
        raise OSError("it does not read")
