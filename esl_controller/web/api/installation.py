"""Handler: the workers of the installation, and how the one that was asked is doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from esl_controller import __version__
from esl_controller.database.repository import workers
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer


class WorkerStatus(_Answer, frozen=True):
    """One worker, as it last said of itself."""

    worker: str
    host: str
    esl_address: str
    """`host:port` FreeSWITCH connects to."""
    started_at: datetime
    seen_at: datetime
    alive: bool
    """Seen within the last 25 s."""
    version: str
    capacity: int
    calls: int
    draining: bool
    listening: bool
    """Its Event Socket port is open."""


class InstallationStatus(_Answer, frozen=True):
    """What a dashboard shows first. Nothing of it belongs to a tenant."""

    version: str
    """Of the worker that answers."""
    answered_by: str
    status: str
    """Of that worker: starting, healthy, degraded, unavailable, full or draining."""
    reasons: Sequence[str]
    """A sentence for each thing that is not as it should be there."""
    providers: Mapping[str, Mapping[str, float | int | None]]
    """Its last results by kind of provider: seconds since the last success and failure, and
    failures in a row."""
    calls: int
    """Of all workers that are alive."""
    capacity: int
    workers: Sequence[WorkerStatus]


def show_status(resources: Resources, _request: Request) -> InstallationStatus:
    """From the register, and from what this worker knows of itself."""
    with resources.reading() as connection:
        rows = [msgspec.convert(row, WorkerStatus) for row in workers.list_workers(connection)]
    alive = [row for row in rows if row.alive]
    view = resources.view
    return InstallationStatus(
        version=__version__,
        answered_by=resources.worker,
        status=view.status(),
        reasons=view.reasons(),
        providers=view.provider_results(),
        calls=sum(row.calls for row in alive),
        capacity=sum(row.capacity for row in alive),
        workers=rows,
    )
