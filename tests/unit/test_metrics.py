"""Metrics: one table, two ways out, nothing lost between samples, nothing without limit."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.event
import pytest
from gevent import socket
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from bridge.providers.base import ErrorKind
from esl_controller.routes.routing import Outcome
from esl_controller.settings.table import Statsd
from esl_controller.telemetry import catalogue
from esl_controller.telemetry.catalogue import METRICS, ErrorCode, Kind, Metric, OwnError
from esl_controller.telemetry.hub_lag import HubLag
from esl_controller.telemetry.metrics import MAX_SERIES, MAX_TIMINGS, PIECE, Metrics
from esl_controller.telemetry.statsd_flusher import StatsdFlusher

Closing = Callable[[StatsdFlusher], StatsdFlusher]
UNLIMITED = {"domain", "domain_uuid", "call", "call_uuid", "caller", "caller_id", "tenant"}
UNLIMITED |= {"extension", "destination", "number", "session", "message", "secretary"}


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        (sample.name, tuple(sample.labels.values())): float(sample.value)
        for family in families
        for sample in family.samples
    }


def test_the_names_of_the_specification_are_there() -> None:
    assert {
        "voice_ai_realtime_calls_total",
        "voice_ai_realtime_response_latency_seconds",
        "voice_ai_realtime_active_sessions",
        "voice_ai_realtime_audio_chunks_total",
    } <= {metric.name for metric in METRICS}
    assert [code.value for code in ErrorCode] == [f"REALTIME_{n:03}" for n in range(1, 11)]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_well_formed(metric: Metric) -> None:
    assert re.fullmatch(r"voice_ai_realtime_[a-z_]+", metric.name)
    assert metric.help.endswith(".")
    allowed = (
        {"domain"} if metric is catalogue.BUDGET_USED else set()
    )  # bounded, and its UUID alone
    assert not UNLIMITED & set(metric.labels) - allowed
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    if metric.kind is Kind.HISTOGRAM:
        assert metric.name.endswith("_seconds")


def test_no_name_is_used_twice() -> None:
    assert max(Counter(metric.name for metric in METRICS).values()) == 1


def test_counters_gauges_and_histograms_reach_the_exposition() -> None:
    metrics = Metrics()
    metrics.count(catalogue.CALLS, "openai", "completed")
    metrics.count(catalogue.CALLS, "openai", "completed", by=2)
    metrics.set(catalogue.ACTIVE_SESSIONS, value=5)
    metrics.observe(catalogue.RESPONSE_LATENCY, "openai", value_s=0.45)
    found = samples(metrics)
    assert found["voice_ai_realtime_calls_total", ("completed", "openai")] == 3
    assert found["voice_ai_realtime_active_sessions", ()] == 5
    assert found["voice_ai_realtime_response_latency_seconds_bucket", ("0.5", "openai")] == 1
    assert found["voice_ai_realtime_response_latency_seconds_bucket", ("0.4", "openai")] == 0
    assert found["voice_ai_realtime_response_latency_seconds_sum", ("openai",)] == 0.45


def test_counters_show_before_their_first_event() -> None:
    found = samples(Metrics())
    assert found["voice_ai_realtime_late_frames_total", ()] == 0
    assert found["voice_ai_realtime_calls_refused_total", ("overflow",)] == 0
    assert found["voice_ai_realtime_calls_total", ("failed", "gemini")] == 0


@pytest.mark.parametrize(
    ("label", "values"),
    [
        (catalogue.CALLS_REFUSED.values[0], {one.value for one in Outcome} - {"realtime"}),
        (catalogue.ERRORS.values[0], {code.value for code in (*ErrorCode, *OwnError)}),
        (catalogue.PROVIDER_FAILURES.values[1], {kind.value for kind in ErrorKind}),
        (catalogue.BUDGETS_REACHED.values[0], {"warning", "exhausted"}),
    ],
)
def test_the_catalogue_knows_the_values_of_its_labels(
    label: tuple[str, ...], values: set[str]
) -> None:
    assert set(label) == values


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_no_unit_is_smaller_than_its_base(metric: Metric) -> None:
    """Prometheus' naming: seconds and bytes."""
    assert not metric.name.removesuffix("_total").endswith(("_ms", "_milliseconds", "_kb"))


