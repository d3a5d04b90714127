"""What handlers work with: made once by the application."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bridge.providers.host import Network
from esl_controller.calls.breakers import Circuit
from esl_controller.calls.supervision import Supervision
from esl_controller.database.pool import GreenConnection, Pool
from esl_controller.money.ledger import Record, UsageLedger
from esl_controller.routes.admission import Admission
from esl_controller.services.systems import TenantSystems
from esl_controller.settings.table import Settings
from esl_controller.tenants.source import ConfigSource
from esl_controller.web.api.gates import Gate, Gates
from esl_controller.web.api.jobs import Jobs
from esl_controller.web.api.live import LiveFeed
from esl_controller.web.pages import ServiceView


@dataclass(frozen=True, slots=True)
class Resources:
    """Parts of the worker the interface uses."""

    settings: Settings
    pool: Pool
    source: ConfigSource
    admission: Admission
    ledger: UsageLedger
    live: LiveFeed
    network: Callable[[], Network | None]
    """How providers are reached; known once the worker has started."""
    event_socket: Callable[[], tuple[str, int]]
    """Where this worker takes calls."""
    worker: str
    """This worker's name, as conversations have it."""
    view: ServiceView
    """How this worker is doing."""
    circuits: Callable[[str], Sequence[Circuit]]
    """A domain's providers that have failed of late in this worker."""
    supervision: Supervision
    """What may be done to the calls of this worker."""
    record: Record
    """Writes down, without waiting."""
    systems: TenantSystems
    """What tenants bring of their own."""
    gates: Gates = field(default_factory=Gates)
    jobs: Jobs = field(default_factory=Jobs)

    @contextmanager
    def reading(self) -> Iterator[GreenConnection]:
        """A database connection, within the places for reading requests."""
        with (
            self.gates.through(Gate.READ),
            self.pool.connection(autocommit=True) as connection,
        ):
            yield connection
