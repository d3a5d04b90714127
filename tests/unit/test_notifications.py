"""A flood of notifications is taken in portions, others having their turn in between."""

from __future__ import annotations

from types import SimpleNamespace

import gevent

from esl_controller.database.notifications import MAX_PAYLOADS, NotificationListener


def test_a_flood_is_taken_in_portions() -> None:
    flood = [SimpleNamespace(payload=str(n)) for n in range(2 * MAX_PAYLOADS + 5)]
    listener = object.__new__(NotificationListener)
    listener._connection = SimpleNamespace(notifies=flood)
    turns: list[int] = []
    taken: list[str] = []
    while flood:
        gevent.spawn(turns.append, len(taken))
        taken += listener.receive(1.0)
    assert taken == [str(n) for n in range(2 * MAX_PAYLOADS + 5)]
    assert turns == [0, MAX_PAYLOADS, 2 * MAX_PAYLOADS]
