"""What the worker's objects count reaches the metrics, under the right name, once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bridge.audio.pacer import Pacer
from bridge.playout.counters import PlayoutCounters
from bridge.server import ServerCounters
from bridge.session.downlink import DownlinkCounters
from bridge.session.uplink import UplinkCounters
from esl_controller import worker_counters
from esl_controller.calls.counters import follow_session
from esl_controller.database.pool import PoolStatistics
from esl_controller.esl.connection import ConnectionStats
from esl_controller.esl.server import ServerStats
from esl_controller.record.flusher import JournalStatistics
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tenants.loader import LoaderStatistics


def holder(**attributes: Any) -> Any:
    """An object of the worker, as far as its counters go."""
    return SimpleNamespace(**attributes)


def counted(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Everything that is not zero."""
    return {
        (metric.name.removeprefix("voice_ai_realtime_"), labels): value
        for (metric, labels), value in metrics.totals().items()
        if value
    }


def test_listeners() -> None:
    metrics = Metrics()
    media = holder(counters=ServerCounters(refused=1, malformed=2, evicted=3, overloaded=4))
    esl = holder(
        stats=ServerStats(refused_address=5, handed_back=6, silent_peers=7, failed_connects=8)
    )
    worker_counters.follow_listeners(metrics, media, esl)()
    assert counted(metrics) == {
        ("rejected_connections_total", ("media", "refused")): 1,
        ("protocol_errors_total", ("http",)): 2,
        ("rejected_connections_total", ("media", "evicted")): 3,
        ("rejected_connections_total", ("media", "overloaded")): 4,
        ("rejected_connections_total", ("esl", "address")): 5,
        ("calls_refused_total", ("overflow",)): 6,
        ("rejected_connections_total", ("esl", "silent")): 7,
        ("rejected_connections_total", ("esl", "no_connect")): 8,
    }


def test_storage() -> None:
    metrics = Metrics()
    journal = holder(
        statistics=JournalStatistics(
            durable=1, stored=2, rejected=3, dropped=4, write_failures=5, flush_failures=6,
            queue_bytes=10, spool_bytes=20, free_bytes=40,
        )
    )  # fmt: skip
    connections = PoolStatistics(
        4, in_use=1, idle=2, waiting=3, discarded=7, wait_timeouts=8, connect_failures=9
    )
    loads = LoaderStatistics(
        loads=11, load_failures=12, last_known_good=13, notifications=14, listening=True
    )
    config = holder(statistics=loads)
    end = worker_counters.follow_storage(
        metrics, journal, holder(statistics=lambda: connections), config
    )
    metrics.sample()
    end()
    assert counted(metrics) == {
        ("journal_records_total", ("durable",)): 1,
        ("journal_records_total", ("stored",)): 2,
        ("journal_records_total", ("rejected",)): 3,
        ("journal_records_total", ("dropped",)): 4,
        ("journal_failures_total", ("spool",)): 5,
        ("journal_failures_total", ("database",)): 6,
        ("spool_bytes", ()): 30,
        ("spool_free_bytes", ()): 40,
        ("database_connections", ("in_use",)): 1,
        ("database_connections", ("idle",)): 2,
        ("database_connections", ("waiting",)): 3,
        ("database_failures_total", ("discarded",)): 7,
        ("database_failures_total", ("no_connection_free",)): 8,
        ("database_failures_total", ("connect",)): 9,
        ("config_loads_total", ("loaded",)): 11,
        ("config_loads_total", ("failed",)): 12,
        ("config_loads_total", ("last_known_good",)): 13,
        ("config_changes_total", ()): 14,
        ("config_listening", ()): 1,
    }


def test_calls() -> None:
    """A conversation without its call, and budgets; a domain that calls no more is forgotten."""
    metrics = Metrics()
    sessions = [holder(domain_uuid="d", call_uuid=name) for name in ("a", "b")]
    shares = {("d", "day"): 0.5}
    end = worker_counters.follow_calls(
        metrics,
        holder(sessions=lambda: sessions),
        holder(used=lambda: shares.items()),
        ([holder(key=("d", "a"))], [holder(key=None)]),
    )
    metrics.sample()
    assert counted(metrics) == {
        ("orphaned_sessions", ()): 1,
        ("budget_used_ratio", ("d", "day")): 0.5,
    }
    shares.clear()
    sessions.pop()
    metrics.sample()
    end()
    assert counted(metrics) == {}
    assert b'domain="d"' not in metrics.exposition()


