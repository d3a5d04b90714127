"""What errands may spend of a tenant's money, and the booking of what they spent."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.providers.base import Usage
from esl_controller.database.models import TenantSettings
from esl_controller.money.budget import BudgetGuard, BudgetLevel
from esl_controller.money.ledger import EMBEDDING, SUMMARY, UsageLedger


@dataclass(frozen=True, slots=True)
class Purse:
    """The one of a worker."""

    ledger: UsageLedger
    budget: BudgetGuard

    def may_spend(self, tenant: TenantSettings) -> bool:
        """Whether there is anything left of the tenant's budgets; waits for the database."""
        return self.budget.check(tenant).level is not BudgetLevel.EXHAUSTED

    def book_summary(self, usage: Usage, domain_uuid: str, conversation_uuid: str | None) -> None:
        """What the model of a summary counted. Never waits."""
        self.ledger.book(usage, domain_uuid, conversation_uuid=conversation_uuid, purpose=SUMMARY)

    def book_embedding(self, usage: Usage, domain_uuid: str) -> None:
        """What a text's vector cost, of a document or a question. Never waits."""
        self.ledger.book(usage, domain_uuid, conversation_uuid=None, purpose=EMBEDDING)
