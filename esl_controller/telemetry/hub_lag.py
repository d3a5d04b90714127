"""A heartbeat: how late the hub runs what is due, which is how late audio would be."""

from __future__ import annotations

import time

import gevent

from esl_controller.telemetry.catalogue import HUB_LAG
from esl_controller.telemetry.metrics import Metrics
from esl_controller.telemetry.rare_log import RareLog

PERIOD_S = 0.1
HEARD_S = 0.1
"""Callers hear a hub that was blocked so long: worth a line in the log, at most one a minute."""


class HubLag:
    """Sleeps and looks at the clock."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._late = RareLog("hub.late")

    def run(self) -> None:
        """Beat for ever; spawn it, and kill it at the end."""
        while True:
            due = time.monotonic() + PERIOD_S
            gevent.sleep(PERIOD_S)
            self.beat(time.monotonic() - due)

    def beat(self, lag_s: float) -> None:
        """Note one lateness."""
        lag_s = max(0.0, lag_s)
        self._metrics.observe(HUB_LAG, value_s=lag_s)
        if lag_s >= HEARD_S:
            self._late.warn(lag_ms=round(lag_s * 1000))
