"""What the objects of a worker count, in the names of the metrics.

The objects count for themselves, without knowing of metrics; once a second this is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

from bridge.audio.pacer import Pacer
from bridge.server import MediaServer
from bridge.session_manager import SessionManager
from esl_controller.calls.breakers import Breakers
from esl_controller.calls.door import LegDoor
from esl_controller.calls.registry import Served
from esl_controller.calls.transfer.returning import Returning
from esl_controller.database.pool import Pool
from esl_controller.errands.service import ErrandCounters
from esl_controller.esl.peer import EventSocketPeer
from esl_controller.esl.server import EslServer
from esl_controller.money.budget import BudgetGuard
from esl_controller.record.journal import Journal
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.background import failures
from esl_controller.telemetry.log import LineWriter
from esl_controller.telemetry.metrics import Metrics, Reading
from esl_controller.tenants.loader import ConfigLoader
from esl_controller.workers.register import WorkerRegister
from esl_controller.workers.shared_port import SharedPort
from esl_controller.workers.speech import SpeechKeeper

End = Callable[[], None]
"""Reads a last time and ends the reading."""


def follow_listeners(metrics: Metrics, media: MediaServer, esl: EslServer) -> End:
    """Count what both listeners refuse."""

    def read() -> Reading:
        at_media, at_esl = media.counters, esl.stats
        return {
            (m.ACCEPTED, ("media",)): at_media.accepted,
            (m.ACCEPTED, ("stream",)): at_media.upgraded,
            (m.ACCEPTED, ("esl",)): at_esl.accepted,
            (m.CALLS_BROKEN, ()): at_esl.failed_calls,
            (m.REJECTED, ("media", "refused")): at_media.refused,
            (m.REJECTED, ("media", "evicted")): at_media.evicted,
            (m.REJECTED, ("media", "overloaded")): at_media.overloaded,
            (m.REJECTED, ("esl", "address")): at_esl.refused_address,
            (m.REJECTED, ("esl", "silent")): at_esl.silent_peers,
            (m.REJECTED, ("esl", "no_connect")): at_esl.failed_connects,
            (m.CALLS_REFUSED, ("overflow",)): at_esl.handed_back,
            (m.PROTOCOL_ERRORS, ("http",)): at_media.malformed,
        }

    return metrics.follow(read)


def follow_people(metrics: Metrics, door: LegDoor, returning: Returning) -> End:
    """Count legs nobody wants, and callers who talk with somebody else."""

    def set_away() -> None:
        metrics.set(m.CALLERS_AWAY, value=len(returning))

    refused = metrics.follow(lambda: {(m.LEGS_REFUSED, ()): door.strangers})
    return _both(metrics.on_sample(set_away), refused)


def follow_storage(metrics: Metrics, journal: Journal, pool: Pool, config: ConfigLoader) -> End:
    """Count what is written and read, and what fails."""

    def read() -> Reading:
        written, connections, loads = journal.statistics, pool.statistics(), config.statistics
        return {
            (m.JOURNAL, ("durable",)): written.durable,
            (m.JOURNAL, ("stored",)): written.stored,
            (m.JOURNAL, ("rejected",)): written.rejected,
            (m.JOURNAL, ("dropped",)): written.dropped,
            (m.JOURNAL_FAILURES, ("spool",)): written.write_failures,
            (m.JOURNAL_FAILURES, ("database",)): written.flush_failures,
            (m.DATABASE_FAILURES, ("connect",)): connections.connect_failures,
            (m.DATABASE_FAILURES, ("no_connection_free",)): connections.wait_timeouts,
            (m.DATABASE_FAILURES, ("discarded",)): connections.discarded,
            (m.CONFIG_LOADS, ("loaded",)): loads.loads,
            (m.CONFIG_LOADS, ("failed",)): loads.load_failures,
            (m.CONFIG_LOADS, ("last_known_good",)): loads.last_known_good,
            (m.CONFIG_CHANGES, ()): loads.notifications,
        }

    def set_gauges() -> None:
        connections, written = pool.statistics(), journal.statistics
        metrics.set(m.SPOOL_BYTES, value=written.spool_bytes + written.queue_bytes)
        metrics.set(m.SPOOL_FREE_BYTES, value=written.free_bytes)
        metrics.set(m.DATABASE_CONNECTIONS, "in_use", value=connections.in_use)
        metrics.set(m.DATABASE_CONNECTIONS, "idle", value=connections.idle)
        metrics.set(m.DATABASE_CONNECTIONS, "waiting", value=connections.waiting)
        metrics.set(m.CONFIG_LISTENING, value=int(config.statistics.listening))

    return _both(metrics.on_sample(set_gauges), metrics.follow(read))


def follow_media(metrics: Metrics, pacer: Pacer, manager: SessionManager) -> End:
    """Count late frames, and measure the deepest answer."""

    def set_depth() -> None:
        playouts = (session.line.downlink.playout for session in manager.sessions())
        depth_ms = max((p.depth_ms for p in playouts if p is not None), default=0)
        metrics.set(m.RING_DEPTH, value=depth_ms / 1000)

    late = metrics.follow(lambda: {(m.LATE_FRAMES, ()): pacer.counters.late_frames})
    return _both(metrics.on_sample(set_depth), late)


def follow_calls(
    metrics: Metrics,
    manager: SessionManager,
    budget: BudgetGuard,
    calls: Sequence[Iterable[Served]],
) -> End:
    """Show budgets, and conversations that have outlived their call; `calls`: all there are."""

    def set_gauges() -> None:
        served = {call.key for call in itertools.chain(*calls)}
        going_on = [(session.domain_uuid, session.call_uuid) for session in manager.sessions()]
        metrics.set(m.ORPHANED_SESSIONS, value=sum(key not in served for key in going_on))
        metrics.set_only(m.BUDGET_USED, dict(budget.used()))

    return metrics.on_sample(set_gauges)


def follow_workers(metrics: Metrics, register: WorkerRegister, port: SharedPort) -> End:
    """Count what this worker does for and with the others, and what goes on beside its calls."""

    def read() -> Reading:
        return {
            (m.WORKERS_LOST, ()): register.lost_seen,
            (m.PORT_PAUSES, ()): port.pauses,
            **{(m.BACKGROUND_FAILURES, (task,)): count for task, count in failures.items()},
        }

    return metrics.follow(read)


def follow_speech(metrics: Metrics, keeper: SpeechKeeper) -> End:
    """Count what the host's speech process does for this worker, and how it does."""

    def read() -> Reading:
        counted = keeper.counters
        return {
            (m.SPEECH_STARTS, ()): counted.starts,
            (m.SPEECH_LOST, ()): counted.lost,
            (m.SPEECH_SENTENCES, ("begun",)): counted.sentences,
            (m.SPEECH_SENTENCES, ("cancelled",)): counted.cancelled,
            (m.SPEECH_SENTENCES, ("failed",)): counted.failed,
            (m.SPEECH_TURNS, ()): counted.turns,
            (m.SPEECH_REFUSED, ()): counted.refused,
            (m.SPEECH_DROPPED, ()): counted.dropped_audio_ms / 1000,
        }

    def set_gauges() -> None:
        status, counted = keeper.status, keeper.counters
        metrics.set(m.SPEECH_UP, value=int(status is not None))
        metrics.set(m.SPEECH_CPU, value=keeper.cpu_cores if status else 0.0)
        metrics.set(m.SPEECH_WAITING, value=status.waiting if status else 0)
        for metric, delays in (
            (m.SPEECH_FIRST_SOUND, counted.first_sound_s),
            (m.SPEECH_RECOGNITION, counted.recognition_s),
        ):
            while delays:
                metrics.observe(metric, value_s=delays.pop())

    return _both(metrics.on_sample(set_gauges), metrics.follow(read))