def session(playout: Any = None) -> Any:
    return holder(
        line=holder(
            downlink=holder(counters=DownlinkCounters(), playout=playout),
            uplink=holder(counters=UplinkCounters()),
        ),
    )


def test_media() -> None:
    metrics, pacer = Metrics(), Pacer()
    pacer.counters.late_frames = 2
    playouts = [holder(depth_ms=300), None, holder(depth_ms=4000)]
    manager = holder(sessions=lambda: [session(playout) for playout in playouts])
    end = worker_counters.follow_media(metrics, pacer, manager)
    metrics.sample()
    end()
    assert counted(metrics) == {("late_frames_total", ()): 2, ("ring_depth_seconds", ()): 4}
    manager.sessions = list
    worker_counters.follow_media(metrics, pacer, manager)
    metrics.sample()
    assert metrics.totals()[m.RING_DEPTH, ()] == 0


def test_a_session_whose_line_was_opened_twice_loses_no_frame() -> None:
    metrics, talk = Metrics(), session()
    end = follow_session(metrics, talk)
    metrics.sample()
    first = holder(counters=PlayoutCounters(frames_sent=10, underruns=1, dropped_bytes=5))
    talk.line.downlink.playout = first
    metrics.sample()
    metrics.sample()
    first.counters.frames_sent += 7  # after the last sample, before the line was lost
    talk.line.downlink.playout = None
    metrics.sample()
    talk.line.downlink.playout = holder(counters=PlayoutCounters(frames_sent=100))
    talk.line.uplink.counters = UplinkCounters(chunks=50, held_dropped_bytes=640)
    talk.line.downlink.counters = DownlinkCounters(chunks=20, early_dropped_bytes=320)
    end()
    assert counted(metrics) == {
        ("audio_chunks_total", ("caller_in",)): 50,
        ("audio_chunks_total", ("provider_in",)): 20,
        ("audio_chunks_total", ("caller_out",)): 117,
        ("underruns_total", ()): 1,
        ("dropped_audio_bytes_total", ("answer",)): 5,
        ("dropped_audio_bytes_total", ("before_provider",)): 640,
        ("dropped_audio_bytes_total", ("before_line",)): 320,
    }


def test_event_socket() -> None:
    metrics = Metrics()
    stats = ConnectionStats(
        sent_commands=3, received_messages=9, malformed_events=1, unknown_messages=2
    )
    worker_counters.follow_event_socket(metrics, holder(stats=stats))()
    assert counted(metrics) == {
        ("esl_commands_total", ()): 3,
        ("esl_messages_total", ()): 9,
        ("protocol_errors_total", ("freeswitch",)): 3,
    }


def test_log() -> None:
    metrics, writer = Metrics(), holder(dropped=0)
    end = worker_counters.follow_log(metrics, writer)
    writer.dropped = 4
    end()
    assert counted(metrics) == {("telemetry_dropped_total", ()): 4}


@pytest.mark.parametrize("name", ["follow_listeners", "follow_storage", "follow_media"])
def test_what_is_followed_can_be_ended(name: str) -> None:
    metrics, zero = (
        Metrics(),
        holder(counters=ServerCounters(), stats=ServerStats(), statistics=JournalStatistics()),
    )
    arguments = {
        "follow_listeners": (zero, zero),
        "follow_storage": (
            zero, holder(statistics=lambda: PoolStatistics(1)),
            holder(statistics=LoaderStatistics()),
        ),
        "follow_media": (Pacer(), holder(sessions=list)),
    }[name]  # fmt: skip
    end = getattr(worker_counters, name)(metrics, *arguments)
    assert metrics._hooks
    end()
    assert not metrics._hooks
