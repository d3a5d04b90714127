"""What is asked for again: done once, or tried again under its first key."""

from esl_controller.tools.repeats import Repeats


def test_equal_arguments_are_the_same_wish_whatever_the_provider_calls_it() -> None:
    repeats = Repeats("conv")
    assert repeats.key("book", {"a": 1, "b": 2}, "c1") == "conv:c1"
    assert repeats.key("book", {"b": 2, "a": 1}, "c9") == "conv:c1"
    assert repeats.done("book", {"a": 1, "b": 2}) is None
    repeats.completed("book", {"a": 1, "b": 2}, {"id": 7})
    assert repeats.done("book", {"b": 2, "a": 1}) == {"id": 7}


def test_a_provider_that_numbers_its_calls_anew_does_not_mix_two_wishes_up() -> None:
    repeats = Repeats("conv")
    first = repeats.key("ticket", {"s": "bread"}, "call_0")
    assert first == "conv:call_0" != repeats.key("ticket", {"s": "cake"}, "call_0")


def test_after_something_else_the_same_is_a_new_wish() -> None:
    repeats = Repeats("conv")
    repeats.key("book", {}, "c1")
    repeats.completed("book", {}, {"id": 1})
    repeats.key("cancel", {"id": 1}, "c2")
    repeats.completed("cancel", {"id": 1}, {"id": 1})
    assert repeats.done("book", {}) is None
    assert repeats.key("book", {}, "c3") == "conv:c3"
