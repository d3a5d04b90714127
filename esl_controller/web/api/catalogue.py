"""Handlers: which models and voices there are, and about what a month of calls costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from bridge.providers.base import Usage
from bridge.providers.registry import DEFAULT_KIND, DESCRIPTORS, KINDS
from esl_controller.database.repository import tenants
from esl_controller.money.budget import BudgetState
from esl_controller.money.price_file import price_list
from esl_controller.money.prices import PRICES, Price
from esl_controller.tenants import rules
from esl_controller.web.api.problems import not_found
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import BudgetView, _Answer, _Request

Kind = Annotated[
    str,
    msgspec.Meta(
        pattern=f"^({'|'.join(KINDS)})$", extra_json_schema={"enum": list(KINDS)}, max_length=32
    ),
]
CALLER_TOKENS_PER_S, AGENT_TOKENS_PER_S = 10, 20
"""Of audio (OpenAI, «Managing costs» of the Realtime guide)."""
ANSWERS_PER_MINUTE = 4


class VoicesQuery(_Request, frozen=True):
    """Of which kind of provider."""

    provider: Kind = DEFAULT_KIND


class Voices(_Answer, frozen=True):
    """Names that are known; an operator's or tenant's own voices are not among them."""

    provider: str
    voices: Sequence[str]


class Model(_Answer, frozen=True):
    """A model with a price; USD per million tokens, or per minute."""

    provider: str
    model: str
    since: date
    text_input: Decimal
    text_output: Decimal
    audio_input: Decimal
    audio_cached: Decimal
    audio_output: Decimal
    audio_minute: Decimal


class Models(_Answer, frozen=True):
    """Every model of the price lists."""

    models: Sequence[Model]


class EstimateRequest(_Request, frozen=True):
    """How much is telephoned."""

    model: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z._:-]+$", max_length=100)]
    provider: Kind = DEFAULT_KIND
    minutes_per_call: Annotated[int, msgspec.Meta(ge=1, le=60)] = 3
    calls_per_month: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 100
    agent_share_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 50
    """Of the time somebody speaks, how much is the agent."""


class Estimate(_Answer, frozen=True):
    """About what it costs: four answers a minute, the conversation so far read again each time."""

    per_minute_usd: Decimal
    per_call_usd: Decimal
    per_month_usd: Decimal
    price_date: date


class BudgetMeter(_Answer, frozen=True):
    """The budget that is used most, of day and month."""

    budget: BudgetView


def list_voices(resources: Resources, request: Request) -> Voices:
    """By kind of provider."""
    kind = request.query.provider
    return Voices(provider=kind, voices=[voice.id for voice in DESCRIPTORS[kind].voices])


def list_models(resources: Resources, request: Request) -> Models:
    """Those built in; an operator's own prices count in the estimate."""
    names = list(Model.__struct_fields__)
    return Models(
        models=[Model(**{name: getattr(price, name) for name in names}) for price in PRICES]
    )


def estimate_cost(resources: Resources, request: Request) -> Estimate:
    """From the price list that calls are priced with."""
    wanted: EstimateRequest = request.body
    prices = price_list(resources.settings.storage.price_file)
    price = prices.find(wanted.provider, wanted.model, datetime.now(UTC).date())
    if price is None:
        raise not_found("model with a price")
    per_call = call_cost(price, wanted.minutes_per_call, wanted.agent_share_percent)
    return Estimate(
        per_minute_usd=round(per_call / wanted.minutes_per_call, 4),
        per_call_usd=round(per_call, 4),
        per_month_usd=round(per_call * wanted.calls_per_month, 2),
        price_date=price.since,
    )


def call_cost(price: Price, minutes: int, agent_share_percent: int) -> Decimal:
    """What one call costs when somebody speaks all the time. Pure.

    With each answer the model reads the conversation so far again, at the price of cached input.
    """
    answers = minutes * ANSWERS_PER_MINUTE
    answer_s = 60 / ANSWERS_PER_MINUTE
    said = int(answer_s * (100 - agent_share_percent) / 100 * CALLER_TOKENS_PER_S)
    answered = int(answer_s * agent_share_percent / 100 * AGENT_TOKENS_PER_S)
    read = cached = before = 0
    for _ in range(answers):
        read += before + said
        cached += before
        before += said + answered
    usage = Usage(
        price.provider,
        input_audio_tokens=read,
        cached_audio_tokens=cached,
        output_audio_tokens=answered * answers,
        audio_seconds=minutes * 60.0,
    )
    return price.cost(usage)


def show_budget(resources: Resources, request: Request) -> BudgetMeter:
    """What the domain has spent of it."""
    with resources.reading() as connection:
        row = tenants.find_settings(connection, request.domain_uuid)
    tenant = rules.tenant(row or {"domain_uuid": request.domain_uuid})
    return BudgetMeter(budget=budget_view(resources.admission.budget.check(tenant)))


def budget_view(state: BudgetState) -> BudgetView:
    """A budget as pages get it."""
    return BudgetView(
        level=state.level.name.lower(),  # type: ignore[arg-type]  # the names of BudgetLevel
        period=state.period,
        spent_usd=state.spent_usd,
        limit_usd=state.limit_usd,
    )