def follow_breakers(metrics: Metrics, breakers: Breakers) -> End:
    """Count providers that are passed over, by kind alone."""

    def set_open() -> None:
        states = breakers.states()
        for (kind,) in itertools.product(*m.CIRCUITS_OPEN.values):
            metrics.set(m.CIRCUITS_OPEN, kind, value=sum(states.get(kind, {}).values()))

    def read() -> Reading:
        return {
            **{(m.CIRCUITS_OPENED, (kind,)): count for kind, count in breakers.opened.items()},
            **{(m.PASSED_OVER, (kind,)): count for kind, count in breakers.passed_over.items()},
        }

    return _both(metrics.on_sample(set_open), metrics.follow(read))


def follow_errands(metrics: Metrics, counters: ErrandCounters) -> End:
    """Count errands by kind, and those that wait."""
    kinds, _ = m.ERRANDS.values

    def read() -> Reading:
        reading: dict[tuple[m.Metric, tuple[str, ...]], float] = {}
        for (kind, result), count in counters.results.items():
            labels = (kind if kind in kinds else "other", result)
            reading[m.ERRANDS, labels] = reading.get((m.ERRANDS, labels), 0) + count
        return reading

    def set_open() -> None:
        for (state,) in itertools.product(*m.ERRANDS_OPEN.values):
            metrics.set(m.ERRANDS_OPEN, state, value=counters.open.get(state, 0))

    return _both(metrics.on_sample(set_open), metrics.follow(read))


def follow_log(metrics: Metrics, writer: LineWriter) -> End:
    """Count log lines nobody could take."""
    return metrics.follow(lambda: {(m.TELEMETRY_DROPPED, ()): writer.dropped})


def follow_event_socket(metrics: Metrics, peer: EventSocketPeer) -> End:
    """Count what goes over one Event Socket connection; end it with the connection."""

    def read() -> Reading:
        stats = peer.stats
        return {
            (m.ESL_COMMANDS, ()): stats.sent_commands,
            (m.ESL_MESSAGES, ()): stats.received_messages,
            (m.PROTOCOL_ERRORS, ("freeswitch",)): stats.malformed_events + stats.unknown_messages,
        }

    return metrics.follow(read)


def _both(first: End, second: End) -> End:
    def end() -> None:
        first()
        second()

    return end
