"""What providers count, on its way to budget and journal."""

from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from bridge.providers.base import Usage
from esl_controller.money.ledger import MAX_NAMED, UsageLedger
from esl_controller.money.prices import PRICES, PriceList
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics

DOMAIN = "4f2b1c9e-1111-4222-8333-444455556666"


class Budget:
    """Keeps what it is told."""

    def __init__(self):
        self.added = []

    def add(self, domain_uuid, cost_usd):
        self.added.append((domain_uuid, cost_usd))


@pytest.fixture
def budget():
    return Budget()


@pytest.fixture
def ledger(budget):
    return UsageLedger(PriceList(PRICES), budget, lambda entry, personal: None, Metrics())


def book(ledger, model):
    usage = Usage("openai", model=model, output_audio_tokens=1000)
    return ledger.book(usage, DOMAIN, conversation_uuid=None)


def test_what_has_a_price_is_held_against_the_budget(ledger, budget):
    assert book(ledger, "gpt-realtime-2.1").cost_usd == Decimal("0.064")
    assert budget.added == [(DOMAIN, Decimal("0.064"))]


def test_whose_bill_it_is_is_stored_and_may_be_nobody_s(ledger):
    for account, stored in (("a-provider", "a-provider"), ("", None)):
        usage = Usage("openai", "gpt-realtime-2.1", output_audio_tokens=1, account=account)
        entry = ledger.book(usage, DOMAIN, conversation_uuid=None)
        assert entry.voice_realtime_provider_uuid == stored


def test_what_has_none_is_told_once_for_each_model_and_always_counted(ledger):
    with capture_logs() as lines:
        for model in ("new-model", "new-model", "newer-model"):
            assert book(ledger, model).cost_usd is None
    assert [(line["event"], line["model"]) for line in lines] == [
        ("usage.no_price", "new-model"),
        ("usage.no_price", "newer-model"),
    ]
    name = m.USAGE_UNPRICED.name
    assert f'{name}{{provider="openai"}} 3.0' in ledger._metrics.exposition().decode()


def test_names_of_models_do_not_fill_the_log(ledger):
    with capture_logs() as lines:
        for number in range(MAX_NAMED + 10):
            book(ledger, f"model-{number}")
    assert len(lines) == MAX_NAMED
