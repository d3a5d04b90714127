"""What is missing in a call, in words; and the reports of it."""

from xml.etree import ElementTree

import pytest

from esl_controller.rehearsal.judging import MadeCall, Seen, Verdict, judge
from esl_controller.rehearsal.report import as_data, as_junit, as_text
from esl_controller.rehearsal.scenario import Expected, Pattern, Scenario, WantedCall

SEEN = Seen(
    answered=True,
    turns=[
        ("assistant", "Good day. How can I help?"),
        ("user", "sales please"),
        ("assistant", "I will connect you."),
    ],
    calls=[
        MadeCall("lookup", {"id": 1, "note": "x"}, "completed"),
        MadeCall("transfer_call", {"destination": "Sales"}, "completed"),
        MadeCall("note", None, "timeout"),
    ],
    went_to=["201"],
    outcome="transferred",
    greeted_s=1.25,
    waits_s=[0.5, 2.5],
    lasted_s=12.0,
)


def wanted(*calls: WantedCall) -> Expected:
    return Expected(calls=calls)


@pytest.mark.parametrize(
    ("expect", "failures"),
    [
        (Expected(), []),
        (Expected(said=(Pattern("connect you"),), asked=(Pattern("help"),)), []),
        (Expected(said=(Pattern("sales"),)), ["the agent did not say 'sales'"]),
        (Expected(not_said=(Pattern("/good|bad/"),)), ["the agent said '/good|bad/'"]),
        (Expected(asked=(Pattern("connect"),)), ["the agent did not ask 'connect'"]),
        (wanted(WantedCall("transfer_call", {"destination": "sales"})), []),
        (wanted(WantedCall("lookup", {"id": 1}), WantedCall("transfer_call")), []),
        (
            wanted(WantedCall("transfer_call"), WantedCall("lookup", {"id": 1})),
            ['lookup({"id":1}) was not called, or not then; it was with {"id":1,"note":"x"}'],
        ),
        (
            wanted(WantedCall("end_call")),
            ["end_call() was not called; called were lookup, transfer_call, note"],
        ),
        (wanted(WantedCall("note")), ["note() was called, and timeout"]),
        (Expected(not_called=("lookup",)), ["lookup was called"]),
        (Expected(goes_to="201", outcome="transferred"), []),
        (Expected(goes_to="202"), ["the caller went to 201, not to 202"]),
        (Expected(outcome="completed"), ["the call ended transferred, not completed"]),
        (Expected(greets_within_s=1.25, answers_within_s=2.5, lasts_at_most_s=12), []),
        (
            Expected(greets_within_s=1),
            ["the caller heard the first sound after 1.2 s, not within 1 s"],
        ),
        (Expected(answers_within_s=2), ["an answer took 2.5 s, more than 2 s"]),
        (Expected(lasts_at_most_s=11), ["the call lasted 12 s, more than 11 s"]),
    ],
)
def test_what_a_call_lacks(expect: Expected, failures: list[str]) -> None:
    assert judge(expect, SEEN) == failures


def test_a_call_that_is_not_served_fails_unless_that_is_wanted() -> None:
    refused = Seen(outcome="refused", reason="closed")
    assert judge(Expected(), refused) == ["the call was not answered (closed)"]
    assert judge(Expected(outcome="refused"), refused) == []
    failed = Seen(answered=True, outcome="failed", reason="provider")
    assert judge(Expected(), failed) == ["the call ended failed (provider)"]
    assert judge(Expected(greets_within_s=2), Seen(answered=True, outcome="completed")) == [
        "the caller heard nothing, not within 2 s"
    ]
    assert judge(Expected(), Seen(unreachable="refused")) == ["the call was not served: refused"]


def test_reports() -> None:
    good = Verdict("a.toml", Scenario("fine", (), Expected()), SEEN, [])
    bad = Verdict("b.toml", Scenario("not \x01fine", (), Expected()), SEEN, ["x <y>"], "b.wav")
    text = as_text([good, bad], spoken_by="an emulator")
    assert "passed  a.toml: fine (12 s)" in text and "2 scenarios, 1 failed" in text
    assert "caller: sales please" in text and "recording: b.wav" in text
    data = as_data([good, bad], spoken_by="an emulator")
    assert data["passed"] is False and data["scenarios"][1]["failures"] == ["x <y>"]
    suites = ElementTree.fromstring(as_junit([good, bad]))
    assert [(one.get("name"), one.get("failures")) for one in suites] == [
        ("a.toml", "0"),
        ("b.toml", "1"),
    ]
    failure = suites.find(".//failure")
    assert failure is not None and failure.get("message") == "x <y>"
