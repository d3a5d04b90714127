"""The metrics of `telemetry.catalogue`, kept once for Prometheus and for StatsD.

Nothing here is called per audio frame. What happens per frame is counted on the objects that do
it; `follow` reads those counters once a second.
"""

from __future__ import annotations

import itertools
import platform
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import prometheus_client
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from bridge.wire.turns import others_first
from esl_controller import __version__
from esl_controller.telemetry.catalogue import (
    BUILD_INFO,
    METRICS,
    TELEMETRY_DROPPED,
    Kind,
    Metric,
)

Labels = tuple[str, ...]
"""Values in the order of `Metric.labels`."""
Series = tuple[Metric, Labels]
Reading = Mapping[Series, float]
"""What a followed object has counted since it was made."""

MAX_SERIES = 200
"""Label combinations one metric may have; any more are counted under `other`."""
MAX_TIMINGS = 500
"""Histogram values kept for one StatsD second; any more reach Prometheus only."""
OTHER = "other"
MAX_WAITING = 2000
"""Durations kept until they are sorted in, which is done once a second."""
PIECE = 3
"""Metrics written for Prometheus, or counters read, in one go."""
_Family = TypeVar("_Family", Counter, Gauge, Histogram)


class _Piece(CollectorRegistry):
    """Some of a registry's collectors, as `generate_latest` asks for them."""

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._some = collectors

    def collect(self) -> Iterable[prometheus_client.Metric]:
        for collector in self._some:
            yield from collector.collect()


