"""One try of a service of the speech process, for those who must know before a call does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gevent
import gevent.event

from bridge.errors import BridgeError, RemoteProtocolError
from bridge.speech.channel import SpeechChannel
from bridge.speech.messages import Reply, Say, Status, Told, decode_reply, decode_status
from bridge.speech.messages import encode_request as encode
from bridge.wire.channel import ChannelEnd, ChannelListener, Ender


class TrialFailed(BridgeError):
    """The process is not there, has no such service, or failed."""

    def __init__(self, text: str, *, there: bool) -> None:
        super().__init__(text)
        self.there = there
        """The process is: it has no such service, or failed."""


class Trial:
    """A connection to one service. `close` it, whatever happened.

    Raises `TrialFailed` when it is not ready within `timeout_s`; the first use of a voice loads it.
    """

    def __init__(
        self, path: str, service: str, options: Mapping[str, Any], *, timeout_s: float
    ) -> None:
        self._timeout_s = timeout_s
        self._messages: list[bytes] = []
        self._end: ChannelEnd | None = None
        self._open = False
        self._changed = gevent.event.Event()
        listener = ChannelListener(
            on_open=self._on_open,
            on_messages=self._on_messages,
            on_end=self._on_end,
            on_fault=lambda error: self._on_end(ChannelEnd(Ender.US, reason=repr(error))),
        )
        self._channel = SpeechChannel(
            path, service, options, listener, timeout_s=timeout_s, patience_s=0.0
        )
        try:
            self._wait(lambda: self._open)
        except TrialFailed:
            self.close()
            raise

    def speak(self, text: str) -> bytes:
        """The samples of a text. Raises `TrialFailed`."""
        self._channel.send(encode(Say(1, text)), False)
        self._wait(lambda: any(reply.told is not Told.AUDIO for reply in self._replies()))
        last = self._replies()[-1]
        if last.told is not Told.DONE:
            raise TrialFailed(last.data.decode("utf-8", "replace"), there=True)
        return b"".join(reply.data for reply in self._replies() if reply.told is Told.AUDIO)

    def hear(self, samples: bytes) -> None:
        """Give a service that hears 16-bit samples; what it tells is not waited for."""
        self._channel.send(samples, True)

    def status(self) -> Status:
        """How the process does, of the service `status`. Raises `TrialFailed`."""
        self._channel.send(b"{}", False)
        self._wait(lambda: bool(self._messages))
        return decode_status(self._messages.pop())

    def close(self) -> None:
        """Leave."""
        self._channel.close()

    def _replies(self) -> list[Reply]:
        try:
            return [decode_reply(message) for message in self._messages]
        except RemoteProtocolError as error:
            raise TrialFailed(str(error), there=True) from error

    def _wait(self, done: Callable[[], bool]) -> None:
        with gevent.Timeout(self._timeout_s, TrialFailed("it took too long", there=True)):
            while not done():
                if self._end is not None:
                    refused = self._end.stage == "protocol" or self._open
                    raise TrialFailed(self._end.reason, there=refused)
                self._changed.wait()
                self._changed.clear()

    def _on_open(self) -> None:
        self._open = True
        self._changed.set()

    def _on_messages(self, messages: list[bytes]) -> None:
        self._messages += messages
        self._changed.set()

    def _on_end(self, end: ChannelEnd) -> None:
        self._end = end
        self._changed.set()
