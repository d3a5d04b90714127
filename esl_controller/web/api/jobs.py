"""Test calls take longer than a page may wait: they are begun, and asked after."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import gevent
import structlog

from esl_controller.web.api.problems import Problem, ProblemDetails

MAX_KEPT = 64
"""Of one worker; the oldest that is over is forgotten."""
_log = structlog.get_logger("api.jobs")
_T = TypeVar("_T")


@dataclass(slots=True)
class Job(Generic[_T]):
    """One that was begun."""

    domain_uuid: str
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: _T | None = None
    problem: ProblemDetails | None = None
    greenlet: gevent.Greenlet[..., None] | None = None

    @property
    def over(self) -> bool:
        """There is a result, or a problem."""
        return self.result is not None or self.problem is not None


class Jobs:
    """Those of one worker, by domain and key."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[tuple[str, str], Job[Any]] = OrderedDict()

    def begin(self, domain_uuid: str, work: Callable[[], Any]) -> Job[Any]:
        """Begin, and return at once."""
        job: Job[Any] = Job(domain_uuid)
        self._make_room()
        self._jobs[domain_uuid, job.key] = job
        job.greenlet = gevent.spawn(_run, job, work)
        return job

    def find(self, domain_uuid: str, key: str) -> Job[Any] | None:
        """One of the domain, while it is remembered."""
        return self._jobs.get((domain_uuid, key))

    def _make_room(self) -> None:
        for name in [name for name, job in self._jobs.items() if job.over]:
            if len(self._jobs) < MAX_KEPT:
                return
            del self._jobs[name]


def _run(job: Job[Any], work: Callable[[], Any]) -> None:
    try:
        job.result = work()
    except Problem as problem:
        job.problem = problem.details
    except Exception:  # noqa: BLE001 - boundary: whoever asks after it is told
        _log.exception("api.job_failed", domain_uuid=job.domain_uuid)
        job.problem = ProblemDetails(
            type="urn:voice-ai:problem:internal-error", title="Internal Server Error", status=500
        )