def test_a_worker_tells_of_its_process_and_of_its_version() -> None:
    found = {name for name, _ in samples(Metrics())}
    assert {
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_start_time_seconds",
        "python_gc_collections_total",
        "voice_ai_realtime_build_info",
    } <= found


@pytest.mark.parametrize("call", ["count", "set", "observe"])
def test_a_metric_used_as_another_kind_is_our_mistake(call: str) -> None:
    metrics = Metrics()
    wrong: dict[str, Any] = {
        "count": lambda: metrics.count(catalogue.ACTIVE_SESSIONS),
        "set": lambda: metrics.set(catalogue.LATE_FRAMES, value=1),
        "observe": lambda: metrics.observe(catalogue.LATE_FRAMES, value_s=1),
    }
    with pytest.raises(TypeError, match="voice_ai_realtime_"):
        wrong[call]()


def test_labels_have_a_limit() -> None:
    metrics = Metrics()
    for number in range(MAX_SERIES + 50):
        metrics.count(catalogue.CALLS_REFUSED, f"reason-{number}")
    found = {k: v for k, v in samples(metrics).items() if "calls_refused" in k[0]}
    known = len(catalogue.CALLS_REFUSED.values[0])
    assert len(found) == MAX_SERIES + 1
    assert found["voice_ai_realtime_calls_refused_total", ("other",)] == 50 + known


def test_timings_kept_for_statsd_have_a_limit_and_a_counter() -> None:
    metrics = Metrics()
    for _ in range(MAX_TIMINGS + 3):
        metrics.observe(catalogue.HUB_LAG, value_s=0.001)
    assert len(metrics.take_timings()) == MAX_TIMINGS
    assert metrics.take_timings() == []
    assert metrics.totals()[catalogue.TELEMETRY_DROPPED, ()] == 3
    assert samples(metrics)["voice_ai_realtime_hub_lag_seconds_count", ()] == MAX_TIMINGS + 3


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=8), st.booleans())
def test_followed_counters_lose_nothing_and_count_nothing_twice(
    growth: list[list[int]], end: bool
) -> None:
    """However a counter grows between samples, and after its object is gone."""
    metrics, total = Metrics(), 0

    def read() -> dict[tuple[Metric, tuple[str, ...]], float]:
        return {(catalogue.AUDIO_CHUNKS, ("caller_in",)): total}

    stop = metrics.follow(read)
    for steps in growth:
        total += sum(steps)
        metrics.sample()
    total += 7
    stop() if end else metrics.sample()
    counted = metrics.totals()[catalogue.AUDIO_CHUNKS, ("caller_in",)]
    assert counted == total
    if end:
        total += 100
        metrics.sample()
        assert metrics.totals()[catalogue.AUDIO_CHUNKS, ("caller_in",)] == counted


def test_ending_twice_is_harmless() -> None:
    metrics = Metrics()
    stop = metrics.follow(lambda: {(catalogue.DTMF, ()): 2})
    stop()
    stop()
    assert metrics.totals()[catalogue.DTMF, ()] == 2


def test_a_sampling_hook_may_end_another() -> None:
    metrics = Metrics()
    ends = [metrics.on_sample(lambda: ends[1]())]
    ends.append(metrics.on_sample(lambda: metrics.set(catalogue.RING_DEPTH, value=3)))
    metrics.sample()
    metrics.sample()
    assert metrics.totals()[catalogue.RING_DEPTH, ()] == 0  # not run any more


def test_gauges_are_sampled_when_they_are_asked_for() -> None:
    metrics = Metrics()
    metrics.on_sample(lambda: metrics.set(catalogue.ACTIVE_SESSIONS, value=9))
    assert samples(metrics)["voice_ai_realtime_active_sessions", ()] == 9


