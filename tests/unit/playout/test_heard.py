from hypothesis import given
from hypothesis import strategies as st

from bridge.playout.heard import MAX_ITEMS, ItemLedger, Timeline


def test_a_steady_far_side() -> None:
    timeline = Timeline(8000, 2, latency_s=0.1)
    timeline.send(1600, 5.0)
    assert [timeline.heard(5.0 + t) for t in (0.0, 0.1, 0.15, 0.2, 9.0)] == [0, 0, 800, 1600, 1600]
    assert timeline.until == 5.1


def test_the_old_is_still_heard_while_the_new_is_on_its_way() -> None:
    timeline = Timeline(8000, 2, latency_s=0.15)
    timeline.send(320, 5.0)  # heard from 5.15 to 5.17
    timeline.send(320, 5.1)  # heard from 5.25 to 5.27
    assert [timeline.heard(t) for t in (5.14, 5.16, 5.2, 5.26, 5.3)] == [0, 160, 320, 480, 640]


def test_silenced_audio_is_never_heard_again() -> None:
    timeline = Timeline(8000, 1, latency_s=0.15)
    timeline.send(8000, 5.0)
    timeline.silence(5.2)
    assert timeline.heard(5.2) == timeline.heard(9.0) == 8000
    timeline.send(160, 5.2)
    assert [timeline.heard(t) for t in (5.2, 5.36, 5.4)] == [8000, 8080, 8160]


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=40),
    st.sampled_from([0, 10, 150]),
    st.integers(0, 300),
)
def test_against_every_sample_by_itself(sends, latency_ms: int, later_ms: int) -> None:
    """Each millisecond of audio is heard when a plain queue would play it."""
    timeline = Timeline(1000, 1, latency_ms / 1000)
    now, free_at, heard_at = 10_000, 0, []
    for wait, count in sends:
        now += wait
        timeline.send(count, now / 1000)
        free_at = max(free_at, now)
        heard_at += [free_at + latency_ms + n + 1 for n in range(count)]
        free_at += count
        assert timeline.heard(now / 1000) == sum(at <= now for at in heard_at)
    now += later_ms
    assert timeline.heard(now / 1000) == sum(at <= now for at in heard_at)


def test_a_dribbling_sender_costs_no_memory() -> None:
    timeline = Timeline(8000, 1, latency_s=0.15)
    for number in range(10_000):
        timeline.send(80, 5 + number * 0.02)
    assert len(timeline._runs) < 15


def test_items_lie_one_behind_the_other() -> None:
    ledger = ItemLedger()
    assert ledger.at(0) is None
    ledger.add("a", 0, 100)
    ledger.add("a", 100, 200)
    ledger.add("b", 240, 300)  # padding lay between
    assert [ledger.at(p) for p in (0, 199)] == [("a", 0), ("a", 199)]
    assert ledger.at(220) == ("b", 0)
    assert ledger.at(250) == ("b", 10)
    assert ledger.at(1000) == ("b", 60)
    assert [ledger.heard_of("a", p) for p in (0, 150, 999)] == [0, 150, 200]
    assert ledger.heard_of("b", 100) == 0
    ledger.forget()
    assert ledger.at(50) is None


def test_a_flood_of_items_costs_no_memory() -> None:
    ledger = ItemLedger()
    for number in range(10 * MAX_ITEMS):
        ledger.add(str(number), number * 2, number * 2 + 2)
    assert len(ledger._spans) == MAX_ITEMS
    found = ledger.at(10 * MAX_ITEMS * 2 - 1)
    assert found is not None
    assert found[0] == str(MAX_ITEMS - 1)
