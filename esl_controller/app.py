"""Where concrete classes meet: one worker, its start, its drain and its end."""

from __future__ import annotations

import gc
import ipaddress
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gevent
import structlog
from gevent.event import Event as Signal

from bridge.audio import resampler
from bridge.audio.pacer import Pacer
from bridge.playout.modes import Flavour
from bridge.playout.pacer_timer import PacerClock
from bridge.server import MediaServer
from bridge.session.session import Session
from bridge.session_manager import SessionManager
from bridge.wire.keepalive import KeepAlive
from esl_controller.calls import phrases
from esl_controller.calls.audio_module import USAGE_COMMAND, editions
from esl_controller.calls.call import Call
from esl_controller.calls.media import MediaSite
from esl_controller.calls.plan import stream_rates
from esl_controller.calls.services import Services
from esl_controller.calls.unicast_ports import PortRange
from esl_controller.database.models import JournalEntry
from esl_controller.database.pool import Pool
from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.errors import EslError
from esl_controller.esl.server import EslServer, listening_socket
from esl_controller.esl.session import ControllerSession
from esl_controller.money.budget import BudgetGuard, BudgetLevel
from esl_controller.money.ledger import UsageLedger
from esl_controller.money.price_file import price_list
from esl_controller.record.journal import Journal
from esl_controller.record.retention import Retention
from esl_controller.routes.admission import Admission
from esl_controller.routes.places import CallLeases
from esl_controller.routes.routing import Outcome
from esl_controller.settings.table import Settings
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.hub_lag import HubLag
from esl_controller.telemetry.log import LineWriter
from esl_controller.telemetry.metrics import Metrics
from esl_controller.telemetry.statsd_flusher import StatsdFlusher
from esl_controller.tenants.config import config_source
from esl_controller.tenants.loader import ConfigLoader
from esl_controller.tenants.source import ConfigSource
from esl_controller.web.access import AdminDoor
from esl_controller.web.api.application import Api
from esl_controller.web.api.live import LiveFeed
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.table import ROUTES
from esl_controller.web.api.trying import provider_network
from esl_controller.web.pages import HttpPages, SessionInfo
from esl_controller.worker_counters import (
    follow_event_socket,
    follow_listeners,
    follow_log,
    follow_media,
    follow_storage,
)

_log = structlog.get_logger("app")

Network4Or6 = ipaddress.IPv4Network | ipaddress.IPv6Network

MODULE_CHECK_S = 60.0
"""How long FreeSWITCH's answer which audio module it has is believed."""
STREAM_LOOK_S = 0.6
"""A caller's stream brings 50 frames a second; when none has come for so long it is pinged."""
STREAM_MISSED = 3
"""Looks in which nothing came, pongs included: the connection is dead, whatever TCP thinks."""
GC_ALLOCATIONS = 2_000
"""New containers between two looks for garbage; Python's own 700 are a few calls' frames."""
GOODBYE_S = 15.0
"""After the drain deadline calls are ended politely; this long for their last words."""


