"""When `unicast` is taken for dead, and when it is only given way."""

import pytest

from esl_controller.calls.line_watch import (
    LONG_LOOKS,
    LOOK_S,
    PATIENT_LOOKS,
    SURE_LOOKS,
    LineWatch,
    Seen,
    Verdict,
)

WELL, GIVE_WAY, DEAD = Verdict.WELL, Verdict.GIVE_WAY, Verdict.DEAD


def verdicts(*seen: Seen) -> list[Verdict]:
    watch = LineWatch()
    return [watch.look(one, n * LOOK_S) for n, one in enumerate(seen)]


def test_as_long_as_datagrams_come_all_is_well() -> None:
    """Also while the module's stream is paused from outside."""
    assert set(verdicts(*(Seen(n, 10 * n, 0, 3) for n in range(9)))) == {WELL}


def test_a_refusal_is_certain() -> None:
    assert verdicts(Seen(0, 0, 0), Seen(5, 5, 1)) == [WELL, DEAD]


def test_a_stream_that_goes_on_alone_proves_it() -> None:
    seen = [Seen(7, 50 * n, 0, 12 * n) for n in range(SURE_LOOKS + 1)]
    assert verdicts(*seen) == [WELL] * SURE_LOOKS + [DEAD]


@pytest.mark.parametrize("heard", [None, 40])
def test_when_nothing_is_read_at_all_we_give_way_first(heard: int | None) -> None:
    seen = [Seen(7, 12 * n, 0, heard) for n in range(LONG_LOOKS + 1)]
    assert verdicts(*seen) == [WELL] + [GIVE_WAY] * (LONG_LOOKS - 1) + [DEAD]


def test_who_sends_nothing_has_nothing_to_give() -> None:
    assert verdicts(Seen(7, 5, 0), Seen(7, 5, 0)) == [WELL, WELL]


def test_the_pause_grows_once() -> None:
    watch = LineWatch()
    watch.look(Seen(0, 0, 0), 0.0)
    watch.look(Seen(0, 9, 0), 0.0)
    first = watch.pause_s
    watch.look(Seen(0, 18, 0), 0.0)
    assert 0 < first < watch.pause_s
    watch.look(Seen(1, 20, 0), 0.0)
    assert watch.pause_s == first


def test_a_second_is_enough_unless_there_is_no_other_way() -> None:
    assert LONG_LOOKS * LOOK_S < 1.0
    patient, watch = LineWatch(patient=True), LineWatch()
    silent = [Seen(7, 0, 0) for _ in range(PATIENT_LOOKS + 1)]
    assert [watch.look(one, 0.0) for one in silent].index(DEAD) == LONG_LOOKS
    assert [patient.look(one, 0.0) for one in silent].index(DEAD) == PATIENT_LOOKS


def test_when_it_was_last_alive_is_told_by_the_clock_however_late_the_looks_were() -> None:
    watch = LineWatch()
    for at, came in ((10.0, 1), (10.25, 9), (10.5, 20), (11.7, 20), (11.9, 20)):
        watch.look(Seen(came, 0, 0, 5), at)
    assert watch.alive_at == 10.25
