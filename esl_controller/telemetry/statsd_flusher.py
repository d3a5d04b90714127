"""Sends the metrics to StatsD, one small burst a second.

Names: `<prefix>.<host>.<worker>.<metric>.<label value>…`, such as
`voice_ai.pbx1.worker_0.calls.openai.completed`: a tree to walk, in which nothing of one worker is
overwritten by another's. Durations go as milliseconds, as StatsD's timers are.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import gevent
import statsd
import structlog

from bridge.wire.turns import others_first
from esl_controller.settings.table import Statsd
from esl_controller.telemetry.catalogue import Kind
from esl_controller.telemetry.metrics import Metrics, Series

PERIOD_S = 1.0
_DATAGRAM_BYTES = 1400
"""Fits an Ethernet frame."""
_UNSAFE = re.compile(r"[^0-9A-Za-z_-]")
log = structlog.get_logger(__name__)


class StatsdFlusher:
    """Samples once a second; sends the growth if a StatsD host is set."""

    def __init__(self, metrics: Metrics, settings: Statsd, worker_index: int) -> None:
        self._metrics = metrics
        self._settings = settings
        # Looked at once: the host's name is not asked of DNS, and may not change under a worker.
        self._path = (_UNSAFE.sub("_", socket.gethostname()), f"worker_{worker_index}")
        self._client: statsd.StatsClient | None = None
        self._sent: dict[Series, float] = {}

    def run(self) -> None:
        """Flush every second until killed, and a last time then."""
        try:
            if self._settings.host:
                self._connected()
            while True:
                gevent.sleep(PERIOD_S)
                self.flush(others_first)
        finally:
            self.flush()
            self.close()

    def close(self) -> None:
        """Give the socket back."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def flush(self, between: Callable[[], object] = lambda: None) -> None:
        """Sample and send what happened since the last time; `between`: see `Metrics.sample`."""
        self._metrics.sample(between)
        timings = self._metrics.take_timings()
        if not self._settings.host or not self._connected():
            return
        assert self._client is not None
        with self._client.pipeline() as pipe:
            for series, value_s in timings:
                pipe.timing(self._name(series), value_s * 1000)
            for series, total in self._metrics.totals().items():
                self._put(pipe, series, total)

    def _put(self, pipe: statsd.client.base.StatsClientBase, series: Series, total: float) -> None:
        if series[0].kind is Kind.GAUGE:
            pipe.gauge(self._name(series), total)
        elif series not in self._sent or total != self._sent[series]:
            # One that has not grown is sent once: a dashboard then shows 0 and not "no data".
            pipe.incr(self._name(series), total - self._sent.get(series, 0.0))
            self._sent[series] = total

    def _connected(self) -> bool:
        """Resolve the host, as the client does once when made; again next second if it fails."""
        if self._client is None:
            at = self._settings
            try:
                self._client = statsd.StatsClient(
                    at.host,
                    at.port,
                    prefix=at.prefix or None,
                    maxudpsize=_DATAGRAM_BYTES,
                    ipv6=":" in at.host,
                )
            except (OSError, UnicodeError) as error:  # unknown; or no name at all ("a..b")
                log.warning("statsd.unresolved", host=at.host, error=str(error))
        return self._client is not None

    def _name(self, series: Series) -> str:
        metric, labels = series
        values = (_UNSAFE.sub("_", label) or "none" for label in labels)
        return ".".join([*self._path, metric.statsd_name, *values])