class App:
    """One worker: its listeners, its calls and everything they share."""

    def __init__(
        self,
        settings: Settings,
        dsn: str,
        *,
        watch: Callable[[object], None] | None = None,
        log: LineWriter | None = None,
    ) -> None:
        """`watch` sees every journal entry as it is recorded (the demo's live view).

        Raises OSError (cannot listen), SecretError, PriceListError and SpoolUnusable (their files).
        """
        self.settings = settings
        self._watch = watch
        self._log_writer = log
        prices = price_list(settings.storage.price_file)
        self.metrics = Metrics()
        self.stopped = Signal()
        self._stopping = False
        self._pool = Pool(
            dsn,
            size=settings.database.pool_size,
            connect_timeout_s=settings.database.connect_timeout_s,
            statement_timeout_s=settings.database.statement_timeout_s,
        )
        source = config_source(settings, self._pool)
        self.config = ConfigLoader(source, dsn)
        self._retention = Retention(self._pool)
        self.journal = Journal(Path(settings.storage.spool_dir), self._pool)
        self._leases = CallLeases(
            self._pool, self.journal.worker, total_limit=settings.esl.total_capacity or None
        )
        budget = BudgetGuard(self._pool, on_reached=self._count_budget)
        self._admission = Admission(budget, self._leases)
        self._ledger = UsageLedger(prices, budget, self._record, self.metrics)
        self._live = LiveFeed(dsn)
        self.pacer = Pacer()
        self._clock = PacerClock(self.pacer)
        self.manager = SessionManager(capacity=settings.esl.capacity, clock=time.monotonic)
        self.media = MediaServer(
            (settings.media.listen_host, settings.media.port + settings.worker.index),
            self.manager,
            HttpPages(settings.http, self.metrics, self, self._api(source)),
            keepalive=KeepAlive(STREAM_LOOK_S, STREAM_MISSED, only_silent=True),
        )
        self._calls: set[Call] = set()
        self._module: tuple[float, Flavour | None] | None = None
        self.esl = EslServer(
            listening_socket((settings.esl.listen_host, settings.esl.port), reuse_port=True),
            self._serve,
            allow=_networks(settings.esl.allow),
            capacity=settings.esl.capacity,
            connect_timeout_s=settings.esl.connect_timeout_s,
            hand_back=(
                commands.execute(
                    Application.SET,
                    commands.assignment("voice_ai_outcome", Outcome.OVERFLOW.value),
                ),
            ),
        )
        self._background: list[gevent.Greenlet[..., None]] = []

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Warm everything, then open the ports: the first call is no slower than the tenth."""
        resampler.warm_up()
        phrases.warm_up()
        self._network = provider_network(self.settings)
        self.config.start()
        self._leases.start()
        self.journal.start()
        self._clock.start()
        self.manager.start()
        self.media.start()
        self._services = self._shared()
        self._background = [
            gevent.spawn(StatsdFlusher(self.metrics, self.settings.statsd, self._index).run),
            gevent.spawn(HubLag(self.metrics).run),
            gevent.spawn(self._retention.run),
        ]
        self.metrics.on_sample(self._sample)
        follow_listeners(self.metrics, self.media, self.esl)
        follow_storage(self.metrics, self.journal, self._pool, self.config)
        follow_media(self.metrics, self.pacer, self.manager)
        if self._log_writer is not None:
            follow_log(self.metrics, self._log_writer)
        _calm_garbage_collector()
        self.esl.start()
        _log.info("app.ready", esl=self.esl.address, media=self.media.address)

    def drain(self) -> None:
        """Take no new calls, let the running ones end, then stop. May wait for minutes."""
        if self.manager.draining:
            return
        _log.info("app.draining", calls=len(self._calls))
        self.manager.draining = True
        self.esl.close_listener()
        self._wait_for_calls(self.settings.worker.drain_deadline_s)
        for call in tuple(self._calls):
            call.drain()
        self._wait_for_calls(GOODBYE_S)
        self.stop()

    def stop(self) -> None:
        """End everything now; what has ended stays so."""
        if self._stopping:
            self.stopped.wait()
            return
        self._stopping = self.manager.draining = True
        self.esl.stop(2.0)
        self._live.stop()
        self.media.stop(1.0)
        self.manager.stop()
        self._clock.stop()
        self.config.stop()
        self._leases.stop()
        self.journal.stop()
        gevent.killall(self._background)
        self._pool.close()
        self.stopped.set()
        _log.info("app.stopped")

    def _wait_for_calls(self, deadline_s: float) -> None:
        until = time.monotonic() + deadline_s
        while self._calls and time.monotonic() < until:
            gevent.sleep(0.1)

    # --- calls -----------------------------------------------------------------------------------

    def _serve(self, esl: ControllerSession) -> None:
        call = Call(esl, self._services)
        self._calls.add(call)
        stop_counting = follow_event_socket(self.metrics, esl)
        try:
            call.run()
        finally:
            stop_counting()
            self._calls.discard(call)

    def _shared(self) -> Services:
        settings = self.settings
        host, port = self.media.address
        media = settings.media
        return Services(
            settings=settings,
            manager=self.manager,
            config=self.config,
            admission=self._admission,
            ledger=self._ledger,
            record=self._record,
            worker=self.journal.worker,
            metrics=self.metrics,
            pacer=self.pacer,
            site=MediaSite(
                stream_base_url=f"ws://{media.public_host or host}:{port}/stream",
                local_host=media.public_host or media.listen_host,
                freeswitch_host=media.unicast_host,
                ports=PortRange(
                    media.unicast_port_first,
                    media.unicast_port_last,
                    worker=settings.worker.index,
                    workers=settings.worker.count,
                ),
                buffer_ms=media.buffer_ms,
                stream_rates_hz=stream_rates(settings),
                join_timeout_s=settings.timeouts.stream_start_s,
            ),
            network=self._network,
            audio_module=self._audio_module,
        )

    def _api(self, source: ConfigSource) -> Api:
        """What FusionPBX's pages ask."""
        resources = Resources(
            settings=self.settings,
            pool=self._pool,
            source=source,
            admission=self._admission,
            ledger=self._ledger,
            live=self._live,
            network=lambda: self._network,
            event_socket=lambda: self.esl.address,
        )
        return Api(AdminDoor(self.settings.http), resources, ROUTES, self.metrics)

    def _record(self, entry: JournalEntry, *, personal: bool) -> None:
        self.journal.record(entry, personal=personal)
        if self._watch is not None:
            self._watch(entry)

    def _count_budget(self, level: BudgetLevel) -> None:
        self.metrics.count(m.BUDGETS_REACHED, level.name.lower())

    def _audio_module(self, esl: ControllerSession) -> Flavour | None:
        """The module the settings name, else the one FreeSWITCH says it has."""
        named = self.settings.media.flavour
        if named != "auto":
            return Flavour(named)
        now = time.monotonic()
        if self._module is None or now - self._module[0] > MODULE_CHECK_S:
            try:
                found = editions(esl.api(USAGE_COMMAND, check=False))
            except EslError:
                return self._module[1] if self._module is not None else Flavour.OPEN
            self._module = (now, found[0] if found else None)
        return self._module[1]

    # --- what the pages show: ServiceView --------------------------------------------------------

    @property
    def _index(self) -> int:
        return self.settings.worker.index

    def is_ready(self) -> bool:
        """New calls are welcome."""
        return not self.manager.draining

    def status(self) -> str:
        """healthy | draining"""
        return "draining" if self.manager.draining else "healthy"

    def active_sessions(self) -> int:
        """Conversations going on."""
        return len(self.manager)

    def providers(self) -> dict[str, str]:
        """Providers in use, and how they do."""
        return {session.provider_name: "available" for session in self.manager.sessions()}

    def sessions(self) -> Iterable[SessionInfo]:
        """What /admin/sessions shows."""
        return [self._info(session) for session in self.manager.sessions()]

    def _info(self, session: Session) -> SessionInfo:
        age_s = time.monotonic() - session.started_at
        return SessionInfo(
            call_uuid=session.call_uuid,
            domain_uuid=session.domain_uuid,
            started_at=(datetime.now(UTC) - timedelta(seconds=age_s)).isoformat(),
            provider=session.provider_name,
            turns=session.turns,
        )

    def _sample(self) -> None:
        self.metrics.set(m.ACTIVE_SESSIONS, value=len(self.manager))
        self.metrics.set(m.API_VIEWERS, value=len(self._live))
        self.metrics.set(m.CAPACITY, value=self.settings.esl.capacity)
        self.metrics.set(m.DRAINING, value=int(self.manager.draining))


def _calm_garbage_collector() -> None:
    """What was made until now stays for ever: never look at it again, and look less often.

    A full collection over a warm worker takes tens of milliseconds, in which no call has sound.
    What is left to look at are calls: a call that has ended is some 500 objects that know each
    other, so full collections may not be too rare, or the memory of a thousand calls piles up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 10, 2)


def _networks(names: Iterable[str]) -> list[Network4Or6]:
    return [ipaddress.ip_network(name) for name in names]
