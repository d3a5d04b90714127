"""What usage costs: a dated price list, with an operator's own prices over it. Pure.

The operator's come from `esl_controller.money.price_file`.

Prices are USD per million tokens or characters, or per minute of audio. Sources of the list:
OpenAI's model pages (developers.openai.com/api/docs/models/…), Google's and ElevenLabs' price
pages, Deepgram's and Groq's price pages, all read between 2026-08 and 2026-11.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from esl_controller.database.models import UsageRecord

_MILLION = Decimal(1_000_000)
_MINUTE_S = Decimal(60)
_TOKENS_PER_AUDIO_S = 10
"""Of a caller's audio (OpenAI, «Managing costs» of the Realtime guide)."""
_STEP = Decimal("0.000001")
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|latest)$")
"""A dated edition of a model costs what the model costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one model costs from a day on. Cached input is a part of input, priced apart."""

    provider: str
    model: str
    """As the provider names it; `*` is any model of the provider without a price of its own."""
    since: date
    text_input: Decimal = Decimal(0)
    text_cached: Decimal = Decimal(0)
    text_output: Decimal = Decimal(0)
    audio_input: Decimal = Decimal(0)
    audio_cached: Decimal = Decimal(0)
    audio_output: Decimal = Decimal(0)
    image_input: Decimal = Decimal(0)
    transcription_tokens: Decimal = Decimal(0)
    characters: Decimal = Decimal(0)
    transcription_minute: Decimal = Decimal(0)
    audio_minute: Decimal = Decimal(0)

    def cost(self, usage: UsageRecord) -> Decimal:
        """Return what `usage` costs, in USD to a millionth."""
        millionths = (
            _cached(
                usage.input_text_tokens, usage.cached_text_tokens, self.text_input, self.text_cached
            )
            + usage.output_text_tokens * self.text_output
            + _cached(
                usage.input_audio_tokens,
                usage.cached_audio_tokens,
                self.audio_input,
                self.audio_cached,
            )
            + usage.output_audio_tokens * self.audio_output
            + usage.input_image_tokens * self.image_input
            + usage.transcription_tokens * self.transcription_tokens
            + usage.characters * self.characters
        )
        minutes = (
            self._transcribed_s(usage) * self.transcription_minute
            + Decimal(usage.audio_seconds) * self.audio_minute
        )
        return (millionths / _MILLION + minutes / _MINUTE_S).quantize(_STEP)

    def _transcribed_s(self, usage: UsageRecord) -> Decimal:
        """As counted; where a model that is paid by the minute tells tokens, what these last."""
        if usage.transcription_seconds or self.transcription_tokens:
            return Decimal(usage.transcription_seconds)
        return Decimal(usage.transcription_tokens) / _TOKENS_PER_AUDIO_S


def _cached(tokens: int, cached: int, price: Decimal, cached_price: Decimal) -> Decimal:
    cached = min(cached, tokens)
    return (tokens - cached) * price + cached * cached_price


class PriceList:
    """Prices by provider, model and day; later lists given go over earlier ones."""

    def __init__(self, *lists: Iterable[Price]) -> None:
        self._lists: list[dict[tuple[str, str], list[Price]]] = []
        """The list that goes over all others first."""
        for prices in lists:
            by_name: dict[tuple[str, str], list[Price]] = {}
            for price in prices:
                by_name.setdefault((price.provider, price.model), []).append(price)
            self._lists.insert(0, by_name)

    def priced(self, usage: UsageRecord) -> UsageRecord:
        """Return `usage` with its cost and its price's day; as it is when no price is known."""
        price = self.find(usage.provider, usage.model, usage.occurred_at.date())
        if price is None:
            return usage
        return dataclasses.replace(usage, cost_usd=price.cost(usage), price_date=price.since)

    def find(self, provider: str, model: str, day: date) -> Price | None:
        """Return the price in force on `day`: the newest of the first list that has begun.

        For days before every list the earliest price known.
        """
        names = (model, _SNAPSHOT.sub("", model), "*")
        keys = [(provider, name) for name in names]
        known = [by_name[key] for key in keys for by_name in self._lists if key in by_name]
        for prices in known:
            begun = [price for price in prices if price.since <= day]
            if begun:
                return max(begun, key=_since)
        return min(known[0], key=_since) if known else None


