"""The end of the caller's turn as the speech process hears it, where a turn model is given."""

from __future__ import annotations

import logging
from collections.abc import Callable

from bridge.errors import RemoteProtocolError
from bridge.speech.channel import SpeechChannel
from bridge.speech.messages import Told, decode_reply
from bridge.wire.channel import ChannelEnd, ChannelListener

_log = logging.getLogger("bridge.session.sense")
SERVICE = "turn_end"
TIMEOUT_S = 2.0


class Sense:
    """One caller's. `on_there` is told whether it can be relied on, `on_end` that a turn is over.

    Without a speech process, or a model, or when it breaks, silence ends turns as before.
    """

    def __init__(
        self, address: str | None, on_there: Callable[[bool], None], on_end: Callable[[], None]
    ) -> None:
        self._address = address
        self._on_there = on_there
        self._on_end = on_end
        self._channel: SpeechChannel | None = None
        self._open = False

    def start(self, rate_hz: int) -> None:
        """The caller's stream is there, L16 at this rate."""
        self.stop()
        options = {"rate_hz": rate_hz}
        listener = ChannelListener(self._opened, self._told, self._ended, self._broke)
        self._channel = SpeechChannel(
            self._address, SERVICE, options, listener, timeout_s=TIMEOUT_S
        )

    def hear(self, data: bytes) -> None:
        """A piece of it. The hot path."""
        if self._open and self._channel is not None:
            self._channel.send(data, True)

    def stop(self) -> None:
        """It is gone."""
        channel, self._channel, self._open = self._channel, None, False
        if channel is not None:
            channel.close()

    # --- the channel --------------------------------------------------------------------------

    def _opened(self) -> None:
        self._open = True
        self._on_there(True)

    def _told(self, messages: list[bytes]) -> None:
        for message in messages:
            try:
                reply = decode_reply(message)
            except RemoteProtocolError as error:
                _log.warning("turn model: %s", error)
                continue
            if reply.told is Told.ENDED:
                self._on_end()

    def _ended(self, end: ChannelEnd) -> None:
        self._lost()
        _log.warning("turns end by silence: %s", end.reason[:200])

    def _broke(self, error: BaseException) -> None:
        self._lost()
        _log.error("turns end by silence", exc_info=error)

    def _lost(self) -> None:
        self._channel, self._open = None, False
        self._on_there(False)
