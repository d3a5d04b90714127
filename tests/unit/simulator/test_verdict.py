"""A caller is served by the AI alone; everything else is told as what it was."""

from __future__ import annotations

from typing import Any

import pytest

from esl_controller.simulator.verdict import Seen, why_not_served


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({}, ""),
        ({"sent_to": "1000"}, ""),
        ({"unreachable": "Connection refused"}, "no worker: Connection refused"),
        ({"answered": False, "cause": "USER_BUSY"}, "not answered: USER_BUSY"),
        ({"answered": False}, "not answered: no answer in time"),
        ({"heard": False}, "answered, but the caller heard nothing"),
        ({"handed_back": True}, "handed back to the dialplan without a reason"),
        ({"handed_back": True, "outcome": "closed"}, "handed back to the dialplan: closed (why)"),
        ({"sent_to": "1000", "outcome": "unavailable"}, "sent on to 1000: unavailable (why)"),
    ],
)
def test_why_a_caller_was_not_served(seen: dict[str, Any], why: str) -> None:
    assert why_not_served(Seen(**({"answered": True, "heard": True} | seen)), "why") == why
