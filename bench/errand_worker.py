"""A worker of `bench.errands`: a journal that asks for errands, and a service that delivers them.

python -m bench.errand_worker SPOOL DSN DOMAIN SMTP_PORT FIRST END: says `ready` when it looks for
errands, `durable N` once those up to N survive it, and goes on until it is killed.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from esl_controller.database.acts import Errand, errand  # noqa: E402
from esl_controller.database.pool import Pool  # noqa: E402
from esl_controller.errands.kinds import KINDS  # noqa: E402
from esl_controller.errands.means import MeansReader, OwnAddresses  # noqa: E402
from esl_controller.errands.purse import Purse  # noqa: E402
from esl_controller.errands.service import ErrandService, Pace  # noqa: E402
from esl_controller.errands.smtp import MailServer  # noqa: E402
from esl_controller.money.budget import BudgetGuard  # noqa: E402
from esl_controller.money.ledger import UsageLedger  # noqa: E402
from esl_controller.money.prices import PriceList  # noqa: E402
from esl_controller.record.journal import Journal  # noqa: E402
from esl_controller.services.embeddings import Embeddings  # noqa: E402
from esl_controller.services.http import ServiceHttp  # noqa: E402
from esl_controller.settings.mail import Mail  # noqa: E402
from esl_controller.telemetry.metrics import Metrics  # noqa: E402
from esl_controller.tenants.hosts import ServiceHosts  # noqa: E402
from esl_controller.tenants.keys.secrets import SecretKeys, SecretStore  # noqa: E402
from esl_controller.tenants.source import ConfigSource  # noqa: E402

AT_ONCE = 10
PACE = Pace(attempt_s=3.0, lease_s=4.0, look_s=0.2, first_retry_s=0.3, of_one_domain=8)
"""Short, so that what a kill costs is over soon."""


def kind_of(number: int) -> str:
    """The kinds take turns."""
    return ("webhook", "email", "ticket", "message")[number % 4]


def wanted(domain_uuid: str, number: int) -> Errand:
    """One errand of its kind."""
    key = f"bench:{number}"
    payloads: dict[str, dict[str, Any]] = {
        "webhook": {"event": "call.started", "data": {"number": number}},
        "email": {"to": ["desk@clinic.example"], "subject": key, "text": "A call."},
        "ticket": {"subject": key, "caller_number": "5511", "call_uuid": "c"},
        "message": {"message": key, "caller_number": "5511"},
    }
    kind = kind_of(number)
    return errand(kind, domain_uuid, key, payloads[kind], datetime.now(UTC))


def arrival_of(number: int) -> str:
    """What a receiver's log has of it: a message arrives as a webhook."""
    if kind_of(number) == "message":
        return f"webhook message:bench:{number}"
    return f"{kind_of(number)} bench:{number}"


def service(dsn: str, smtp_port: int, worker: str, keys: Path) -> ErrandService:
    """As a worker of the service has it, with a pace of our own."""
    pool = Pool(dsn, size=3, wait_timeout_s=10.0)
    store = SecretStore(SecretKeys.load(keys))
    addresses = OwnAddresses()
    http = ServiceHttp(addresses, ServiceHosts(["127.0.0.1"]))
    mail = Mail(host="127.0.0.1", port=smtp_port, security="none", sender="v@pbx.example")
    budget = BudgetGuard(pool)
    purse = Purse(UsageLedger(PriceList(), budget, lambda *_, **__: None, Metrics()), budget)
    means = MeansReader(
        *(pool, ConfigSource(pool, store), http, addresses, MailServer(mail)),
        Embeddings(http, store.open),
        purse,
    )
    return ErrandService(pool, KINDS, means, worker, pace=PACE)


def main(spool: str, dsn: str, domain_uuid: str, smtp_port: str, first: str, end: str) -> None:
    journal = Journal(Path(spool), Pool(dsn, size=2))
    journal.start()
    doing = service(dsn, int(smtp_port), journal.worker, Path(spool) / "../secret.key")

    running = gevent.spawn(doing.run)
    print("ready", flush=True)
    for begin in range(int(first), int(end), AT_ONCE):
        until = min(begin + AT_ONCE, int(end))
        for number in range(begin, until):
            assert journal.record(wanted(domain_uuid, number))
        assert journal.wait_durable(60)
        print("durable", until, flush=True)
    running.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
