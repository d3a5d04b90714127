"""What the queue asks of whoever delivers an errand of some kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from esl_controller.database.acts import Errand, QueuedErrand
from esl_controller.database.models import ProviderAccess, TenantSettings
from esl_controller.database.pool import Pool
from esl_controller.errands.letter import Letter
from esl_controller.errands.purse import Purse
from esl_controller.services.embeddings import Embeddings
from esl_controller.services.http import ServiceHttp
from esl_controller.settings.types import Secret


class Retry(Exception):
    """It did not work now; `after_s` is what the other side asked for, None: as the queue does."""

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class Dead(Exception):
    """It cannot work as things are; the text tells the operator what to change."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """It is done."""

    result: Mapping[str, Any]
    """What the other side said, for the row: never a secret, nothing long."""
    more: Sequence[Errand] = ()
    """Errands that follow from it: queued in the same transaction."""
    forget: bool = False
    """What was sent is not kept; the queue decides it by the tenant's settings."""


class MailSender(Protocol):
    """The operator's mail server."""

    def send(self, letter: Letter) -> str:
        """Hand a letter over and return the server's answer. Raises Retry, Dead."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a delivery has to work with: the tenant of the errand as it is now, and the ways out."""

    tenant: TenantSettings
    domain_name: str
    pool: Pool
    http: ServiceHttp
    mail: MailSender
    embeddings: Embeddings
    open_key: Callable[[str], Secret]
    """The key a credential of the tenant stands for; raises SecretError."""
    providers: Callable[[], Sequence[ProviderAccess]]
    """The tenant's own that can be used, in their order. May wait."""
    purse: Purse
    """The tenant's money."""


class Delivery(Protocol):
    """One kind of errand. May wait; a deadline is kept outside."""

    @property
    def limit_s(self) -> float:
        """From the first attempt on: after this it is given up."""

    def deliver(self, errand: QueuedErrand, means: Means) -> Delivered:
        """Do it. The other side must be able to know a repetition by `errand.idempotency_key`.

        Raises Retry or Dead; whatever else is raised is logged, and tried again.
        """
