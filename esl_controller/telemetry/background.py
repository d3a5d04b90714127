"""Work that goes on beside the calls for as long as the worker lives, and must not end unseen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import gevent
import structlog
from gevent import Greenlet

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
SETTLED_S = 60.0
"""Having run this long, the next failure is the first again."""

failures: Counter[str] = Counter()
"""How often each kind of background work of this process has failed, by name."""

_A = TypeVar("_A")
_T = TypeVar("_T")
_E = TypeVar("_E", bound=Exception)
_log = structlog.get_logger("background")


def forever(name: str, run: Callable[[], object]) -> Greenlet[..., None]:
    """Spawn `run`, which does not return; whenever it raises, log, count, wait and run it again.

    `run` must look at what there is to do before it waits: what it was about to do is not undone.
    """
    return gevent.spawn(_watched, name, run)


def in_thread(read: Callable[[_A], _T], what: _A, error: type[_E]) -> _T | _E:
    """What `read` returns or raises, done by a thread while the hub goes on.

    gevent would print what is raised in a thread, past the log.
    """

    def tried() -> _T | _E:
        try:
            return read(what)
        except error as raised:
            return raised

    result: _T | _E = gevent.get_hub().threadpool.apply(tried)
    return result


def _watched(name: str, run: Callable[[], object]) -> None:
    pause_s = FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        try:
            run()
            _log.error("background.ended", task=name)
        except Exception:  # noqa: BLE001 - boundary: the one place that keeps such work alive
            _log.exception("background.failed", task=name)
        failures[name] += 1
        if time.monotonic() - began > SETTLED_S:
            pause_s = FIRST_PAUSE_S
        gevent.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
