"""Event Socket `unicast`: the channel's audio as datagrams, both ways (switch_ivr.c).

One datagram is one packet: 16-bit PCM at the channel's rate, or the codec's own bytes with
`flags: native`. FreeSWITCH plays a datagram as it comes and, when more are waiting, one per frame;
the rest waits in the socket's buffer.
"""

from __future__ import annotations

import audioop
import socket
import struct
import time
from typing import TYPE_CHECKING

from gevent.hub import get_hub

from esl_controller.simulator.switch import sound

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

_READ = 1
_MAX_DATAGRAM = 8192
NO_SOUND_FROM_MS = 40
"""Packet time of channels on which datagrams that are too short are not heard at all."""
KERNEL_TIMES = getattr(socket, "SO_TIMESTAMPNS", 35)
"""Linux: the kernel notes when each datagram came (socket(7)); Python names it from 3.14 on."""
_TIMESPEC = struct.Struct("@qq")
NOTES_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
"""Room for the note in `recvmsg`."""


class Unicast:
    """The UDP leg of one channel."""

    def __init__(
        self, session: Session, sock: socket.socket, remote: tuple[str, int], *, native: bool
    ) -> None:
        self._session = session
        self._media = session.media
        self._encoding = session.channel.codec.encoding
        self.native = native
        self._socket = sock
        self._remote = remote
        self._paced = False
        self._closed = False
        self._watcher = get_hub().loop.io(sock.fileno(), _READ)
        self._watcher.start(self._readable)
        self.received = 0
        self.sent = 0
        self.malformed = 0
        """Datagrams that were not one packet long."""

    @classmethod
    def open(cls, session: Session, fields: dict[str, str]) -> Unicast | None:
        """Bind the local address. None if it is in use: FreeSWITCH still says `+OK`."""
        try:
            local = (fields.get("local-ip", "127.0.0.1"), int(fields.get("local-port", "8025")))
            remote = (fields.get("remote-ip", "127.0.0.1"), int(fields.get("remote-port", "8026")))
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        except (ValueError, OSError):
            return None
        try:
            sock.settimeout(0)
            sock.setsockopt(socket.SOL_SOCKET, KERNEL_TIMES, 1)
            sock.bind(local)
        except OSError:
            sock.close()
            return None
        return cls(session, sock, remote, native="native" in fields.get("flags", ""))

    @property
    def local_address(self) -> tuple[str, int]:
        """The address the application sends its datagrams to."""
        host, port = self._socket.getsockname()
        return host, port

    def send(self, pcm: bytes) -> None:
        """Send a frame of the caller's to the remote address; a closed port is no error."""
        data = sound.encode(pcm, self._encoding) if self.native else pcm
        try:
            self._socket.sendto(data, self._remote)
        except OSError:
            return
        self.sent += 1

    def play_waiting(self) -> None:
        """Once per frame: the next datagram of a backlog, or back to playing them as they come."""
        if self._paced and not self._play_one() and not self._closed:
            self._paced = False
            self._watcher.start(self._readable)

    def close(self) -> None:
        """Release the port."""
        self._closed = True
        self._watcher.stop()
        self._watcher.close()
        self._socket.close()

    def _readable(self) -> None:
        """A datagram came while nothing waited: it is heard at once, the next in its turn."""
        if self._play_one():
            self._watcher.stop()
            self._paced = True

    def _play_one(self) -> bool:
        try:
            data, notes, _, _ = self._socket.recvmsg(_MAX_DATAGRAM, NOTES_BYTES)
        except OSError:
            return False
        self.received += 1
        if not data:  # an empty datagram ends unicast
            self._media.end_unicast()
            return False
        self._media.agent_audio(data, came_at(notes))
        pcm = sound.decode(data, self._encoding) if self.native else data
        if len(pcm) == self._media.frame_bytes:
            self._media.play_now(pcm)
        else:
            self.malformed += 1
            self._play_misfit(pcm)
        return True

    def _play_misfit(self, pcm: bytes) -> None:
        """As observed: nothing on channels of 40 ms and more, noise on others."""
        if self._session.channel.ptime_ms < NO_SOUND_FROM_MS or len(pcm) > self._media.frame_bytes:
            self._media.play_now(audioop.byteswap(pcm[: len(pcm) // 2 * 2], 2))


def came_at(notes: list[tuple[int, int, bytes]]) -> float:
    """Monotonic seconds at which a datagram came, however long it waited in the socket.

    `notes` are the ancillary data of `recvmsg` on a socket with `KERNEL_TIMES` on.
    """
    for _, _, note in notes:
        seconds: int
        nanoseconds: int
        seconds, nanoseconds = _TIMESPEC.unpack(note)
        return time.monotonic() - (time.time() - seconds - nanoseconds / 1e9)
    return time.monotonic()
