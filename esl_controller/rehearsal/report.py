"""What came of a rehearsal: for people, for programs, and as JUnit XML. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from esl_controller.rehearsal.judging import Verdict

_WHO = {"user": "caller", "assistant": "agent"}


def as_text(verdicts: Sequence[Verdict], *, spoken_by: str) -> str:
    """A line for each scenario; of those that failed also why, and what was said."""
    lines = []
    for one in verdicts:
        mark = "passed" if one.passed else "FAILED"
        lines.append(f"{mark}  {one.source}: {one.scenario.name} ({one.seen.lasted_s:.0f} s)")
        if one.passed:
            continue
        lines += [f"        {failure}" for failure in one.failures]
        lines += [f"          {_WHO.get(role, role)}: {words}" for role, words in one.seen.turns]
        lines += [f"        recording: {one.recording}"] if one.recording else []
    failed = sum(not one.passed for one in verdicts)
    summary = f"{len(verdicts)} scenarios, {failed} failed" if failed else f"{len(verdicts)} passed"
    return "\n".join([*lines, "", f"{summary}. Answered by {spoken_by}."])


def as_data(verdicts: Sequence[Verdict], *, spoken_by: str) -> dict[str, Any]:
    """The same for a program."""
    return {
        "passed": all(one.passed for one in verdicts),
        "answered_by": spoken_by,
        "scenarios": [_data(one) for one in verdicts],
    }


def _data(one: Verdict) -> dict[str, Any]:
    seen = one.seen
    return {
        "file": one.source,
        "name": one.scenario.name,
        "passed": one.passed,
        "failures": list(one.failures),
        "turns": [{"role": role, "text": words} for role, words in seen.turns],
        "calls": [
            {"name": made.name, "arguments": made.arguments, "status": made.status}
            for made in seen.calls
        ],
        "went_to": list(seen.went_to),
        "outcome": seen.outcome or None,
        "reason": seen.reason or None,
        "greeted_s": seen.greeted_s,
        "waits_s": list(seen.waits_s),
        "lasted_s": round(seen.lasted_s, 2),
        "recording": one.recording or None,
    }


def as_junit(verdicts: Sequence[Verdict]) -> str:
    """JUnit XML: a suite for each file, a case for each scenario."""
    root = ElementTree.Element("testsuites")
    for source in dict.fromkeys(one.source for one in verdicts):
        cases = [one for one in verdicts if one.source == source]
        suite = ElementTree.SubElement(root, "testsuite", name=source, tests=str(len(cases)))
        suite.set("failures", str(sum(not one.passed for one in cases)))
        suite.set("time", f"{sum(one.seen.lasted_s for one in cases):.2f}")
        for one in cases:
            _case(suite, one)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, one: Verdict) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=one.source,
        name=_printable(one.scenario.name),
        time=f"{one.seen.lasted_s:.2f}",
    )
    if one.failures:
        failure = ElementTree.SubElement(case, "failure", message=_printable(one.failures[0]))
        failure.text = _printable("\n".join(one.failures))
    said = [f"{_WHO.get(role, role)}: {words}" for role, words in one.seen.turns]
    ElementTree.SubElement(case, "system-out").text = _printable("\n".join(said))


def _printable(text: str) -> str:
    """XML 1.0 has no place for most control characters."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)
