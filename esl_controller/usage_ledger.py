"""What providers count is priced, held against the domain's budget and stored."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from bridge.providers.base import Usage
from esl_controller.budget import BudgetGuard
from esl_controller.models import UsageRecord
from esl_controller.pricing import PriceList
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics

Record = Callable[..., object]
"""`Journal.record`: takes an entry, and whether to redact personal data; never waits."""


class UsageLedger:
    """The one of a worker: calls and voice previews are booked alike."""

    def __init__(
        self, prices: PriceList, budget: BudgetGuard, record: Record, metrics: Metrics
    ) -> None:
        self._prices = prices
        self._budget = budget
        self._record = record
        self._metrics = metrics

    def book(
        self, usage: Usage, domain_uuid: str, *, provider: str, conversation_uuid: str | None
    ) -> UsageRecord:
        """Take what a provider counted for a domain, and return it with its price.

        Never waits. `conversation_uuid` is None for what was not said in a conversation.
        """
        priced = self._prices.priced(
            UsageRecord(
                usage_uuid=str(uuid.uuid4()),
                domain_uuid=domain_uuid,
                conversation_uuid=conversation_uuid,
                provider=provider,
                occurred_at=datetime.now(UTC),
                **{field.name: getattr(usage, field.name) for field in dataclasses.fields(usage)},
            )
        )
        self._count(usage, provider)
        self._budget.add(domain_uuid, priced.cost_usd)
        self._record(priced, personal=False)
        return priced

    def _count(self, usage: Usage, provider: str) -> None:
        for direction in ("input", "output"):
            for modality in ("text", "audio"):
                tokens = getattr(usage, f"{direction}_{modality}_tokens")
                if tokens:
                    self._metrics.count(m.TOKENS, provider, direction, modality, by=tokens)
