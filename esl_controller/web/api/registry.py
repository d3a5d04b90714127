"""Handler: every kind of provider, as its descriptor tells; what forms and lists are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from bridge.providers.descriptor import FEATURES, Descriptor, Model
from bridge.providers.registry import DESCRIPTORS, described_settings
from esl_controller.money.price_file import price_list
from esl_controller.money.prices import Price, PriceList
from esl_controller.tenants.providers import INTERFACE
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer
from esl_controller.web.words.provider_fields import OF_INTERFACE, help_of


class ModelPrice(_Answer, frozen=True):
    """What is counted of a model, and what it costs: USD per million, or per minute."""

    unit: str
    """A column of the price list, such as `audio_input`."""
    usd: str
    since: date
    source: str
    """The page it was read on; empty: the operator's own list."""


class KnownModel(_Answer, frozen=True):
    """One model."""

    id: str
    vendor: str
    role: str
    """speech | chat | hearing | transcription | voice"""
    ends_on: date | None
    """Its vendor switches it off on this day."""
    successor: str
    """What the vendor names in its place."""
    prices: Sequence[ModelPrice]


class KnownVoice(_Answer, frozen=True):
    """One voice that every account has."""

    id: str
    languages: Sequence[str]
    """Empty: every language of the model."""
    sample: str
    """A page where it can be heard; empty: have it say something (`…/preview`)."""


class SettingField(_Answer, frozen=True):
    """One field of `provider_settings`."""

    name: str
    type: str
    """text | integer | number | boolean | list | object"""
    choices: Sequence[str]
    help: str
    """In the language asked for (`Accept-Language`: en, pt, es)."""


class KnownInterface(_Answer, frozen=True):
    """One way to speak with a vendor."""

    name: str
    """For `provider_settings.interface`; empty: the usual one."""
    formats: Sequence[str]
    features: Sequence[str]
    fields: Sequence[SettingField]


class KeyVariables(_Answer, frozen=True):
    """Environment variables that hold the operator's key, the first that is set."""

    stage: str
    """Of a pipeline, whose credential is `stage=KEY,…`; empty: there is one key."""
    variables: Sequence[str]


class KnownProvider(_Answer, frozen=True):
    """A kind of provider."""

    kind: str
    label: str
    interfaces: Sequence[KnownInterface]
    models: Sequence[KnownModel]
    voices: Sequence[KnownVoice]
    own_voices: bool
    """Accounts have voices of their own besides: any name may be right."""
    formats: Sequence[str]
    """Audio on the wire, of the usual interface."""
    features: Sequence[str]
    """Of the usual interface; `features` of the registry says what they mean."""
    fields: Sequence[SettingField]
    """Of the usual interface."""
    hosts: Sequence[str]
    """The vendor's own, where keys of the operator may go."""
    key_variables: Sequence[KeyVariables]
    low_cost: bool
    """What `budget_action = low_cost` goes on with."""


class Feature(_Answer, frozen=True):
    """A word of `features`."""

    id: str
    help: str


class Registry(_Answer, frozen=True):
    """Everything known of providers."""

    providers: Sequence[KnownProvider]
    features: Sequence[Feature]


def show_registry(resources: Resources, request: Request) -> Registry:
    """With the prices that calls are priced with today."""
    return registry(price_list(resources.settings.storage.price_file), request.language)


def registry(prices: PriceList, language: str = "en") -> Registry:
    """The whole of it."""
    return Registry(
        providers=known_providers(prices, language),
        features=[
            Feature(id=word, help=help_of(text, language)) for word, text in FEATURES.items()
        ],
    )


def known_providers(prices: PriceList | None, language: str = "en") -> list[KnownProvider]:
    """Each kind; without a list with no prices."""
    return [_provider(one, prices, language) for one in DESCRIPTORS.values()]


def _provider(known: Descriptor, prices: PriceList | None, language: str) -> KnownProvider:
    interfaces = [
        KnownInterface(
            name=one.name,
            formats=one.formats,
            features=one.features,
            fields=list(_fields(one.protocol, known, language)),
        )
        for one in known.interfaces
    ]
    usual = interfaces[0]
    return KnownProvider(
        kind=known.kind,
        label=known.label,
        interfaces=interfaces,
        models=[_model(model, prices) for model in known.models],
        voices=[msgspec.convert(voice, KnownVoice, from_attributes=True) for voice in known.voices],
        own_voices=known.own_voices,
        formats=usual.formats,
        features=usual.features,
        fields=usual.fields,
        hosts=list(known.hosts.values()),
        key_variables=[
            KeyVariables(stage=stage, variables=names)
            for stage, names in known.key_variables.items()
        ],
        low_cost=known.low_cost,
    )


def _fields(protocol: str, known: Descriptor, language: str) -> Iterable[SettingField]:
    if len(known.interfaces) > 1:
        names = tuple(one.name for one in known.interfaces if one.name)
        yield SettingField(
            name=INTERFACE, type="text", choices=names, help=help_of(OF_INTERFACE, language)
        )
    for name, word, choices, text in described_settings(protocol):
        yield SettingField(name=name, type=word, choices=choices, help=help_of(text, language))


def _model(model: Model, prices: PriceList | None) -> KnownModel:
    price = prices and prices.find(model.vendor, model.id, datetime.now(UTC).date())
    return KnownModel(
        id=model.id,
        vendor=model.vendor,
        role=model.role,
        ends_on=model.ends_on,
        successor=model.successor,
        prices=list(_prices(model, price)) if price else [],
    )


def _prices(model: Model, price: Price) -> Iterable[ModelPrice]:
    told: dict[Any, str] = {rates.since: rates.source for rates in model.rates}
    for unit, usd in price.rates().items():
        source = told.get(price.since, "")
        yield ModelPrice(unit=unit, usd=str(usd), since=price.since, source=source)
