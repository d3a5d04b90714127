"""From stamps of two processes to delays."""

from __future__ import annotations

import pytest

from bench.__main__ import planned
from bench.figures import replies_ms, since_ms
from bench.machine import Meanwhile, starved
from bench.pair import spoilt

QUIET = Meanwhile(1.0, 3.0, 0.5, 0.0, 2.0)


def test_an_answer_given_anew_counts_from_its_own_beginning():
    """The provider began one at 20.83 that was kept back; the one heard began at 20.98."""
    kept_back = [16.0, 20.83, 20.98]
    assert since_ms([16.001, 20.982], kept_back) == pytest.approx([1, 2])
    assert since_ms([2.0, 30.0], kept_back) == []  # a greeting, something gone on with


def test_replies_are_told_from_replies_to_an_interruption():
    words = [(3.4, 4.6), (6.0, 7.2), (30.0, 31.0)]
    begins, ends = [0.0, 4.95, 7.65], [2.0, 6.04]
    waited, interrupted = replies_ms(words, begins, ends)
    assert waited == pytest.approx([350])
    assert interrupted == pytest.approx([450])


@pytest.mark.parametrize(
    ("meanwhile", "late", "uplink", "first", "why"),
    [
        (QUIET, 0, 2.0, 3.0, ""),
        (QUIET, 0, None, None, ""),
        (Meanwhile(25.0, 90.0, 9.0, 0.0, 150.0), 0, 2.0, 3.0, "an idle process"),
        (QUIET, 7, 2.0, 3.0, "7 frames came late"),
        (QUIET, 0, 21.0, 3.0, "uplink p99"),
        (QUIET, 0, 2.0, 21.0, "first audio p99"),
    ],
)
def test_a_starved_worker_has_no_cpu_figure(meanwhile, late, uplink, first, why):
    assert starved(meanwhile, late, uplink, first).startswith(why)
    assert bool(starved(meanwhile, late, uplink, first)) == bool(why)


def test_runs_of_another_checkout_are_judged_alike():
    run = {"late_arrivals": 0, "uplink_ms_p99": 3.0, "machine_late_ms_p99": 1.0}
    assert not spoilt(run)
    assert spoilt(run | {"late_arrivals": 1})
    assert spoilt(run | {"uplink_ms_p99": 30.0})


def test_each_size_pace_and_number_of_workers_of_each_kind_and_one_with_tls_of_each():
    plans = planned("10,100", 1.0, "pcm,g711", "heavy,talk", "1,2", "openai", tls=True)
    plain = [plan for plan in plans if plan.tls is None]
    assert len(plain) == len({(p.kind.name, p.calls, p.pace.name, p.workers) for p in plain}) == 16
    encrypted = [(p.kind.name, p.calls, p.workers) for p in plans if p.tls is not None]
    assert sorted(encrypted) == [("g711", 100, 1), ("pcm", 100, 1)]
    assert all(p.tls is None for p in planned("10", 1.0, "pcm", "heavy", "1", "gemini", tls=True))
