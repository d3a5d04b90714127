"""What usage costs: a dated price list, with an operator's own prices over it. Pure.

The operator's come from `esl_controller.money.price_file`.

Prices are USD per million tokens or characters, or per minute of audio. They are told by the
providers' descriptors, each with the page it was read on.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bridge.providers.base import Usage
from bridge.providers.descriptor import Model
from bridge.providers.registry import DESCRIPTORS

_MILLION = Decimal(1_000_000)
_MINUTE_S = Decimal(60)
_TOKENS_PER_AUDIO_S = 10
"""Of a caller's audio (OpenAI, «Managing costs» of the Realtime guide)."""
_STEP = Decimal("0.000001")
MAX_FOUND = 1000
"""Models and days whose price is kept at hand: each answer is booked."""
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

    def rates(self) -> dict[str, Decimal]:
        """What is not free of it, by the name of the field."""
        values = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return {name: usd for name, usd in values.items() if isinstance(usd, Decimal) and usd}

    def cost(self, usage: Usage) -> Decimal:
        """Return what `usage` costs, in USD to a millionth."""
        text_cached = min(usage.cached_text_tokens, usage.input_text_tokens)
        audio_cached = min(usage.cached_audio_tokens, usage.input_audio_tokens)
        counted = (
            (usage.input_text_tokens - text_cached, self.text_input),
            (text_cached, self.text_cached),
            (usage.output_text_tokens, self.text_output),
            (usage.input_audio_tokens - audio_cached, self.audio_input),
            (audio_cached, self.audio_cached),
            (usage.output_audio_tokens, self.audio_output),
            (usage.input_image_tokens, self.image_input),
            (usage.transcription_tokens, self.transcription_tokens),
            (usage.characters, self.characters),
        )
        millionths = sum((count * price for count, price in counted if count), Decimal(0))
        minutes = Decimal(0)
        if self.transcription_minute:
            minutes += self._transcribed_s(usage) * self.transcription_minute
        if self.audio_minute:
            minutes += Decimal(usage.audio_seconds) * self.audio_minute
        return (millionths / _MILLION + minutes / _MINUTE_S).quantize(_STEP)

    def _transcribed_s(self, usage: Usage) -> Decimal:
        """As counted; where a model that is paid by the minute tells tokens, what these last."""
        if usage.transcription_seconds or self.transcription_tokens:
            return Decimal(usage.transcription_seconds)
        return Decimal(usage.transcription_tokens) / _TOKENS_PER_AUDIO_S


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
        self._found: dict[tuple[str, str, date], Price | None] = {}

    def find(self, provider: str, model: str, day: date) -> Price | None:
        """Return the price in force on `day`: the newest of the first list that has begun.

        For days before every list the earliest price known.
        """
        asked = (provider, model, day)
        if asked not in self._found:
            if len(self._found) >= MAX_FOUND:
                self._found.clear()
            self._found[asked] = self._find(provider, model, day)
        return self._found[asked]

    def _find(self, provider: str, model: str, day: date) -> Price | None:
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


def _listed(model: Model) -> Iterable[Price]:
    """The prices that a provider's descriptor tells of a model."""
    for rates in model.rates:
        usd = {name: Decimal(value) for name, value in rates.usd.items()}
        yield Price(provider=model.vendor, model=model.id, since=rates.since, **usd)


PRICES: tuple[Price, ...] = tuple(
    price
    for provider in DESCRIPTORS.values()
    for model in provider.models
    for price in _listed(model)
)
