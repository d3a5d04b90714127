"""What a worker says of itself: on its pages, and in the register."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.server import MediaServer
from bridge.session.session import Session
from bridge.session_manager import SessionManager
from esl_controller import __version__
from esl_controller.calls.breakers import Breakers
from esl_controller.database.repository.workers import WorkerRow
from esl_controller.errands.service import ErrandCounters
from esl_controller.esl.server import EslServer
from esl_controller.record.journal import Journal
from esl_controller.settings.table import Settings
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics
from esl_controller.telemetry.provider_results import ProviderResults
from esl_controller.tenants.loader import ConfigLoader
from esl_controller.web.pages import SessionInfo
from esl_controller.workers import health
from esl_controller.workers.register import WorkerRegister
from esl_controller.workers.shared_port import SharedPort


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """Implements `web.pages.ServiceView`. Answers from what the parts know, without waiting."""

    settings: Settings
    manager: SessionManager
    esl: EslServer
    media: Callable[[], MediaServer]
    """Made after this: it shows the pages."""
    journal: Journal
    config: ConfigLoader
    providers_seen: ProviderResults
    breakers: Breakers
    register: Callable[[], WorkerRegister]
    """Made after this: it stores what `describe` says."""
    port: Callable[[], SharedPort]
    errands_counted: Callable[[], ErrandCounters]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def is_ready(self) -> bool:
        """New calls are welcome: the Event Socket port is open, and the media port with it."""
        return self.esl.listening and not self.manager.draining

    def status(self) -> str:
        """starting | full | draining | healthy | degraded | unavailable"""
        if self.manager.draining:
            return "draining"
        if not self.register().running:
            return "starting"
        status, _ = self._judged()
        return "full" if status == "healthy" and self.port().left_to_others else status

    def reasons(self) -> list[str]:
        """Why the status is not healthy."""
        return list(self._judged()[1])

    def active_sessions(self) -> int:
        """Conversations going on."""
        return len(self.manager)

    def providers(self) -> dict[str, str]:
        """Kinds of provider that were tried, and how they did."""
        return self.providers_seen.states()

    def provider_results(self) -> dict[str, dict[str, float | int | None]]:
        """When each last worked and last failed."""
        return self.providers_seen.ages()

    def circuits(self) -> dict[str, dict[str, int]]:
        """Kinds of provider of which some are passed over."""
        return self.breakers.states()

    def errands(self) -> dict[str, int]:
        """Of every domain, as last counted."""
        return {"queued": 0, "running": 0, "dead": 0, **self.errands_counted().open}

    def sessions(self) -> Iterable[SessionInfo]:
        """What /admin/sessions shows."""
        return [_info(session) for session in self.manager.sessions()]

    def describe(self) -> WorkerRow:
        """This worker's row in the register, as it is now."""
        host, port = self.esl.address
        return WorkerRow(
            worker=self.journal.worker,
            host=socket.gethostname(),
            http_url=self._http_url(),
            esl_address=f"{host}:{port}",
            started_at=self.started_at,
            version=__version__,
            capacity=self.esl.capacity,
            calls=self.esl.active_calls,
            draining=self.manager.draining,
            listening=self.esl.listening,
        )

    def set_gauges(self, metrics: Metrics) -> None:
        """Once a second."""
        metrics.set(m.ACTIVE_SESSIONS, value=len(self.manager))
        metrics.set(m.CAPACITY, value=self.settings.esl.capacity)
        metrics.set(m.DRAINING, value=int(self.manager.draining))
        metrics.set(m.LISTENING, value=int(self.esl.listening))

    def _judged(self) -> tuple[str, Sequence[str]]:
        left_to_others = self.port().left_to_others
        facts = health.Facts(
            database_error=self.register().last_error,
            changes_heard=self.config.statistics.listening,
            spool_error=self.journal.statistics.write_error,
            port_wanted=not self.manager.draining and not left_to_others,
            port_open=self.esl.listening,
        )
        return health.judge(facts, self.providers_seen, self.breakers.states())

    def _http_url(self) -> str:
        """Where other workers reach the pages: the address FreeSWITCH is told, if there is one."""
        host, port = self.media().address
        host = self.settings.media.public_host or host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _info(session: Session) -> SessionInfo:
    age_s = time.monotonic() - session.started_at
    return SessionInfo(
        call_uuid=session.call_uuid,
        domain_uuid=session.domain_uuid,
        started_at=(datetime.now(UTC) - timedelta(seconds=age_s)).isoformat(),
        provider=session.provider_name,
        turns=session.turns,
    )
