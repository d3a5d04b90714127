"""Everything is given up, last first."""

from __future__ import annotations

import pytest

from esl_controller.calls.giving_back import GivingBack


def fail(why: str) -> None:
    raise OSError(why)


def test_last_first_with_its_arguments_and_only_once():
    done: list[str] = []
    with GivingBack() as held:
        held.callback(done.append, "first")
        held.callback(lambda: done.append("second"))
    held.close()
    assert done == ["second", "first"]


def test_all_of_it_whatever_fails_and_the_last_error_is_raised():
    done: list[str] = []
    held = GivingBack()
    for job in (lambda: done.append("kept"), lambda: fail("b"), lambda: fail("a")):
        held.callback(job)
    with pytest.raises(OSError, match="b") as raised:
        held.close()
    assert done == ["kept"]
    assert str(raised.value.__context__) == "a"


def test_what_is_left_to_another_is_not_given_up_here():
    done: list[str] = []
    with GivingBack() as held:
        held.callback(done.append, "once")
        other = held.pop_all()
    assert not done
    other.close()
    assert done == ["once"]
