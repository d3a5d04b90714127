"""Whom to try next, and whether to ask the same one again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.session.candidates import (
    MAX_REPLACEMENTS,
    RECOVERY_PAUSES_S,
    Candidate,
    Candidates,
    Served,
)
from bridge.session.retries import LIMITED_WAITS_S, Retries


def failure(kind=ErrorKind.SERVER, retryable=True, retry_in_s=None):
    return ProviderFailure(kind, "x", "", True, retryable, retry_in_s)


def some(*names):
    return Candidates([Candidate(name, "openai", lambda: None) for name in names])


class Shut:
    """A provider that fails in all calls."""

    def admit(self):
        return False

    failed = heard = lambda *_: None


def gated(**shut):
    return Candidates(
        [
            Candidate(name, "openai", lambda: None, **({"gate": Shut()} if is_shut else {}))
            for name, is_shut in shut.items()
        ]
    )


def follow(candidates, name, served, many=50):
    """Names in the order in which they are tried while all serve like that."""
    tried = []
    while len(tried) < many and (following := candidates.after(name, failure(), served)):
        name = following[1].name
        tried.append(name)
    return tried


def test_the_ringing_rounds():
    candidates = some("a", "b")
    assert candidates.first().name == "a"
    assert follow(candidates, "a", Served()) == ["a", "b", "b"]


def test_a_slow_one_is_not_tried_again_while_it_rings_nor_in_a_conversation():
    slow = Served(took_s=5.0)
    candidates = some("a", "b")
    candidates.first()
    assert follow(candidates, "a", slow) == ["b"]
    alone = some("a")
    alone.first()
    assert follow(alone, "a", slow) == []
    alone = some("a")
    alone.first()
    alone.after("a", failure(), Served(True, True))
    assert alone.after("a", failure(), slow) is None


def test_who_fails_in_all_calls_is_passed_over():
    candidates = gated(a=True, b=False)
    assert candidates.first().name == "b"
    assert gated(a=True, b=True).first() is None
    assert follow(candidates, "b", Served()) == ["b"]


def test_in_a_conversation_anybody_is_better_than_nobody():
    candidates = gated(a=False, b=True)
    assert candidates.first().name == "a"
    pause_s, following = candidates.after("a", failure(), Served(True, True))
    assert (pause_s, following.name) == (0.0, "a")
    shut = gated(a=True, b=True)
    shut._recovering = True
    assert shut.first().name == "a"


def test_passing_over_somebody_does_not_shorten_the_pause():
    candidates = gated(a=True, b=False)
    candidates.first()
    following = candidates.after("a", failure(), Served(True, True))
    pauses = []
    while following is not None:
        pauses.append(following[0])
        assert following[1].name == "b"
        following = candidates.after("b", failure(), Served())
    assert pauses == list(RECOVERY_PAUSES_S)


def test_ready_is_no_proof_of_health():
    candidates = some("a", "b")
    candidates.first()
    assert follow(candidates, "a", Served(ready=True)) == ["b", "a"] * 4


def test_who_was_heard_is_tried_again_and_again_but_not_for_ever():
    candidates = some("a", "b")
    candidates.first()
    assert follow(candidates, "a", Served(ready=True, heard=True)) == ["a"] * MAX_REPLACEMENTS


def test_who_was_given_up_is_tried_last():
    candidates = some("a", "b", "c")
    candidates.first()
    _, following = candidates.after("a", failure(), Served(True, True, True))
    assert following.name == "b"


def test_hopeless_kinds_are_struck_whatever_they_say_of_themselves():
    candidates = some("a", "b")
    candidates.first()
    _, following = candidates.after("a", failure(ErrorKind.QUOTA), Served(True, True))
    assert following.name == "b"
    assert not candidates.others("b")
    assert candidates.after("b", failure(ErrorKind.AUTHENTICATION), Served(True, True)) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ErrorKind), st.booleans(), st.booleans(), st.booleans(), st.booleans()
        ),
        min_size=60,
        max_size=60,
    ),
    st.integers(1, 3),
)
def test_every_conversation_comes_to_an_end(troubles, providers):
    candidates = some(*"abc"[:providers])
    name, tries = candidates.first().name, 0
    for kind, retryable, ready, heard, given_up in troubles:
        served = Served(ready or heard, heard, given_up)
        following = candidates.after(name, failure(kind, retryable), served)
        if following is None:
            return
        tries += 1
        pause_s, candidate = following
        assert 0 <= pause_s <= 5.0
        name = candidate.name
    raise AssertionError(f"{tries} tries and no end")


def test_a_failed_answer_is_asked_for_once():
    retries = Retries()
    assert retries.failed(ErrorKind.SERVER, None, alternatives=True) == 0.0
    assert retries.failed(ErrorKind.SERVER, None, alternatives=True) is None
    retries.heard()
    assert retries.failed(ErrorKind.SERVER, None, alternatives=False) == 0.0


def test_a_limit_is_waited_for_longer_each_time():
    retries = Retries()
    waits = [retries.failed(ErrorKind.RATE_LIMIT, None, alternatives=False) for _ in range(4)]
    assert waits == [*LIMITED_WAITS_S, None]
    retries.heard()
    assert retries.failed(ErrorKind.RATE_LIMIT, 0.5, alternatives=False) == 0.5
    assert retries.failed(ErrorKind.RATE_LIMIT, 60.0, alternatives=False) is None
    assert Retries().failed(ErrorKind.RATE_LIMIT, 0.5, alternatives=True) is None
    assert Retries().failed(ErrorKind.QUOTA, 0.5, alternatives=False) is None
