"""Hearing by Deepgram: what to send, and what its messages mean. Pure.

Deepgram API reference, Live Audio v1 (Nova) and v2 (Flux), and the `deepgram-sdk` package 7.17.
An utterance is the finals of Nova joined until `speech_final`, or `UtteranceEnd` where a noisy
line has no pause; Flux tells whole turns.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from bridge.audio.formats import L16_8K, L16_16K, PCMA_8K, PCMU_8K, AudioFormat, Encoding
from bridge.providers.actions import Endpoint
from bridge.providers.base import ErrorKind, ProviderFailure, Usage
from bridge.providers.http_errors import MAX_MESSAGE_CHARS, end_failure, text_code
from bridge.providers.pipeline.config import PipelineConfig, hearing_model, key_of
from bridge.providers.pipeline.hearing import MAX_TURN_CHARS, Began, Heard, SoFar, TurnOver
from bridge.wire.channel import ChannelEnd, Ender

VENDOR = "deepgram"
SILENCE_MS = 80
CLOSE_STREAM = b'{"type":"CloseStream"}'
_KEEP_ALIVE = b'{"type":"KeepAlive"}'
SEVERAL = "multi"
"""Nova-3's `language` for callers of several (Deepgram, Multilingual Codeswitching)."""
_ENCODINGS = {Encoding.PCMU: "mulaw", Encoding.PCMA: "alaw", Encoding.L16: "linear16"}
_FLUX_LANGUAGES = frozenset({"en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"})


class _Alternative(msgspec.Struct):
    transcript: str = ""


class _Channel(msgspec.Struct):
    alternatives: list[_Alternative] = []


class _NovaMessage(msgspec.Struct):
    type: str = ""
    is_final: bool = False
    speech_final: bool = False
    channel: Any = None
    """An object in `Results`, a list of numbers elsewhere."""
    start: float = 0.0
    duration: float = 0.0
    timestamp: float = 0.0
    variant: Any = None
    description: Any = None
    message: Any = None


class _FluxMessage(msgspec.Struct):
    type: str = ""
    event: str = ""
    transcript: str = ""
    code: Any = None
    description: Any = None


class Deepgram:
    """What both kinds of its hearing have in common."""

    audio_in = (PCMU_8K, PCMA_8K, L16_8K, L16_16K)

    def __init__(self, config: PipelineConfig, language: str | None) -> None:
        self._config = config
        self._language = config.stt_language or language or ""

    def target(self, audio_in: AudioFormat) -> Endpoint:
        """Where to connect, and how the caller is to be heard."""
        return endpoint(self._config, audio_in, self._language)

    def keep_alive(self, audio_in: AudioFormat, *, heard: bool) -> tuple[bytes, bool]:
        """KeepAlive counts only after some audio, and Flux knows none: silence takes its place.

        Without either for ten seconds the service closes with NET-0001.
        """
        if heard and not is_flux(self._config):
            return _KEEP_ALIVE, False
        return audio_in.silence(SILENCE_MS), True

    def farewell(self) -> bytes:
        """The stream ends."""
        return CLOSE_STREAM

    def bill(self, seconds: float) -> Usage:
        """Several languages at once cost more: the price list has a model of its own for them."""
        model = hearing_model(self._config, self._language)
        model = f"{model}-multi" if self._language == SEVERAL else model
        return Usage(VENDOR, model, transcription_seconds=round(seconds, 3))

    def end_meaning(self, end: ChannelEnd) -> ProviderFailure:
        """Why hearing is lost."""
        return end_meaning(end)