class Receiver:
    """A StatsD that keeps what it gets."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)

    def settings(self, **changes: Any) -> Statsd:
        host, port = self.socket.getsockname()
        return Statsd(host=host, port=port, prefix="test", **changes)

    def lines(self, until: str) -> list[str]:
        """Lines of the datagrams up to the one with `until`."""
        found: list[str] = []
        while not any(until in line for line in found):
            datagram = self.socket.recv(65536)
            assert len(datagram) <= 1400
            found += datagram.decode().split("\n")
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.socket.close()


@pytest.fixture
def closing() -> Iterator[Closing]:
    with contextlib.ExitStack() as stack:

        def keep(flusher: StatsdFlusher) -> StatsdFlusher:
            stack.callback(flusher.close)
            return flusher

        yield keep


PATH = f"test.{re.sub(r'[^0-9A-Za-z_-]', '_', socket.gethostname())}.worker_{{}}"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_statsd_names_say_nothing_twice(metric: Metric) -> None:
    """Neither our prefix, nor the type StatsD knows, nor seconds for what are milliseconds."""
    assert not metric.statsd_name.startswith("voice_ai")
    assert not metric.statsd_name.endswith("_total")
    if metric.kind is Kind.HISTOGRAM:
        assert not metric.statsd_name.endswith("_seconds")


def test_statsd_gets_growth_gauges_by_worker_and_milliseconds(
    receiver: Receiver, closing: Closing
) -> None:
    metrics = Metrics()
    flusher = closing(StatsdFlusher(metrics, receiver.settings(), worker_index=2))
    metrics.count(catalogue.CALLS, "open ai.x", "completed", by=4)
    metrics.set(catalogue.ACTIVE_SESSIONS, value=3)
    metrics.observe(catalogue.BARGE_IN, value_s=0.0125)
    flusher.flush()
    lines = receiver.lines(until="open_ai_x")
    assert f"{PATH.format(2)}.calls.open_ai_x.completed:4.0|c" in lines
    assert any(line.startswith(f"{PATH.format(2)}.calls.openai.failed:0") for line in lines)
    assert f"{PATH.format(2)}.active_sessions:3|g" in lines
    assert f"{PATH.format(2)}.barge_in:12.500000|ms" in lines
    metrics.count(catalogue.CALLS, "open ai.x", "completed")
    flusher.flush()
    lines = receiver.lines(until="open_ai_x.completed:1.0|c")
    assert not [line for line in lines if line.endswith("|ms")]


def test_many_values_travel_in_datagrams_that_fit(receiver: Receiver, closing: Closing) -> None:
    metrics = Metrics()
    new = MAX_SERIES - len(ErrorCode) - len(OwnError)
    for number in range(new):
        metrics.count(catalogue.ERRORS, f"code_{number:03}")
    closing(StatsdFlusher(metrics, receiver.settings(), 0)).flush()
    last = f"code_{new - 1:03}"
    assert len([x for x in receiver.lines(last) if "code_" in x]) == new


def test_without_a_host_the_flusher_still_samples() -> None:
    metrics, sampled = Metrics(), []
    metrics.on_sample(lambda: sampled.append(1))
    metrics.observe(catalogue.HUB_LAG, value_s=1)
    StatsdFlusher(metrics, Statsd(), 0).flush()
    assert sampled == [1]
    assert metrics.take_timings() == []


def test_a_host_that_cannot_be_resolved_is_tried_again(
    receiver: Receiver, closing: Closing
) -> None:
    metrics = Metrics()
    flusher = closing(StatsdFlusher(metrics, Statsd(host="a..b"), 0))
    flusher.flush()
    metrics.count(catalogue.DTMF)
    flusher._settings = receiver.settings()
    flusher.flush()
    assert f"{PATH.format(0)}.dtmf:1.0|c" in receiver.lines("dtmf:1")


def test_flusher_and_heartbeat_run_until_killed(receiver: Receiver) -> None:
    metrics = Metrics()
    sampled, lag = gevent.event.Event(), HubLag(metrics)
    metrics.on_sample(sampled.set)
    flusher = StatsdFlusher(metrics, receiver.settings(), 0)
    greenlets = [gevent.spawn(flusher.run), gevent.spawn(lag.run)]
    assert sampled.wait(5)
    metrics.count(catalogue.DTMF)
    gevent.killall(greenlets)
    assert f"{PATH.format(0)}.dtmf:1.0|c" in receiver.lines("dtmf:1")
    assert samples(metrics)["voice_ai_realtime_hub_lag_seconds_count", ()] >= 1


def test_an_exposition_lets_the_calls_have_their_turn() -> None:
    """It takes milliseconds, and the hub carries all calls' audio."""
    turns: list[int] = []

    def tick() -> None:
        while True:
            turns.append(1)
            gevent.sleep(0)

    ticking = gevent.spawn(tick)
    Metrics().exposition()
    ticking.kill()
    assert len(turns) >= len(METRICS) // PIECE
