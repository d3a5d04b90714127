"""Where concrete classes meet: one worker, its start, its drain and its end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import gevent
import structlog
from gevent.event import Event as Signal

from bridge.audio import core, resampler
from bridge.audio.pacer import Pacer
from bridge.playout.pacer_timer import PacerClock
from bridge.server import MediaServer
from bridge.session_manager import SessionManager
from bridge.wire.keepalive import KeepAlive
from esl_controller.calls import hold_music, phrases
from esl_controller.calls.away import AwayCalls
from esl_controller.calls.breakers import Breakers, limits_of
from esl_controller.calls.call import Call
from esl_controller.calls.desk import CallDesk
from esl_controller.calls.door import open_door
from esl_controller.calls.installed_module import InstalledModule
from esl_controller.calls.media_site import media_site
from esl_controller.calls.outgoing import Outgoing
from esl_controller.calls.registry import Calls
from esl_controller.calls.site import ConversationSite
from esl_controller.calls.supervision import Supervision
from esl_controller.calls.transfer.resolve import FusionPlaces
from esl_controller.calls.transfer.returning import Returning
from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import JournalEntry
from esl_controller.database.pool import Pool
from esl_controller.errands.of_worker import errands_of
from esl_controller.errands.purse import Purse
from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.server import EslServer, listening_socket, networks
from esl_controller.esl.session import ControllerSession
from esl_controller.money.budget import BudgetGuard
from esl_controller.money.ledger import UsageLedger
from esl_controller.money.price_file import price_list
from esl_controller.outbound.service import OutboundService
from esl_controller.record.budget_told import BudgetTeller
from esl_controller.record.conversation import CallBook
from esl_controller.record.journal import Journal
from esl_controller.record.outcome import Ending
from esl_controller.record.recordings import Recordings
from esl_controller.record.retention import Retention
from esl_controller.routes.admission import Admission
from esl_controller.routes.places import CallLeases
from esl_controller.routes.reception import Reception
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.services.systems import tenant_systems
from esl_controller.settings.table import Settings
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.background import forever
from esl_controller.telemetry.catalogue import MEDIA_CORE_INFO
from esl_controller.telemetry.hub_lag import HubLag
from esl_controller.telemetry.log import LineWriter
from esl_controller.telemetry.metrics import Metrics
from esl_controller.telemetry.provider_results import follow_providers
from esl_controller.telemetry.statsd_flusher import StatsdFlusher
from esl_controller.tenants.config import config_source, default_provider
from esl_controller.tenants.loader import ConfigLoader
from esl_controller.tenants.model_ends import ModelWatch
from esl_controller.tenants.source import ConfigSource
from esl_controller.web.access import AdminDoor
from esl_controller.web.api.application import Api
from esl_controller.web.api.live import LiveFeed
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.table import ROUTES
from esl_controller.web.api.trying import provider_network
from esl_controller.web.pages import HttpPages
from esl_controller.web.talk.door import BrowserDoor
from esl_controller.worker_counters import (
    follow_breakers,
    follow_calls,
    follow_errands,
    follow_event_socket,
    follow_listeners,
    follow_log,
    follow_media,
    follow_people,
    follow_speech,
    follow_storage,
    follow_workers,
)
from esl_controller.worker_files import read_again
from esl_controller.workers.garbage import GarbageWatch, calm_garbage_collector
from esl_controller.workers.heartbeat import Heartbeat
from esl_controller.workers.register import WorkerRegister
from esl_controller.workers.shared_port import SharedPort
from esl_controller.workers.speech import SpeechDemand, SpeechKeeper
from esl_controller.workers.view import WorkerView

_log = structlog.get_logger("app")

STREAM_LOOK_S = 0.6
"""A caller's stream brings 50 frames a second; when none has come for so long it is pinged."""
STREAM_MISSED = 3
"""Looks in which nothing came, pongs included: the connection is dead, whatever TCP thinks."""
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
        self._providers_seen = follow_providers(self.metrics)
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
        usual = default_provider(settings.provider)
        self._model_watch = ModelWatch(usual, source.ends, lambda: self._network)
        self._retention = Retention(self._pool, Recordings(settings.freeswitch.recordings_dir))
        self.journal = Journal(Path(settings.storage.spool_dir), self._pool)
        worker = self.journal.worker
        places = settings.esl.total_capacity or None
        self._leases = CallLeases(self._pool, worker, total_limit=places)
        told = BudgetTeller(self._record, self.metrics)
        self.budget = budget = BudgetGuard(self._pool, on_reached=told)
        self._admission = Admission(budget, self._leases)
        self._ledger = UsageLedger(prices, budget, self._record, self.metrics)
        purse = Purse(self._ledger, budget)
        self._systems = tenant_systems(settings, source, self._pool, purse.book_embedding)
        self._book = CallBook(self._record, self._ledger, self.metrics, self.journal)
        self._places = FusionPlaces(self._pool, settings.transfer)
        self._live = LiveFeed(dsn)
        self.pacer = Pacer()
        self._clock = PacerClock(self.pacer)
        self.manager = SessionManager(capacity=settings.esl.capacity, clock=time.monotonic)
        self.calls: Calls[Call] = Calls()
        """Found by domain and call, for whoever wants something of one."""
        self.breakers = Breakers(limits_of(settings.provider))
        self.esl = EslServer(
            listening_socket((settings.esl.listen_host, settings.esl.port), reuse_port=True),
            self._serve,
            allow=networks(settings.esl.allow),
            capacity=settings.esl.capacity,
            connect_timeout_s=settings.esl.connect_timeout_s,
            hand_back=(
                commands.execute(
                    Application.SET,
                    commands.assignment("voice_ai_outcome", Outcome.OVERFLOW.value),
                ),
            ),
            on_handed_back=self._turned_away,
        )
        self.door = open_door(settings, self._serve)
        self.returning = Returning(self._pool)
        self.view = WorkerView(
            settings=settings,
            manager=self.manager,
            esl=self.esl,
            media=lambda: self.media,
            journal=self.journal,
            config=self.config,
            providers_seen=self._providers_seen,
            breakers=self.breakers,
            register=lambda: self.register,
            port=lambda: self.port,
            errands_counted=lambda: self.errands.counters,
        )
        self.talks = BrowserDoor(settings.http.admin_token, lambda: self._desk, self._pool)
        self.media = MediaServer(
            (settings.media.listen_host, settings.media.port + settings.worker.index),
            self.manager,
            HttpPages(settings.http, self.metrics, self.view, self._api(source)),
            keepalive=KeepAlive(STREAM_LOOK_S, STREAM_MISSED, only_silent=True),
            talk=self.talks,
        )
        self._heartbeat = Heartbeat(os.environ)
        self.register = WorkerRegister(self._pool, self.view.describe)
        self.speech = SpeechKeeper(
            settings.speech,
            SpeechDemand(
                self._pool, settings.provider.name, always=bool(settings.speech.turn_model)
            ),
        )
        self.port = SharedPort(
            self.esl,
            self._pool,
            self.journal.worker,
            tell=self.register.beat,
            anywhere=settings.esl.leave_port_to == "installation",
        )
        outgoing = Outgoing(settings.freeswitch, self.door, self._serve, self.view.is_ready)
        may = self._admission.judge
        self.outbound = OutboundService(self._pool, self.config, outgoing, worker, may)
        self.errands, self._embedding_desk = errands_of(settings, dsn, source, worker, purse)
        self._background: list[gevent.Greenlet[..., None]] = []

    def start(self) -> None:
        """Warm everything, then open the ports: the first call is no slower than the tenth."""
        if not self.settings.media.compiled:
            core.forgo()
        self.metrics.set(MEDIA_CORE_INFO, core.running(), value=1)
        resampler.warm_up()
        phrases.warm_up()
        hold_music.warm_up()
        self._network = provider_network(self.settings)
        self.config.start()
        self._leases.start()
        self.journal.start()
        self._clock.start()
        self.manager.start()
        self.media.start()
        self._desk = self._shared()
        at = self.settings
        self._background = [
            forever("statsd", StatsdFlusher(self.metrics, at.statsd, at.worker.index).run),
            forever("hub_lag", HubLag(self.metrics).run),
            forever("retention", self._retention.run),
            forever("model_ends", self._model_watch.run),
            forever("outbound", self.outbound.run),
            gevent.spawn(self._systems.warm_up),
            forever("errands", self.errands.run),
            forever("embeddings", self._embedding_desk.run),
            forever("garbage", GarbageWatch(lambda: self.esl.active_calls).run),
        ]
        self.metrics.on_sample(self._sample)
        follow_listeners(self.metrics, self.media, self.esl)
        follow_storage(self.metrics, self.journal, self._pool, self.config)
        follow_media(self.metrics, self.pacer, self.manager)
        follow_calls(self.metrics, self.manager, self.budget, (self.calls, self.talks.calls))
        follow_people(self.metrics, self.door, self.returning)
        follow_workers(self.metrics, self.register, self.port)
        follow_speech(self.metrics, self.speech)
        follow_breakers(self.metrics, self.breakers)
        follow_errands(self.metrics, self.errands.counters)
        if self._log_writer is not None:
            follow_log(self.metrics, self._log_writer)
        calm_garbage_collector()
        self.esl.start()
        self.door.start()
        self.register.start()
        self.speech.start()
        self.port.start()
        self._heartbeat.start()
        _log.info("app.ready", esl=self.esl.address, media=self.media.address)

    def reload(self) -> None:
        """Read prices, the provider's CA file and every tenant's settings again."""
        _log.info("app.reloading")
        self._network = read_again(self.settings, self._network, self._ledger)
        self.config.invalidate()
        _log.info("app.reloaded")

    def drain(self) -> None:
        """Take no new calls, let the running ones end, then stop. May wait for minutes."""
        if self.manager.draining:
            return
        _log.info("app.draining", calls=len(self.calls))
        self.manager.draining = True
        self.port.stop()
        self.esl.close_listener()
        self.door.close()
        gevent.spawn(self.register.beat)  # the others need not wait for the next one
        self._wait_for_calls(self.settings.worker.drain_deadline_s)
        for call in (*self.calls, *self.talks.calls):
            call.drain()
        self._wait_for_calls(GOODBYE_S)
        self.stop()

    def stop(self) -> None:
        """End everything now; what has ended stays so."""
        if self._stopping:
            self.stopped.wait()
            return
        self._stopping = self.manager.draining = True
        with ExitStack() as last_first:  # each is stopped, whatever the others raise
            last_first.callback(self.stopped.set)
            last_first.callback(self._heartbeat.stop)
            last_first.callback(self._pool.close)
            last_first.callback(gevent.killall, self._background)
            last_first.callback(self.outbound.stop)
            last_first.callback(self.errands.stop)
            # The register forgets a worker that has nothing left to store.
            last_first.callback(lambda: self.register.stop(all_stored=self.journal.stop()))
            last_first.callback(self.speech.stop)
            last_first.callback(self._leases.stop)
            last_first.callback(self._places.stop)
            last_first.callback(self.config.stop)
            last_first.callback(self._systems.close)
            last_first.callback(self._clock.stop)
            last_first.callback(self.manager.stop)
            last_first.callback(self.media.stop, 1.0)
            last_first.callback(self._live.stop)
            last_first.callback(self.door.stop, 2.0)
            last_first.callback(self.esl.stop, 2.0)
            last_first.callback(self.port.stop)
        _log.info("app.stopped")

    def _wait_for_calls(self, deadline_s: float) -> None:
        until = time.monotonic() + deadline_s
        while self._going_on() and time.monotonic() < until:
            gevent.sleep(0.1)

    def _going_on(self) -> bool:
        return bool(self.calls or self.talks.calls or self.esl.connecting)

    def _serve(self, esl: ControllerSession, outbound: OutboundCall | None = None) -> Call:
        call = Call(esl, self._desk, outbound)
        self.calls.add(call)
        stop_counting = follow_event_socket(self.metrics, esl)
        try:
            call.run()
        finally:
            stop_counting()
            self.calls.discard(call)
        return call

    def _shared(self) -> CallDesk:
        return CallDesk(
            Reception(self.config, self._admission),
            ConversationSite(
                self.settings,
                self.manager,
                self.pacer,
                media_site(self.settings, *self.media.address),
                lambda: self._network,
                self.breakers,
                InstalledModule(self.settings.media.flavour),
                self._places,
                self._systems,
            ),
            self._book,
            self.calls,
            self.door,
            self.returning,
        )

    def _turned_away(self, esl: ControllerSession) -> None:
        """The worker was full: the tenant sees that somebody called."""
        refused = Ending("refused", Outcome.OVERFLOW.value, None, "the worker is full")
        with suppress(HandBack):  # somebody whose domain is not to be known
            identity = self._desk.reception.identify(esl.connect())
            self._book.turned_away(identity, None, refused)

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
            worker=self.journal.worker,
            view=self.view,
            circuits=self.breakers.of_domain,
            supervision=Supervision(
                self.calls,
                AwayCalls(self.settings.freeswitch, self._places, self.config.secretary_for),
            ),
            record=self._record,
            systems=self._systems,
        )
        return Api(AdminDoor(self.settings.http), resources, ROUTES, self.metrics)

    def _record(self, entry: JournalEntry, *, personal: bool) -> bool:
        kept = self.journal.record(entry, personal=personal)
        if self._watch is not None:
            self._watch(entry)
        return kept

    def _sample(self) -> None:
        self.view.set_gauges(self.metrics)
        self.metrics.set(m.API_VIEWERS, value=len(self._live))