class Nova(Deepgram):
    """`/v1/listen`: finals, joined until a pause."""

    def __init__(self, config: PipelineConfig, language: str | None) -> None:
        super().__init__(config, language)
        self._words: list[str] = []
        self._speaking = False
        self._over_at_s = -1.0
        """Of the stream: what is told of before belongs to a turn that is over."""

    def receive(self, data: bytes) -> list[Heard]:
        """Take one message."""
        try:
            message = msgspec.json.decode(data, type=_NovaMessage)
            if message.type == "Results":
                return self._results(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return [_malformed(error)]
        if message.type == "SpeechStarted":
            return [] if 0 < message.timestamp <= self._over_at_s else self._began()
        if message.type == "UtteranceEnd":
            return self._over() if self._speaking else []
        if message.type == "Error":
            text = _text(message.description) or _text(message.message)
            return [_refused(text_code(message.variant), text)]
        return []

    def take_pending(self) -> str:
        """Words of a turn whose end was not told."""
        text, self._words = " ".join(self._words), []
        self._speaking = False
        return text

    def _results(self, message: _NovaMessage) -> list[Heard]:
        end_s = message.start + message.duration
        if 0 < end_s <= self._over_at_s:
            return []
        alternatives = msgspec.convert(message.channel, _Channel).alternatives
        text = alternatives[0].transcript.strip() if alternatives else ""
        heard = self._began() if text else []
        if text and message.is_final and sum(map(len, self._words)) < MAX_TURN_CHARS:
            self._words.append(text[:MAX_TURN_CHARS])
        if message.speech_final and self._speaking:
            self._over_at_s = end_s
            heard += self._over()
        elif text:
            said = self._words if message.is_final else [*self._words, text[:MAX_TURN_CHARS]]
            heard.append(SoFar(" ".join(said)))
        return heard

    def _began(self) -> list[Heard]:
        if self._speaking:
            return []
        self._speaking = True
        return [Began()]

    def _over(self) -> list[Heard]:
        return [TurnOver(self.take_pending())]


class Flux(Deepgram):
    """`/v2/listen`: turns, told as such."""

    def __init__(self, config: PipelineConfig, language: str | None) -> None:
        super().__init__(config, language)
        self._speaking = False
        self._text = ""

    def receive(self, data: bytes) -> list[Heard]:
        """Take one message."""
        try:
            message = msgspec.json.decode(data, type=_FluxMessage)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return [_malformed(error)]
        if message.type == "Error":
            return [_refused(text_code(message.code), _text(message.description))]
        if message.type != "TurnInfo":
            return []
        self._text = message.transcript.strip()[:MAX_TURN_CHARS]
        heard: list[Heard] = []
        if not self._speaking and (self._text or message.event == "StartOfTurn"):
            self._speaking = True
            heard.append(Began())
        if message.event == "EndOfTurn" and self._speaking:
            heard.append(TurnOver(self.take_pending()))
        elif self._text:
            heard.append(SoFar(self._text))
        return heard

    def take_pending(self) -> str:
        """Words of a turn whose end was not told."""
        text, self._text = self._text, ""
        self._speaking = False
        return text


def is_flux(config: PipelineConfig) -> bool:
    """Whether the model finds turns by what is said."""
    return hearing_model(config, None).startswith("flux")


def endpoint(config: PipelineConfig, audio_in: AudioFormat, language: str | None) -> Endpoint:
    """Where to connect, and how the caller is to be heard."""
    scheme, _, rest = config.stt_url.rstrip("/").partition("://")
    scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    wanted = config.stt_language or language or ""
    query = [
        ("model", hearing_model(config, language)),
        ("encoding", _ENCODINGS[audio_in.encoding]),
        ("sample_rate", str(audio_in.rate_hz)),
    ]
    query += _flux_query(config, wanted) if is_flux(config) else _nova_query(config, wanted)
    query += [("keyterm", term) for term in config.keyterms]
    version = "v2" if is_flux(config) else "v1"
    key = key_of(config, "stt")
    headers = (("Authorization", f"Token {key}"),) if key else ()
    url = f"{scheme}://{rest}/{version}/listen?{urlencode(query, quote_via=quote)}"
    return Endpoint(url, headers)


def _nova_query(config: PipelineConfig, language: str) -> list[tuple[str, str]]:
    return [
        ("channels", "1"),
        *([("language", language)] if language else []),
        ("interim_results", "true"),
        ("endpointing", str(config.endpointing_ms)),
        ("utterance_end_ms", str(config.utterance_end_ms)),
        ("vad_events", "true"),
        ("smart_format", "true"),
    ]


def _flux_query(config: PipelineConfig, language: str) -> list[tuple[str, str]]:
    query = []
    base = language.lower().partition("-")[0]
    if hearing_model(config, language).endswith("multi") and base in _FLUX_LANGUAGES:
        query.append(("language_hint", base))
    if config.eot_threshold is not None:
        query.append(("eot_threshold", str(config.eot_threshold)))
    if config.eot_timeout_ms is not None:
        query.append(("eot_timeout_ms", str(config.eot_timeout_ms)))
    return query


def end_meaning(end: ChannelEnd) -> ProviderFailure:
    """Why hearing is lost. Always fatal."""
    if end.by is Ender.PEER and not end.stage and end.code == 1008:
        text = end.reason[:MAX_MESSAGE_CHARS]
        return ProviderFailure(ErrorKind.PROTOCOL, "stt_audio", text, True, False)
    if end.by is Ender.PEER and not end.stage and end.code == 1011:
        code = "stt_silence" if "NET-0001" in end.reason else "stt_server"
        text = end.reason[:MAX_MESSAGE_CHARS]
        return ProviderFailure(ErrorKind.SERVER, code, text, True, True)
    return end_failure(end)


def _malformed(error: Exception) -> ProviderFailure:
    text = f"hearing: {error}"[:MAX_MESSAGE_CHARS]
    return ProviderFailure(ErrorKind.PROTOCOL, "malformed_message", text, False, True)


def _refused(code: str, text: str) -> ProviderFailure:
    return ProviderFailure(ErrorKind.SERVER, code or "stt_error", text, True, True)


def _text(value: Any) -> str:
    return value[:MAX_MESSAGE_CHARS] if isinstance(value, str) else ""
