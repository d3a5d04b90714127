"""What a row says of a call that was handed back."""

import pytest

from esl_controller.record.outcome import handed_back
from esl_controller.routes.routing import HandBack, Outcome


@pytest.mark.parametrize(
    ("why", "trouble", "said"),
    [
        ("http_500", "refused on demand (http_500)", "refused on demand (http_500)"),
        ("http_500", "http_500", "http_500"),
        ("response_failed", "refused (http_500)", "response_failed: refused (http_500)"),
        ("no room", "", "no room"),
    ],
)
def test_what_went_wrong_is_said_once(why: str, trouble: str, said: str) -> None:
    reason = HandBack(Outcome.UNAVAILABLE, None, why)
    assert handed_back(reason, None, trouble).reason == said