def _since(price: Price) -> date:
    return price.since


def _tokens(provider: str, model: str, text: str, audio: str = "0 0 0", image: str = "0") -> Price:
    """`text` and `audio` are `input cached output`."""
    text_input, text_cached, text_output = map(Decimal, text.split())
    audio_input, audio_cached, audio_output = map(Decimal, audio.split())
    return Price(
        provider=provider,
        model=model,
        since=date(2026, 8, 1),
        text_input=text_input,
        text_cached=text_cached,
        text_output=text_output,
        audio_input=audio_input,
        audio_cached=audio_cached,
        audio_output=audio_output,
        image_input=Decimal(image),
    )


def _minutes(provider: str, model: str, **per_minute: str) -> Price:
    prices = {name: Decimal(value) for name, value in per_minute.items()}
    return Price(provider=provider, model=model, since=date(2026, 8, 1), **prices)


PRICES: tuple[Price, ...] = (
    _tokens("openai", "gpt-realtime", "4 0.40 16", "32 0.40 64", "5"),
    _tokens("openai", "gpt-realtime-1.5", "4 0.40 16", "32 0.40 64", "5"),
    _tokens("openai", "gpt-realtime-2", "4 0.40 24", "32 0.40 64", "5"),
    _tokens("openai", "gpt-realtime-2.1", "4 0.40 24", "32 0.40 64", "5"),
    _tokens("openai", "gpt-realtime-mini", "0.60 0.06 2.40", "10 0.30 20", "0.80"),
    _tokens("openai", "gpt-realtime-2.1-mini", "0.60 0.06 2.40", "10 0.30 20", "0.80"),
    _minutes("openai", "gpt-transcribe", transcription_minute="0.0045"),
    _minutes("openai", "gpt-4o-transcribe", transcription_minute="0.006"),
    _minutes("openai", "gpt-4o-mini-transcribe", transcription_minute="0.003"),
    _minutes("openai", "gpt-realtime-whisper", transcription_minute="0.017"),
    _minutes("openai", "gpt-live-transcribe", transcription_minute="0.017"),
    _minutes("openai", "whisper-1", transcription_minute="0.006"),
    # The page has no price of its own for 3.8's audio: 3.1's stands in.
    _tokens("gemini", "gemini-3.8-live", "0.75 0.75 4.50", "3.00 3.00 12.00", "3.00"),
    _tokens("gemini", "gemini-3.1-flash-live", "0.75 0.75 4.50", "3.00 3.00 12.00", "3.00"),
    _tokens("gemini", "gemini-3.1-flash-live-preview", "0.75 0.75 4.50", "3.00 3.00 12.00", "3.00"),
    *(
        _tokens("gemini", name, "0.50 0.50 2.00", "3.00 3.00 12.00", "3.00")
        for name in (
            "gemini-2.5-flash-native-audio-preview-09-2025",
            "gemini-2.5-flash-native-audio-preview-12-2025",
            "gemini-live-2.5-flash-native-audio",
        )
    ),
    # elevenlabs.io/pricing, Agents, read 2026-08; the language model's tokens are billed apart, and
    # the service does not count them on its socket.
    _minutes("elevenlabs", "agents", audio_minute="0.08"),
    _minutes("deepgram", "nova-3", transcription_minute="0.0048"),
    _minutes("deepgram", "nova-3-multi", transcription_minute="0.0058"),
    _minutes("deepgram", "flux-general-en", transcription_minute="0.0077"),
    _minutes("deepgram", "flux-general-multi", transcription_minute="0.0078"),
    _minutes("piper", "*"),
    _minutes("espeak", "*"),
    _minutes("tones", "*"),
    _tokens("groq", "openai/gpt-oss-20b", "0.075 0.0375 0.30"),
    _tokens("groq", "openai/gpt-oss-120b", "0.15 0.075 0.60"),
)
