"""Guessing the token is slow and is told once a minute; whoever has it is never kept waiting."""

from __future__ import annotations

from types import SimpleNamespace

import gevent
import pytest
from gevent.event import Event
from structlog.testing import capture_logs

from esl_controller.settings.table import Http
from esl_controller.settings.types import Secret
from esl_controller.telemetry.rare_log import INTERVAL_S, RareLog
from esl_controller.web import access
from esl_controller.web.access import AdminDoor, Refused

TOKEN = "a-token-of-24-characters"


def environ(token: str) -> dict[str, str]:
    return {"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": f"Bearer {token}"}


def test_wrong_tokens_wait_and_never_take_more_than_their_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = Event()
    monkeypatch.setattr(access, "gevent", SimpleNamespace(sleep=lambda _seconds: over.wait(5)))
    door = AdminDoor(Http(admin_token=Secret(TOKEN)))
    with capture_logs() as lines:
        guesses = [gevent.spawn(door.check, environ(f"guess {n}")) for n in range(50)]
        gevent.idle()
        assert sum(guess.ready() for guess in guesses) == 50 - access.MAX_PENALTIES
        assert door.check(environ(TOKEN)) is None
        over.set()
        gevent.joinall(guesses)
    assert {guess.value for guess in guesses} == {Refused.TOKEN}
    assert [line["event"] for line in lines] == ["admin.wrong_token"]


def test_no_token_at_all_is_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = SimpleNamespace(sleep=lambda _seconds: pytest.fail("kept waiting"))
    monkeypatch.setattr(access, "gevent", waits)
    door = AdminDoor(Http(admin_token=Secret(TOKEN)))
    assert door.check({"REMOTE_ADDR": "127.0.0.1"}) is Refused.TOKEN


def test_one_line_a_minute_with_the_number_of_the_others() -> None:
    now = [100.0]
    rare = RareLog("stranger", clock=lambda: now[0])
    with capture_logs() as lines:
        for _ in range(5000):
            rare.warn(address="192.0.2.1")
        now[0] += INTERVAL_S
        rare.warn(address="192.0.2.2")
        rare.warn(address="192.0.2.3")
    assert [(line["address"], line["unlogged_since"]) for line in lines] == [
        ("192.0.2.1", 0),
        ("192.0.2.2", 4999),
    ]
