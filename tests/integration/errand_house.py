"""A domain with receivers of its own, and a worker that delivers its errands to them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from esl_controller.database.acts import Errand, QueuedErrand, errand
from esl_controller.database.models import ConversationRealtime, UsageRecord
from esl_controller.database.pool import Pool
from esl_controller.database.repository import configuration, conversations, errands
from esl_controller.errands.kinds import KINDS
from esl_controller.errands.means import MeansReader, OwnAddresses
from esl_controller.errands.purse import Purse
from esl_controller.errands.service import ErrandService, Pace
from esl_controller.errands.smtp import MailServer
from esl_controller.money.budget import BudgetGuard
from esl_controller.money.ledger import UsageLedger
from esl_controller.money.prices import Price, PriceList
from esl_controller.services.embeddings import Embeddings
from esl_controller.services.http import ServiceHttp
from esl_controller.settings.mail import Mail
from esl_controller.simulator.receivers import HttpReceiver, MailReceiver
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tenants.keys.secrets import SecretStore
from esl_controller.tenants.source import ConfigSource

SECRET = "a-secret-of-the-tenant"
NOW = datetime.now(UTC)


class House:
    """One domain, the queue, a worker's service, and both receivers."""

    def __init__(self, database: Any, pool: Pool, store: SecretStore) -> None:
        self.database, self.pool = database, pool
        self.http, self.mail = HttpReceiver(), MailReceiver()
        self.domain = database.seed().domain_uuid
        self._keys = store.keys
        keys = store.keys
        self.set(webhook_url=self.http.url, webhook_secret=keys.seal(self.domain, SECRET))
        addresses = OwnAddresses()
        source = ConfigSource(pool, store)
        hosts = ServiceHosts(["127.0.0.1"])
        mail = Mail(
            host="127.0.0.1", port=self.mail.port, security="none", sender="voice@pbx.example"
        )
        prices = PriceList([Price(provider="custom", model="m", since=NOW.date(),
                                  text_input=Decimal(2), text_output=Decimal(8))])  # fmt: skip
        budget = BudgetGuard(pool)
        self.purse = Purse(UsageLedger(prices, budget, self._book, Metrics()), budget)
        means = MeansReader(
            *(pool, source, http := ServiceHttp(addresses, hosts), addresses, MailServer(mail)),
            Embeddings(http, store.open, book=lambda *used: self.booked.append(used)),
            self.purse,
        )
        self.booked: list[Any] = []
        self.means = means
        self.service = self.worker("w")

    def _book(self, entry: UsageRecord, *, personal: bool) -> None:
        with self.pool.connection() as connection:
            conversations.store(connection, entry.domain_uuid, entry)

    def worker(self, name: str, **pace: Any) -> ErrandService:
        return ErrandService(self.pool, KINDS, self.means, name, pace=Pace(**pace))

    def stop(self) -> None:
        self.http.stop()
        self.mail.stop()
        self.means.close()

    def seal(self, key: str) -> str:
        return self._keys.seal(self.domain, key)

    def set(self, **values: Any) -> None:
        with self.pool.connection() as connection:
            names = (connection, self.domain, configuration.SETTINGS)
            if configuration.find_row(*names, self.domain) is None:
                configuration.insert_row(*names, values)
            else:
                configuration.update_row(*names, self.domain, values)

    def ask(self, kind: str, key: str, payload: Any, **more: Any) -> Errand:
        wanted = errand(kind, self.domain, key, payload, NOW, **more)
        with self.pool.connection() as connection:
            assert errands.insert(connection, self.domain, wanted)
        return wanted

    def row(self, wanted: Errand) -> QueuedErrand:
        with self.pool.connection(autocommit=True) as connection:
            row = errands.find(connection, self.domain, wanted.errand_uuid)
        assert row is not None
        return row

    def work(self) -> None:
        """Until nothing is to be done now."""
        while self.service.run_once():
            assert self.service.wait(10)

    def hurry(self) -> None:
        """The next attempts are due."""
        self.database.execute("update v_voice_realtime_errands set next_at = now()")

    def conversation(self, words: list[Any], **more: Any) -> str:
        key = errand("x", self.domain, str(time.monotonic()), {}, NOW).errand_uuid
        row = ConversationRealtime(
            conversation_uuid=key,
            domain_uuid=self.domain,
            call_uuid="c",
            started_at=NOW,
            ended_at=NOW,
            transcript=words,
            **more,
        )
        with self.pool.connection() as connection:
            conversations.store(connection, self.domain, row)
        return key


@pytest.fixture
def house(database: Any, pool: Pool, secret_store: SecretStore) -> Iterator[House]:
    house = House(database, pool, secret_store)
    yield house
    house.stop()


def event(name: str = "message.taken", **data: Any) -> dict[str, Any]:
    return {"event": name, "data": data}
