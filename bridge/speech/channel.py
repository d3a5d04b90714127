"""A channel to one service of the local speech process, over its unix-domain socket."""

from __future__ import annotations

import errno
import time
from collections.abc import Mapping
from typing import Any

import gevent
import gevent.socket
import msgspec

from bridge.errors import RemoteProtocolError
from bridge.speech.frames import MAX_PAYLOAD_BYTES, Kind, SpeechFrameParser, encode_frame
from bridge.wire.channel import ChannelEnd, ChannelListener, Ender
from bridge.wire.transport import Transport

MAX_BUFFERED_BYTES = 1 << 20
"""Kept for a process that does not read."""
LEAVE_S = 0.25
"""How long a last message may take to leave after `close`."""
RESTART_S = 2.5
"""A process that nobody runs may be starting: it is tried so long to reach it."""
TRY_EVERY_S = 0.1


class SpeechChannel:
    """A `Channel`; open when the service is ready, within `timeout_s`.

    `address` is the path of the socket; None: there is no speech process. One that is not there
    is given `patience_s` to come, half of `timeout_s` at most.
    """

    def __init__(
        self,
        address: str | None,
        name: str,
        options: Mapping[str, Any],
        listener: ChannelListener,
        *,
        timeout_s: float,
        patience_s: float = RESTART_S,
    ) -> None:
        self._patience_s = min(patience_s, timeout_s / 2)
        self._listener = listener
        self._parser = SpeechFrameParser()
        self._transport: Transport | None = None
        self._closed = self._open = False
        self._loop = gevent.get_hub().loop
        self._deadline = self._loop.timer(timeout_s)
        self._connecting: gevent.Greenlet[..., None] | None = None
        if address is None:
            end = ChannelEnd(Ender.US, "request", reason="no speech process")
            self._loop.run_callback(self._end, end)
            return
        late = ChannelEnd(Ender.NETWORK, "timeout", reason="the speech process took too long")
        self._deadline.start(self._end, late)
        hello = msgspec.json.encode({"service": name, "options": dict(options)})
        self._connecting = gevent.spawn(self._connect, address, hello)

    def send(self, data: bytes, binary: bool, /) -> bool:
        """Send one message; more than the process reads ends the channel."""
        if not self._open or self._closed or len(data) > MAX_PAYLOAD_BYTES:
            return False
        return self._write(Kind.BINARY if binary else Kind.TEXT, data)

    def close(self) -> None:
        """Leave, after what was sent; nothing is told any more."""
        if self._closed:
            return
        self._closed = True
        if self._connecting is not None and self._transport is None:
            self._connecting.kill(block=False)
        self._deadline.stop()
        if self._transport is None or not self._transport.buffered_bytes:
            self._release()
        else:
            self._deadline.close()
            self._deadline = self._loop.timer(LEAVE_S)
            self._deadline.start(self._release)

    # --- inside --------------------------------------------------------------------------------

    def _connect(self, address: str, hello: bytes) -> None:
        try:
            sock = self._reach(address)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "unknown")
            end = ChannelEnd(Ender.NETWORK, "tcp", reason=f"no speech process: {name}")
            self._loop.run_callback(self._end, end)
        except gevent.GreenletExit:
            pass
        except Exception as error:  # noqa: BLE001 - boundary: nobody would hear of it
            self._loop.run_callback(self._fault, error)
        else:
            if self._closed:
                sock.close()
                return
            self._transport = Transport(
                sock,
                on_data=self._on_data,
                on_lost=self._on_lost,
                max_buffered_bytes=MAX_BUFFERED_BYTES,
            )
            self._write(Kind.HELLO, hello)

    def _reach(self, address: str) -> gevent.socket.socket:
        """A connected socket; tried again while nobody is there. Raises OSError."""
        until = time.monotonic() + self._patience_s
        while True:
            sock = gevent.socket.socket(gevent.socket.AF_UNIX)
            try:
                sock.connect(address)
            except BaseException as error:
                sock.close()
                nobody = isinstance(error, ConnectionRefusedError | FileNotFoundError)
                if not nobody or time.monotonic() >= until:
                    raise
            else:
                return sock
            gevent.sleep(TRY_EVERY_S)

    def _write(self, kind: Kind, payload: bytes) -> bool:
        if self._transport is None:
            return False
        try:
            return self._transport.send(encode_frame(kind, payload))
        except BufferError as error:
            self._loop.run_callback(self._end, ChannelEnd(Ender.US, reason=str(error)))
            return False

    def _on_data(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            frames = self._parser.receive_data(data)
        except RemoteProtocolError as error:
            self._end(ChannelEnd(Ender.PEER, "" if self._open else "protocol", reason=str(error)))
            return
        messages: list[bytes] = []
        for kind, payload in frames:
            if kind is Kind.READY and not self._open:
                self._open = True
                self._deadline.stop()
                self._listener.on_open()
            elif kind is Kind.REFUSED:
                self._end(_refusal(payload))
                return
            elif self._open and kind in (Kind.TEXT, Kind.BINARY):
                messages.append(payload)
        if messages and not self._closed:
            self._listener.on_messages(messages)

    def _on_lost(self, error: Exception | None) -> None:
        text = "the speech process closed" if error is None else "the speech process is gone"
        self._end(ChannelEnd(Ender.NETWORK, "" if self._open else "tcp", reason=text))

    def _end(self, end: ChannelEnd) -> None:
        if not self._closed:
            self._closed = True
            if self._connecting is not None:
                self._connecting.kill(block=False)
            self._release()
            self._listener.on_end(end)

    def _fault(self, error: Exception) -> None:
        if not self._closed:
            self._closed = True
            self._release()
            self._listener.on_fault(error)

    def _release(self) -> None:
        self._deadline.stop()
        self._deadline.close()
        if self._transport is not None:
            self._transport.close()


def _refusal(payload: bytes) -> ChannelEnd:
    text = payload[:200].decode("utf-8", "replace")
    return ChannelEnd(Ender.PEER, "protocol", reason=text)
