from hypothesis import given
from hypothesis import strategies as st

from bridge.digits import MAX_DIGITS, VALID_DIGITS, DigitGatherer


def test_hash_ends_an_entry() -> None:
    gatherer = DigitGatherer()
    assert [gatherer.press(d, 0.0) for d in "123"] == [None] * 3
    assert gatherer.press("#", 0.1) == "123"
    assert gatherer.next_deadline() is None


def test_hash_alone_is_itself() -> None:
    assert DigitGatherer().press("#", 0.0) == "#"


def test_a_pause_ends_an_entry_and_each_digit_starts_it_anew() -> None:
    gatherer = DigitGatherer(pause_s=2.0)
    gatherer.press("4", 0.0)
    gatherer.press("5", 1.5)
    assert gatherer.handle_timeout(2.0) is None
    assert gatherer.next_deadline() == 3.5
    assert gatherer.handle_timeout(3.5) == "45"
    assert gatherer.handle_timeout(9.0) is None


@given(st.lists(st.text(max_size=3), max_size=100))
def test_whatever_is_pressed_only_digits_come_out_and_never_too_many(presses: list[str]) -> None:
    gatherer = DigitGatherer()
    out = [text for p in presses if (text := gatherer.press(p, 0.0))]
    assert all(set(t) <= VALID_DIGITS and len(t) <= MAX_DIGITS for t in out)
