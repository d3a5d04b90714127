"""What every call of a worker shares."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bridge.audio.pacer import Pacer
from bridge.playout.modes import Flavour
from bridge.providers.host import Network
from bridge.session_manager import SessionManager
from esl_controller.calls.media_site import MediaSite
from esl_controller.esl.session import ControllerSession
from esl_controller.money.ledger import Record, UsageLedger
from esl_controller.routes.admission import Admission
from esl_controller.settings.table import Settings
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tenants.loader import ConfigLoader


@dataclass(frozen=True, slots=True)
class Services:
    """Made once by `app`, used by every call."""

    settings: Settings
    manager: SessionManager
    config: ConfigLoader
    admission: Admission
    ledger: UsageLedger
    record: Record
    worker: str
    """This worker's name in conversation rows, different from any other's on any host."""
    metrics: Metrics
    pacer: Pacer
    site: MediaSite
    network: Network | None
    audio_module: Callable[[ControllerSession], Flavour | None]
    """The audio module of the FreeSWITCH behind a connection, None when it has none."""
    clock: Callable[[], float] = time.monotonic
