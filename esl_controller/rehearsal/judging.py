"""Whether a call came out as it must. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from esl_controller.rehearsal.scenario import Expected, Scenario, WantedCall

_SENTENCE = re.compile(r"[^.!?]*[.!?]?")
_UNSERVED = ("failed", "fallback", "refused")


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A function the AI called."""

    name: str
    arguments: Any
    status: str
    """started | completed | failed | timeout | refused"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one call."""

    answered: bool = False
    turns: Sequence[tuple[str, str]] = ()
    """Role and words of each, in order."""
    calls: Sequence[MadeCall] = ()
    went_to: Sequence[str] = ()
    """Extensions the caller was connected to."""
    outcome: str = ""
    reason: str = ""
    """Why it failed, in words."""
    greeted_s: float | None = None
    """From the answer to the first sound."""
    waits_s: Sequence[float] = ()
    """For each answer."""
    lasted_s: float = 0.0
    unreachable: str = ""

    @property
    def agent(self) -> Sequence[str]:
        """What the agent said."""
        return [words for role, words in self.turns if role == "assistant"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One scenario, held."""

    source: str
    scenario: Scenario
    seen: Seen
    failures: Sequence[str]
    recording: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Nothing was missing."""
        return not self.failures


def judge(expect: Expected, seen: Seen) -> list[str]:
    """A sentence for everything that is not as it must be."""
    if seen.unreachable:
        return [f"the call was not served: {seen.unreachable}"]
    return [
        *_served(expect, seen),
        *_words(expect, seen),
        *_functions(expect, seen),
        *_way(expect, seen),
        *_times(expect, seen),
    ]


def _served(expect: Expected, seen: Seen) -> Iterator[str]:
    why = f" ({seen.reason})" if seen.reason else ""
    if expect.outcome:
        if seen.outcome != expect.outcome:
            ended = seen.outcome or "without a conversation"
            yield f"the call ended {ended}{why}, not {expect.outcome}"
    elif not seen.answered:
        yield f"the call was not answered{why}"
    elif seen.outcome in _UNSERVED or not seen.outcome:
        yield f"the call ended {seen.outcome or 'without a conversation'}{why}"


def _words(expect: Expected, seen: Seen) -> Iterator[str]:
    said = " ".join(seen.agent)
    for pattern in expect.said:
        if not pattern.found_in(said):
            yield f"the agent did not say {pattern.written!r}"
    for pattern in expect.not_said:
        if pattern.found_in(said):
            yield f"the agent said {pattern.written!r}"
    questions = [one for one in _SENTENCE.findall(said) if one.endswith("?")]
    for pattern in expect.asked:
        if not any(pattern.found_in(one) for one in questions):
            yield f"the agent did not ask {pattern.written!r}"


def _functions(expect: Expected, seen: Seen) -> Iterator[str]:
    made = [one for one in seen.calls if one.status != "started"]
    left = list(made)
    for wanted in expect.calls:
        place = next((n for n, one in enumerate(left) if _fits(wanted, one)), None)
        if place is None:
            yield f"{_called(wanted)} was not called{_instead(wanted, made)}"
            continue
        if left[place].status != "completed":
            yield f"{_called(wanted)} was called, and {left[place].status}"
        del left[: place + 1]
    for name in expect.not_called:
        if any(one.name == name for one in made):
            yield f"{name} was called"


def _fits(wanted: WantedCall, made: MadeCall) -> bool:
    if made.name != wanted.name:
        return False
    given = made.arguments if isinstance(made.arguments, Mapping) else {}
    return all(
        name in given and _same(value, given[name]) for name, value in wanted.arguments.items()
    )


def _same(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, str) and isinstance(given, str):
        return wanted.casefold() == given.casefold()
    return bool(wanted == given)


def _called(wanted: WantedCall) -> str:
    return f"{wanted.name}({_text(wanted.arguments)})"


def _instead(wanted: WantedCall, made: Sequence[MadeCall]) -> str:
    others = [_text(one.arguments) for one in made if one.name == wanted.name]
    if others:
        return f", or not then; it was with {', '.join(others)}"
    return f"; called were {', '.join(one.name for one in made)}" if made else ""


def _text(arguments: Any) -> str:
    return msgspec.json.encode(arguments, enc_hook=str).decode() if arguments else ""


def _way(expect: Expected, seen: Seen) -> Iterator[str]:
    if expect.goes_to and expect.goes_to not in seen.went_to:
        where = f"to {', '.join(seen.went_to)}" if seen.went_to else "nowhere"
        yield f"the caller went {where}, not to {expect.goes_to}"


def _times(expect: Expected, seen: Seen) -> Iterator[str]:
    limit = expect.greets_within_s
    if limit is not None and (seen.greeted_s is None or seen.greeted_s > limit):
        heard = (
            "nothing" if seen.greeted_s is None else f"the first sound after {seen.greeted_s:.1f} s"
        )
        yield f"the caller heard {heard}, not within {limit:g} s"
    limit, longest = expect.answers_within_s, max(seen.waits_s, default=0.0)
    if limit is not None and longest > limit:
        yield f"an answer took {longest:.1f} s, more than {limit:g} s"
    limit = expect.lasts_at_most_s
    if limit is not None and seen.lasted_s > limit:
        yield f"the call lasted {seen.lasted_s:.0f} s, more than {limit:g} s"
