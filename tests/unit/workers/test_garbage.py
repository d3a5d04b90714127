"""Full collections happen when nobody hears them."""

from __future__ import annotations

import gc

import pytest

from esl_controller.workers.garbage import GarbageWatch


@pytest.fixture
def collected(monkeypatch):
    """How often everything was looked through; the collector itself rests."""
    found: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: found.append(1) or 0)
    return found


@pytest.mark.parametrize(
    ("calls", "since_full", "done"), [(0, 3, True), (1, 3, False), (0, 0, False)]
)
def test_only_in_a_quiet_moment_and_not_for_nothing(
    monkeypatch, collected, calls, since_full, done
):
    monkeypatch.setattr(gc, "get_count", lambda: (5, 2, since_full))
    assert GarbageWatch(lambda: calls).look() is done
    assert bool(collected) is done
