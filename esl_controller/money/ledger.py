"""What providers count is priced, held against the domain's budget and stored."""

from __future__ import annotations

import dataclasses
import operator
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from bridge.providers.base import Usage
from esl_controller.database.models import UsageRecord
from esl_controller.money.budget import BudgetGuard
from esl_controller.money.prices import PriceList
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics

EMBEDDING = "embedding"
"""Purpose of what a text's vector cost, of a document or a question."""
SUMMARY = "summary"
MAX_NAMED = 64
"""Models without a price that are named in the log, each once."""

_log = structlog.get_logger("usage")
Record = Callable[..., object]
"""`Journal.record`: takes an entry, and whether to redact personal data; never waits."""


_COUNTED = tuple(
    one.name for one in dataclasses.fields(Usage) if one.name not in ("vendor", "account")
)
_counts_of = operator.attrgetter(*_COUNTED)


class UsageLedger:
    """The one of a worker: calls, voice previews, summaries and vectors are booked alike."""

    def __init__(
        self, prices: PriceList, budget: BudgetGuard, record: Record, metrics: Metrics
    ) -> None:
        self._prices = prices
        self._budget = budget
        self._record = record
        self._metrics = metrics
        self._named: set[tuple[str, str]] = set()

    def use(self, prices: PriceList) -> None:
        """Price with another list from now on; what is stored keeps the price it had."""
        self._prices = prices
        self._named.clear()

    def book(
        self,
        usage: Usage,
        domain_uuid: str,
        *,
        conversation_uuid: str | None,
        purpose: str = "",
    ) -> UsageRecord:
        """Take what a vendor counted for a domain, and return it with its price.

        Never waits. `conversation_uuid` is None for what was not said in a conversation.
        `purpose` is what it was for, where that does not follow.
        """
        now = datetime.now(UTC)
        price = self._prices.find(usage.vendor, usage.model, now.date())
        priced = UsageRecord(
            usage_uuid=str(uuid.uuid4()),
            domain_uuid=domain_uuid,
            conversation_uuid=conversation_uuid,
            purpose=purpose or ("preview" if conversation_uuid is None else "conversation"),
            provider=usage.vendor,
            occurred_at=now,
            cost_usd=None if price is None else price.cost(usage),
            price_date=None if price is None else price.since,
            voice_realtime_provider_uuid=usage.account or None,
            **dict(zip(_COUNTED, _counts_of(usage), strict=True)),
        )
        self._count(usage)
        if priced.cost_usd:
            self._metrics.count(m.COST, usage.vendor, by=float(priced.cost_usd))
        self._budget.add(domain_uuid, priced.cost_usd)
        if priced.cost_usd is None:
            self._tell_unpriced(usage.vendor, priced.model)
        self._record(priced, personal=False)
        return priced

    def _tell_unpriced(self, provider: str, model: str) -> None:
        """A budget that does not see what is spent is worth telling an operator of."""
        self._metrics.count(m.USAGE_UNPRICED, provider)
        if (provider, model) not in self._named and len(self._named) < MAX_NAMED:
            self._named.add((provider, model))
            _log.warning("usage.no_price", provider=provider, model=model[:100])

    def _count(self, usage: Usage) -> None:
        for direction, modality, tokens in (
            ("input", "text", usage.input_text_tokens),
            ("input", "audio", usage.input_audio_tokens),
            ("output", "text", usage.output_text_tokens),
            ("output", "audio", usage.output_audio_tokens),
        ):
            if tokens:
                self._metrics.count(m.TOKENS, usage.vendor, direction, modality, by=tokens)
