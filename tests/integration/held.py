"""What a process holds: greenlets and open descriptors, to be the same before and after."""

from __future__ import annotations

import gc
import os
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import gevent
from gevent import Greenlet

Held = Counter[str]


def held() -> Held:
    """Living greenlets and open descriptors, by kind."""
    gc.collect()
    kinds: Held = Counter()
    for thing in gc.get_objects():
        if isinstance(thing, Greenlet) and not thing.dead:
            kinds[f"greenlet {getattr(thing._run, '__qualname__', 'gone')}"] += 1
    for entry in Path("/proc/self/fd").iterdir():
        try:
            kinds[f"descriptor {_kind(int(entry.name), os.readlink(entry))}"] += 1
        except OSError:  # the descriptor of this very listing
            continue
    return kinds


def _kind(descriptor: int, target: str) -> str:
    if not target.startswith("socket:"):
        return target.partition(":")[0]
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        return sock.family.name


def wait_until_back_to(before: Held, now: Callable[[], Held] = held, timeout_s: float = 5) -> None:
    """Until nothing is held that was not held `before`. Raises AssertionError with the rest."""
    until = gevent.get_hub().loop.now() + timeout_s
    while more := now() - before:
        if gevent.get_hub().loop.now() > until:
            raise AssertionError(f"left over: {dict(more)}")
        gevent.sleep(0.05)
