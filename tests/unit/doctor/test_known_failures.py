"""What failed before an upgrade stops no upgrade; what fails only now does."""

from __future__ import annotations

import json

import pytest

from esl_controller.doctor.finding import (
    Finding,
    failed,
    failures_told,
    new_failures,
    ok,
    warning,
)

BEFORE = [
    failed("FreeSWITCH", "does not answer", "start it"),
    warning("clock", "3 s from the database's", "run chrony"),
    ok("disk", "free"),
]


def report(findings: list[Finding]) -> str:
    return json.dumps({"healthy": False, "findings": [one.as_dict() for one in findings]})


def test_only_what_has_not_failed_before_counts() -> None:
    known = failures_told(report(BEFORE))
    now = [
        failed("FreeSWITCH", "does not answer at 10.0.0.2", "start it"),
        failed("clock", "30 s from the database's", "run chrony"),
        failed("a check of the new version", "wrong", "mend it"),
        failed("clock", "twice", "run chrony"),
        warning("disk", "nearly full", "make room"),
    ]
    assert new_failures(now, known) == ["clock", "a check of the new version"]
    assert new_failures(BEFORE, known) == []
    assert new_failures(BEFORE, frozenset()) == ["FreeSWITCH"]


@pytest.mark.parametrize("text", ["", "[]", '{"problems": []}', '{"findings": [{}]}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        failures_told(text)