class Metrics:
    """One worker's metrics. For use on the hub only: it takes no locks of its own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._families = {metric: self._family(metric) for metric in METRICS}
        self._children: dict[Series, Counter | Gauge | Histogram] = {}
        self._known: dict[Metric, set[Labels]] = defaultdict(set)
        self._counted: dict[Series, float] = {}
        self._shown: dict[Series, float] = {}
        """Of what was counted, what Prometheus' counters have: they follow when they are asked for.
        Theirs cost ten times as much to add to."""
        self._set: dict[Series, float] = {}
        self._observed: list[tuple[Metric, Labels, float]] = []
        """Durations to be sorted in: together they find the caches warm."""
        self._timings: list[tuple[Series, float]] = []
        self._watchers: dict[Metric, Callable[[Labels], None]] = {}
        self._hooks: dict[object, Callable[[], None]] = {}
        self._collectors = (
            # Memory, CPU, descriptors and start of the process; rounds of the garbage collector.
            ProcessCollector(registry=self._registry),
            GCCollector(registry=self._registry),
            *self._families.values(),
        )
        for metric in METRICS:
            self._start_at_zero(metric)
        running = (__version__, platform.python_version())
        self._child(BUILD_INFO, Gauge, running).set(1)  # a label, no value that StatsD could use

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        series = (metric, labels)
        if series not in self._counted:
            series = (metric, self._bounded(metric, labels))
            self._child(metric, Counter, series[1])
            self._counted.setdefault(series, 0.0)
        self._counted[series] += by
        if by and (watcher := self._watchers.get(metric)) is not None:
            watcher(series[1])

    def set(self, metric: Metric, *labels: str, value: float) -> None:
        """Set a gauge."""
        labels = self._bounded(metric, labels)
        self._child(metric, Gauge, labels).set(value)
        self._set[metric, labels] = value

    def set_only(self, metric: Metric, values: Mapping[Labels, float]) -> None:
        """Set a gauge for these labels, and forget it for all others."""
        for labels in self._known[metric] - set(values):
            self._families[metric].remove(*labels)
            self._children.pop((metric, labels), None)
            self._set.pop((metric, labels), None)
            self._known[metric].discard(labels)
        for labels, value in values.items():
            self.set(metric, *labels, value=value)

    def observe(self, metric: Metric, *labels: str, value_s: float) -> None:
        """Put a duration in seconds into a histogram."""
        if metric.kind is not Kind.HISTOGRAM:
            raise TypeError(f"{metric.name} is a {metric.kind.value}")
        self._observed.append((metric, labels, value_s))
        if len(self._observed) >= MAX_WAITING:
            self._sort_in()

    def _sort_in(self) -> None:
        observed, self._observed = self._observed, []
        for metric, given, value_s in observed:
            labels = self._bounded(metric, given)
            self._child(metric, Histogram, labels).observe(value_s)
            if len(self._timings) < MAX_TIMINGS:
                self._timings.append(((metric, labels), value_s))
            else:
                self.count(TELEMETRY_DROPPED)

    def on_count(self, metric: Metric, watcher: Callable[[Labels], None]) -> None:
        """Call `watcher` with the labels each time a counter grows; it must not wait."""
        self._watchers[metric] = watcher

    def on_sample(self, hook: Callable[[], None]) -> Callable[[], None]:
        """Call `hook` once a second (to set gauges); the returned function ends that."""
        key = object()
        self._hooks[key] = hook

        def end() -> None:
            self._hooks.pop(key, None)

        return end

    def follow(self, read: Callable[[], Reading]) -> Callable[[], None]:
        """Count what the counters of `read` have grown by, once a second.

        Returns:
            A function that reads a last time and ends it: call it when the object goes away.
        """
        seen: dict[Series, float] = {}

        def add_growth() -> None:
            for series, total in read().items():
                if growth := total - seen.get(series, 0.0):
                    self.count(series[0], *series[1], by=growth)
                    seen[series] = total

        return self._until_end(add_growth)

    def follow_all(
        self, series: Sequence[Series], read: Callable[[], tuple[float, ...]]
    ) -> Callable[[], None]:
        """The same for what there are many of: `read` gives the counts of `series` in its order."""
        seen: tuple[float, ...] = (0.0,) * len(series)

        def add_growth() -> None:
            nonlocal seen
            before, seen = seen, read()
            for one, total, old in zip(series, seen, before, strict=True):
                if total != old:
                    self.count(one[0], *one[1], by=total - old)

        return self._until_end(add_growth)

    def _until_end(self, add_growth: Callable[[], None]) -> Callable[[], None]:
        stop = self.on_sample(add_growth)

        def end() -> None:
            stop()
            add_growth()

        return end

    def sample(self, between: Callable[[], object] = lambda: None) -> None:
        """Run every hook of `on_sample` and `follow` now, and sort durations in.

        `between` is called after every few of them, and may let the calls have their turn.
        """
        for number, key in enumerate(tuple(self._hooks), 1):
            hook = self._hooks.get(key)
            if hook is not None:
                hook()
            if number % PIECE == 0:
                between()
        self._sort_in()

    def totals(self) -> dict[Series, float]:
        """Counters and gauges as they stand."""
        return self._counted | self._set

    def take_timings(self) -> list[tuple[Series, float]]:
        """Histogram values since the last call, in seconds."""
        self._sort_in()
        taken, self._timings = self._timings, []
        return taken

    def exposition(self) -> bytes:
        """The Prometheus text format, version 0.0.4, as it stands now.

        Takes some milliseconds of work, so it is done in pieces: between them the calls have their
        turn. Not for callbacks of the hub.
        """
        self.sample(others_first)
        self._show_counters()
        pieces = []
        for start in range(0, len(self._collectors), PIECE):
            piece = _Piece(self._collectors[start : start + PIECE])
            pieces.append(generate_latest(piece))
            others_first()
        return b"".join(pieces)

    def _show_counters(self) -> None:
        for series, total in self._counted.items():
            if growth := total - self._shown.get(series, 0.0):
                self._child(series[0], Counter, series[1]).inc(growth)
                self._shown[series] = total

    def _family(self, metric: Metric) -> Counter | Gauge | Histogram:
        common = (metric.name, metric.help, metric.labels)
        match metric.kind:
            case Kind.COUNTER:
                return Counter(*common, registry=self._registry)
            case Kind.GAUGE:
                return Gauge(*common, registry=self._registry)
            case Kind.HISTOGRAM:
                return Histogram(*common, buckets=metric.buckets, registry=self._registry)

    def _start_at_zero(self, metric: Metric) -> None:
        """Showing 0 before the first event lets a rate see it."""
        if metric.kind is Kind.COUNTER:
            for labels in itertools.product(*metric.values):
                self.count(metric, *labels, by=0)
        elif metric.kind is Kind.HISTOGRAM:
            for labels in itertools.product(*metric.values):
                self._child(metric, Histogram, labels)
        elif metric.kind is Kind.GAUGE and not metric.labels:
            self._set[metric, ()] = 0.0

    def _bounded(self, metric: Metric, labels: Labels) -> Labels:
        known = self._known[metric]
        if labels not in known:
            if len(known) >= MAX_SERIES:
                labels = (OTHER,) * len(labels)
            known.add(labels)
        return labels

    def _child(self, metric: Metric, kind: type[_Family], labels: Labels) -> _Family:
        child = self._children.get((metric, labels))
        if child is None:
            family = self._families[metric]
            child = family.labels(*labels) if labels else family
            self._children[metric, labels] = child
        if not isinstance(child, kind):
            raise TypeError(f"{metric.name} is a {metric.kind.value}")
        return child
