"""One client of the speech process: its socket, and the service it asked for."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import msgspec

from bridge.errors import RemoteProtocolError
from bridge.speech.counters import Counters, Ledger
from bridge.speech.ear_desk import EarDesk
from bridge.speech.frames import Kind, SpeechFrameParser, encode_frame
from bridge.speech.messages import Reply, decode_request, encode_reply
from bridge.speech.service import Ear, Options, Refused, Service, Voice, read_options
from bridge.speech.voice_desk import VoiceDesk

_log = logging.getLogger("bridge.speech")

HELLO_S = 5.0
"""A client that connects and asks for nothing is let go."""
SEND_S = 5.0
"""One that does not read is let go."""
READ_BYTES = 65536
_PEER = struct.Struct("3i")
"""unix(7), SO_PEERCRED: process, user, group."""


class Left(Exception):
    """The client has gone, in good order."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all clients share."""

    open_service: Callable[[str, Options], Service]
    """Raises `Refused`."""
    speaking: Executor
    hearing: Executor
    """Of its own: a voice that is made must not delay an ear."""
    ledger: Ledger


class _Hello(msgspec.Struct):
    service: str
    options: dict[str, object] = {}


class Client:
    """Reads in a thread of its own; the work is done in the process's workers."""

    def __init__(self, sock: socket.socket, workshop: Workshop) -> None:
        self._sock = sock
        self._workshop = workshop
        self._pid = _PEER.unpack(
            sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        )[0]
        self._counters: Counters = workshop.ledger.enter(self._pid)
        self._parser = SpeechFrameParser()
        self._sending = threading.Lock()
        self._gone = False

    def serve(self) -> None:
        """Until the client leaves."""
        try:
            self._serve()
        except Left:
            pass
        except (OSError, RemoteProtocolError) as error:
            _log.info("client let go: %s", error)
        except Exception:  # noqa: BLE001 - one client is lost, nothing else
            _log.exception("client let go")
        finally:
            self.close()
            self._workshop.ledger.leave(self._pid)

    def close(self) -> None:
        """Let it go; what it asked for is dropped."""
        self._gone = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _serve(self) -> None:
        opened = self._greet()
        if opened is None:
            return
        service, options = opened
        self._sock.settimeout(None)
        if isinstance(service, Voice):
            self._serve_voice(service)
        elif isinstance(service, Ear):
            self._serve_ear(service, options.rate_hz)
        else:
            self._serve_status()

    def _greet(self) -> tuple[Service, Options] | None:
        self._sock.settimeout(HELLO_S)
        frames: list[tuple[Kind, bytes]] = []
        while not frames:
            frames = self._parser.receive_data(self._receive())
        try:
            kind, payload = frames[0]
            if kind is not Kind.HELLO or len(frames) > 1:
                raise Refused("a client begins with HELLO and waits")
            hello = msgspec.json.decode(payload, type=_Hello)
            options = read_options(hello.options)
            service = self._workshop.open_service(hello.service, options)
        except (Refused, msgspec.DecodeError) as error:
            self._counters.add("refused")
            _log.warning("client refused: %s", error)
            self._send(Kind.REFUSED, str(error).encode()[:200])
            return None
        self._send(Kind.READY)
        return service, options

    # --- a service each -----------------------------------------------------------------------

    def _serve_voice(self, voice: Voice) -> None:
        desk = VoiceDesk(voice, self._workshop.speaking, self._counters, self._tell)
        try:
            while True:
                for payload in self._take(Kind.TEXT):
                    desk.ask(decode_request(payload))
        finally:
            desk.cancel()

    def _serve_ear(self, ear: Ear, rate_hz: int) -> None:
        desk = EarDesk(ear, rate_hz, self._workshop.hearing, self._counters, self._tell)
        try:
            while True:
                for payload in self._take(Kind.BINARY):
                    desk.hear(payload)
        finally:
            desk.close()

    def _serve_status(self) -> None:
        while True:
            for _ in self._take(Kind.TEXT):
                status = self._workshop.ledger.status(self._counters)
                self._send(Kind.TEXT, msgspec.json.encode(status))

    # --- the socket ---------------------------------------------------------------------------

    def _take(self, wanted: Kind) -> list[bytes]:
        frames = self._parser.receive_data(self._receive())
        for kind, _ in frames:
            if kind is not wanted:
                raise RemoteProtocolError(f"this service takes no {kind.name}")
        return [payload for _, payload in frames]

    def _receive(self) -> bytes:
        data = self._sock.recv(READ_BYTES)
        if not data:
            raise Left
        return data

    def _tell(self, reply: Reply) -> None:
        self._send(Kind.BINARY, encode_reply(*reply))

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
