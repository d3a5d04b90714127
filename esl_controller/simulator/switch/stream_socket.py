"""WebSocket client of mod_audio_stream: TCP, hand-shake and RFC 6455 frames.

Once connected it works with hub watchers: no greenlet waits per call, writing never blocks.
"""

from __future__ import annotations

import base64
import secrets
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import gevent
from gevent.hub import get_hub

from esl_controller.simulator.masking import apply_mask

_READ, _WRITE = 1, 2
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_BUDGET_BYTES = 1024 * 1024
_HAND_SHAKE_BYTES = 16384
_BUSY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ConnectFailedError(Exception):
    """The connection or the hand-shake failed; `code` is mod_audio_stream's error code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def upgrade_request(url: str, extra: Iterable[tuple[str, str]]) -> bytes:
    """The hand-shake as mod_audio_stream writes it: no space after the colon, port in Host."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    host = f"{parts.hostname}:{port}"
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host:{host}",
        "Upgrade:websocket",
        "Connection:upgrade",
        f"Sec-WebSocket-Key:{key}",
        "Sec-WebSocket-Version:13",
        f"Origin:{'https' if secure else 'http'}://{host}",
        *(f"{name}:{value}" for name, value in extra),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def masked_frame(opcode: int, payload: bytes, key: int) -> bytes:
    """One final frame, masked with the 32-bit `key` (RFC 6455 section 5.3)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    mask = key.to_bytes(4, "big")
    return head + mask + apply_mask(payload, mask)


def hand_shake(
    url: str, request: bytes, deadline_s: float, *, plain: bool, ca_file: str = ""
) -> socket.socket:
    """Connect and upgrade within `deadline_s`. Raises ConnectFailedError.

    As in libwsc the answer's Sec-WebSocket-Accept is not checked. `ca_file`: STREAM_TLS_CA_FILE.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "wss" and not plain
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    sock: socket.socket | None = None
    try:
        with gevent.Timeout(deadline_s, ConnectFailedError(10, "Timeout")):
            sock = socket.create_connection((parts.hostname or "", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure:
                context = _trust(ca_file)
                sock = context.wrap_socket(sock, server_hostname=parts.hostname)
            sock.sendall(request)
            _read_answer(sock)
    except ssl.SSLError as error:
        _close(sock)
        text = "TLS error: error:0A000086:SSL routines::certificate verify failed"
        verified = isinstance(error, ssl.SSLCertVerificationError)
        raise ConnectFailedError(9, text if verified else f"TLS error: {error.reason}") from error
    except socket.gaierror as error:
        text = "Resource temporarily unavailable (system error 11)"
        raise ConnectFailedError(6, text) from error
    except OSError as error:
        _close(sock)
        if secure:  # what libevent has of OpenSSL's is all it tells (observed)
            raise ConnectFailedError(9, "TLS error: error:00000005:lib(0)::reason(5)") from error
        text = f"{error.strerror or error} (system error {error.errno})"
        raise ConnectFailedError(6, text) from error
    except (ConnectFailedError, gevent.GreenletExit):
        _close(sock)
        raise
    return sock


def _trust(ca_file: str) -> ssl.SSLContext:
    """As WebSocketTLSContext.cpp reads it: a file, SYSTEM (or nothing), NONE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file == "NONE":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file in ("", "SYSTEM"):
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise ConnectFailedError(7, "Failed to initialize TLS") from error
    return context


def _close(sock: socket.socket | None) -> None:
    if sock is not None:
        sock.close()


def _read_answer(sock: socket.socket) -> None:
    """Byte by byte up to the empty line: what follows belongs to the frames."""
    data = bytearray()
    while not data.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte or len(data) > _HAND_SHAKE_BYTES:
            raise ConnectFailedError(6, "WebSocket upgrade failed")
        data += byte
    words = data.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or words[1] != b"101":
        raise ConnectFailedError(6, "WebSocket upgrade failed")


class StreamSocket:
    """An open WebSocket. Calls `on_message(opcode, payload)` and `on_gone(reason)` from the hub.

    `reason` is empty after an orderly end of TCP, else the text of the error.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_message: Callable[[int, bytes], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self._socket = sock
        self._on_message = on_message
        self._on_gone = on_gone
        self._random = secrets.SystemRandom().getrandbits(32)
        self._incoming = bytearray()
        self._fragments = bytearray()
        self._fragment_opcode = 0
        self._outgoing: deque[bytes] = deque()
        self._open = True
        sock.settimeout(0)
        loop = get_hub().loop
        self._reader = loop.io(sock.fileno(), _READ)
        self._writer = loop.io(sock.fileno(), _WRITE)
        self._reader.start(self._readable)

    @property
    def backlog_bytes(self) -> int:
        """Not yet taken by the kernel: the server reads slowly. Without limit, as in libwsc."""
        return sum(map(len, self._outgoing))

    def send(self, opcode: int, payload: bytes) -> None:
        """Send one masked frame; never blocks."""
        if not self._open:
            return
        # Any 32-bit sequence will do for masking a stand-in's frames.
        self._random = (self._random * 1664525 + 1013904223) & 0xFFFFFFFF
        frame = masked_frame(opcode, payload, self._random)
        if self._outgoing:
            self._outgoing.append(frame)
            return
        rest = self._write(frame)
        if rest:
            self._outgoing.append(rest)
            self._writer.start(self._writable)

    def close(self) -> None:
        """Close TCP; `on_gone` is not called."""
        if not self._open:
            return
        self._open = False
        for watcher in (self._reader, self._writer):
            watcher.stop()
            watcher.close()
        self._socket.close()

    def pause_reading(self) -> None:
        """Leave what comes in the socket's buffer."""
        self._reader.stop()

    def resume_reading(self) -> None:
        """Go on reading."""
        if self._open:
            self._reader.start(self._readable)

    def _write(self, frame: bytes) -> bytes:
        """What the kernel did not take."""
        try:
            return frame[self._socket.send(frame) :]
        except _BUSY:
            return frame
        except OSError:
            return b""  # the reader learns of it and says so

    def _writable(self) -> None:
        while self._outgoing:
            rest = self._write(self._outgoing[0])
            if rest:
                self._outgoing[0] = rest
                return
            self._outgoing.popleft()
        self._writer.stop()

    def _readable(self) -> None:
        budget = _BUDGET_BYTES
        while self._open and budget > 0:
            try:
                data = self._socket.recv(65536)
            except _BUSY:
                return
            except OSError as error:
                self._lost(f"{error.strerror} (system error {error.errno})")
                return
            if not data:
                self._lost("")
                return
            budget -= len(data)
            self._incoming += data
            self._take_frames()

    def _lost(self, reason: str) -> None:
        self.close()
        self._on_gone(reason)

    def _take_frames(self) -> None:
        while self._open:
            frame = self._next_frame()
            if frame is None:
                return
            self._receive_frame(*frame)

    def _next_frame(self) -> tuple[bool, int, bytes] | None:
        data = self._incoming
        if len(data) < 2:
            return None
        if data[1] & 0x80 or data[0] & 0x70:
            self._lost("WebSocket protocol error (1002): Masked frame from server")
            return None
        size, offset = data[1] & 0x7F, 2
        if size >= 126:
            offset = 4 if size == 126 else 10
            if len(data) < offset:
                return None
            size = int.from_bytes(data[2:offset], "big")
        if size > MAX_MESSAGE_BYTES:
            self._lost("WebSocket message too big (1009)")
            return None
        if len(data) < offset + size:
            return None
        payload = bytes(data[offset : offset + size])
        final, opcode = bool(data[0] & 0x80), data[0] & 0x0F
        del data[: offset + size]
        return final, opcode, payload

    def _receive_frame(self, final: bool, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.send(PONG, payload)
        elif opcode >= CLOSE or (final and opcode):
            self._on_message(opcode, payload)
        else:
            self._fragment_opcode = opcode or self._fragment_opcode
            self._fragments += payload
            if final:
                whole, self._fragments = bytes(self._fragments), bytearray()
                self._on_message(self._fragment_opcode, whole)
