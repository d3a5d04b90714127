"""A WebSocket server for the simulated mod_audio_stream: raw bytes, every manner at will."""

from __future__ import annotations

import contextlib
import socket

import gevent
from gevent.event import Event as Signal

PATIENCE_S = 10.0
TEXT, BINARY, CLOSE = 1, 2, 8


class MediaServer:
    """Accepts one stream at a time."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)
        self.port: int = self.listener.getsockname()[1]
        self._streams: list[Stream] = []

    def url(self, path: str = "/stream/x") -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def accept(self, *, delay_s: float = 0.0, close_tcp: bool = True) -> Stream:
        sock, _ = self.listener.accept()
        self._streams.append(Stream(sock, delay_s, close_tcp))
        return self._streams[-1]

    def close(self) -> None:
        for stream in self._streams:
            stream.drop()
        self.listener.close()


class Stream:
    """One connection, after the hand-shake. `close_tcp`: answer Close by closing TCP at once."""

    def __init__(self, sock: socket.socket, delay_s: float, close_tcp: bool) -> None:
        self._socket = sock
        self._close_tcp = close_tcp
        self._closing = False
        self._news = Signal()
        self.request = b""
        while not self.request.endswith(b"\r\n\r\n"):
            self.request += sock.recv(1)
        gevent.sleep(delay_s)
        sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: nobody-checks\r\n\r\n"
        )
        self.frames: list[tuple[int, bytes]] = []
        self.ended = False
        self._reader = gevent.spawn(self._read)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _read(self) -> None:
        try:
            while True:
                self._read_frame()
        except (EOFError, OSError):
            self.ended = True
            self._news.set()

    def _read_frame(self) -> None:
        first, second = self._exactly(2)
        assert first & 0xF0 == 0x80, "final, no extension"
        assert second & 0x80, "a client masks"
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        mask = self._exactly(4)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._exactly(size)))
        self.frames.append((first & 0x0F, payload))
        self._news.set()
        if first & 0x0F == CLOSE:
            if not self._closing:
                self.send(CLOSE, payload)
            if self._close_tcp:
                self.close()

    def send(self, opcode: int, payload: bytes, *, masked: bool = False) -> None:
        self._closing = self._closing or opcode == CLOSE
        size = len(payload)
        if size < 126:
            head = bytes((0x80 | opcode, size | (0x80 if masked else 0)))
        elif size < 65536:
            head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
        self._socket.sendall(head + (bytes(4) if masked else b"") + payload)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def drop(self) -> None:
        self._reader.kill()
        self._socket.close()

    def of_kind(self, opcode: int) -> list[bytes]:
        return [payload for kind, payload in self.frames if kind == opcode]

    def wait_frames(self, count: int, opcode: int = BINARY) -> list[bytes]:
        with gevent.Timeout(PATIENCE_S):
            while len(self.of_kind(opcode)) < count:
                self._news.clear()
                self._news.wait(0.05)
        return self.of_kind(opcode)

    def wait_ended(self) -> None:
        with gevent.Timeout(PATIENCE_S):
            while not self.ended:
                self._news.clear()
                self._news.wait(0.05)
