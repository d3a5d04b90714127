from hypothesis import given
from hypothesis import strategies as st

from bridge.session.digits import MAX_DIGITS, VALID_DIGITS, DigitGatherer


def test_hash_ends_an_entry() -> None:
    gatherer = DigitGatherer()
    for digit in "123":
        gatherer.press(digit, 0.0)
    assert gatherer.handle_timeout(0.1) is None
    gatherer.press("#", 0.1)
    assert gatherer.handle_timeout(0.1) == "123"
    assert gatherer.deadline is None


def test_hash_alone_is_itself() -> None:
    gatherer = DigitGatherer()
    gatherer.press("#", 0.0)
    assert gatherer.handle_timeout(0.0) == "#"


def test_an_entry_waits_until_it_is_asked_for() -> None:
    gatherer = DigitGatherer()
    for digit in "12#3":
        gatherer.press(digit, 0.0)
    assert gatherer.handle_timeout(60.0) == "123"


def test_what_is_too_many_is_dropped_and_counted() -> None:
    gatherer = DigitGatherer()
    for _ in range(MAX_DIGITS + 5):
        gatherer.press("7", 0.0)
    assert gatherer.handle_timeout(0.0) == "7" * MAX_DIGITS
    assert gatherer.dropped == 5


def test_a_pause_ends_an_entry_and_each_digit_starts_it_anew() -> None:
    gatherer = DigitGatherer(pause_s=2.0)
    gatherer.press("4", 0.0)
    gatherer.press("5", 1.5)
    assert gatherer.handle_timeout(2.0) is None
    assert gatherer.deadline == 3.5
    assert gatherer.handle_timeout(3.5) == "45"
    assert gatherer.handle_timeout(9.0) is None


@given(st.lists(st.text(max_size=3), max_size=100))
def test_whatever_is_pressed_only_digits_come_out_and_never_too_many(presses: list[str]) -> None:
    gatherer = DigitGatherer()
    out = []
    for press in presses:
        gatherer.press(press, 0.0)
        out.append(gatherer.handle_timeout(0.0) or "")
    assert all(set(t) <= VALID_DIGITS and len(t) <= MAX_DIGITS for t in out)
