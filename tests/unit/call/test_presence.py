"""Whether it makes sense to ring, from what the owner has set and what FreeSWITCH answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from esl_controller.calls.transfer import presence
from esl_controller.esl.errors import CommandTimeout
from esl_controller.esl.waiting import Deadline

NOTHING: dict[str, Any] = {
    "do_not_disturb": False,
    "forward_all": "",
    "forward_unregistered": "",
    "follow_me": [],
}
HERE = "sofia/internal/sip:201@192.0.2.7:5060"


def channels(*rows: dict[str, str]) -> str:
    return json.dumps({"row_count": len(rows), "rows": list(rows)})


class Asked:
    """Answers as FreeSWITCH, or not in time."""

    def __init__(self, contact: str = HERE, channels: str = '{"row_count":0}', queue: str = ""):
        self.answers = {"sofia_contact": contact, "show": channels, "callcenter_config": queue}
        self.questions: list[str] = []

    def api(
        self, command: str, argument: str = "", timeout_s: float = 5.0, *, check: bool = True
    ) -> str:
        assert timeout_s <= presence.LONGEST_WAIT_S
        self.questions.append(f"{command} {argument}")
        if self.answers[command] == "late":
            raise CommandTimeout(command, timeout_s)
        return self.answers[command]


def extension(asked: Asked, wishes: Any = NOTHING, number: str = "201") -> str:
    return presence.of_extension(asked, number, "d.example.com", wishes, Deadline(2.0)).state


@pytest.mark.parametrize(
    ("wish", "state", "to", "instead"),
    [
        ({"do_not_disturb": True, "forward_all": "300"}, "dnd", (), True),
        ({"forward_all": "300", "follow_me": ["400"]}, "forwarded", ("300",), True),
        ({"follow_me": ["400", "+551"]}, "forwarded", ("400", "+551"), False),
    ],
)
def test_what_the_owner_has_set_comes_first(
    wish: dict[str, Any], state: str, to: tuple[str, ...], instead: bool
) -> None:
    asked = Asked()
    found = presence.of_extension(asked, "201", "d.example.com", NOTHING | wish, Deadline(2.0))
    assert (found.state, found.to, found.instead) == (state, to, instead)
    assert asked.questions == []


def test_a_telephone_must_be_registered() -> None:
    assert extension(Asked("error/user_not_registered")) == "unregistered"
    away = NOTHING | {"forward_unregistered": "300"}
    assert extension(Asked("error/user_not_registered"), away) == "forwarded"
    assert extension(Asked("-ERR no mod_sofia")) == "unknown"


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"presence_id": "201@d.example.com", "name": "sofia/internal/201@192.0.2.7"}, "busy"),
        ({"presence_id": "", "name": "sofia/internal/201@d.example.com:5060"}, "busy"),
        ({"presence_id": "201@other.example.com", "name": "sofia/internal/201@192.0.2.9"}, "free"),
        ({"presence_id": "1201@d.example.com", "name": "sofia/internal/1201@192.0.2.9"}, "free"),
    ],
)
def test_who_talks_is_busy_and_a_namesake_of_another_domain_is_somebody_else(
    row: dict[str, str], state: str
) -> None:
    assert extension(Asked(channels=channels(row))) == state


@pytest.mark.parametrize("answer", ["-ERR", "[]", '{"rows": [7]}', ""])
def test_an_answer_nobody_understands_says_nothing_of_calls(answer: str) -> None:
    assert extension(Asked(channels=answer)) == "free"


def test_an_engine_that_is_silent_is_not_waited_for_without_end() -> None:
    assert extension(Asked(contact="late")) == "unknown"
    assert extension(Asked(channels="late")) == "unknown"


def test_no_wishes_are_known_without_the_database() -> None:
    assert extension(Asked(), None) == "free"


def test_nothing_is_asked_with_words_in_a_number() -> None:
    asked = Asked()
    assert extension(asked, number="201 api status") == "unknown"
    assert asked.questions == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [("3\n", "free"), ("0\n", "unregistered"), ("-ERR no\n", "unknown"), ("late", "unknown")],
)
def test_a_queue_has_agents_or_not(answer: str, state: str) -> None:
    asked = Asked(queue=answer)
    assert presence.of_queue(asked, "500", "d.example.com", Deadline(2.0)).state == state
    assert asked.questions == ["callcenter_config queue count agents 500@d.example.com Available"]
