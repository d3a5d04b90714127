"""Hearing on this host: the speech process finds turns and words. Pure."""

from __future__ import annotations

from bridge.audio.formats import L16_8K, L16_16K, AudioFormat
from bridge.errors import RemoteProtocolError
from bridge.providers.actions import SpeechService
from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.providers.http_errors import MAX_MESSAGE_CHARS
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.hearing import MAX_TURN_CHARS, Began, Heard, SoFar, TurnOver
from bridge.speech.messages import Told, decode_reply
from bridge.wire.channel import ChannelEnd


class LocalHearing:
    """One conversation's `Hearing`, by a service of the speech process."""

    audio_in = (L16_8K, L16_16K)

    def __init__(self, config: PipelineConfig, language: str | None) -> None:
        self._config = config
        self._language = config.stt_language or language or ""
        self._speaking = False
        self._text = ""

    def target(self, audio_in: AudioFormat) -> SpeechService:
        """The service, and what it must know."""
        options = {
            "model": self._config.stt_model if self._config.stt == "whisper" else "",
            "language": self._language,
            "rate_hz": audio_in.rate_hz,
            "silence_ms": max(100, self._config.endpointing_ms),
        }
        return SpeechService(self._config.stt, options)

    def receive(self, data: bytes) -> list[Heard]:
        """Take one message."""
        try:
            reply = decode_reply(data)
        except RemoteProtocolError as error:
            text = str(error)[:MAX_MESSAGE_CHARS]
            return [ProviderFailure(ErrorKind.OURS, "malformed_message", text, False, True)]
        began: list[Heard] = [] if self._speaking else [Began()]
        if reply.told is Told.STARTED:
            self._speaking = True
            return began
        if reply.told not in (Told.PARTIAL, Told.TURN):
            return []
        self._text = reply.data.decode("utf-8", "replace").strip()[:MAX_TURN_CHARS]
        self._speaking = True
        if reply.told is Told.PARTIAL:
            return [*began, SoFar(self._text)]
        return [*began, TurnOver(self.take_pending())]

    def take_pending(self) -> str:
        """Words of a turn whose end was not told."""
        text, self._text = self._text, ""
        self._speaking = False
        return text

    def keep_alive(self, audio_in: AudioFormat, *, heard: bool) -> None:
        """The process does not mind silence."""

    def farewell(self) -> bytes:
        """It sees us leave."""
        return b""

    def bill(self, seconds: float) -> None:
        """It costs nothing."""

    def end_meaning(self, end: ChannelEnd) -> ProviderFailure:
        """A process that refuses will refuse again; one that is gone is started anew."""
        text = end.reason[:MAX_MESSAGE_CHARS]
        if end.stage == "protocol":
            return ProviderFailure(ErrorKind.INVALID_REQUEST, "hearing_refused", text, True, False)
        return ProviderFailure(ErrorKind.OURS, "hearing_lost", text, True, True)
