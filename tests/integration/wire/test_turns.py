"""Readers that never run dry: each has short turns, and together at most half of the hub."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
import gevent.socket
import pytest

from bridge.wire import turns
from bridge.wire.turns import Budget, FairShare, Turn, others_first

PATIENT = 3600.0


@pytest.fixture
def now(monkeypatch):
    """A clock set by hand."""
    clock = [0.0]
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


@pytest.mark.parametrize(
    ("budget", "spends"),
    [
        (Budget(messages=10, size_bytes=10**9, time_s=PATIENT), 10),
        (Budget(messages=10**9, size_bytes=300, time_s=PATIENT), 3),
        (Budget(messages=10**9, size_bytes=10**9, time_s=0.005), 5),
    ],
    ids=["messages", "bytes", "time"],
)
def test_the_first_budget_that_is_used_up_ends_the_turn(now, budget, spends):
    share = FairShare(budget)
    turn = Turn(share)
    for count in range(1, 3 * spends + 1):
        turn.begin()
        now[0] += 0.0001 if budget.time_s == PATIENT else 0.001
        turn.spend(1, 100)
        assert share.given_way == count // spends


def test_a_reader_that_had_to_wait_has_a_new_turn(now):
    share = FairShare(Budget(messages=3, time_s=PATIENT))
    turn = Turn(share)
    for _ in range(20):
        turn.begin()
        turn.spend(2, 10)
        now[0] += turns.WAITED_S
    assert share.given_way == 0


def test_of_many_readers_one_at_a_time_goes_on(monkeypatch):
    share = FairShare(Budget(messages=1))
    going, most, done = [0], [0], [0]

    def pause(_seconds):
        going[0] += 1
        most[0] = max(most[0], going[0])
        gevent.idle()
        going[0] -= 1

    def read():
        turn = Turn(share)
        for _ in range(5):
            turn.spend(1, 1)
        done[0] += 1

    monkeypatch.setattr(turns, "gevent", SimpleNamespace(sleep=pause))
    gevent.joinall([gevent.spawn(read) for _ in range(10)], timeout=10, raise_error=True)
    assert (done[0], most[0]) == (10, 1)
    assert share.given_way == 50


def test_what_has_arrived_is_served_before_long_work_goes_on():
    near, far = gevent.socket.socketpair()
    heard: list[bytes] = []
    reader = gevent.spawn(lambda: heard.append(near.recv(9)))
    gevent.sleep(0)  # it waits for its socket
    far.sendall(b"sound")
    for _ in range(10):
        gevent.sleep(0)
    assert not heard  # why `others_first` is there
    others_first()
    assert heard == [b"sound"]
    reader.join()
    near.close()
    far.close()
