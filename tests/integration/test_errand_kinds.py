"""What each kind of errand sends, to real receivers, and what becomes of it."""

from __future__ import annotations

import email
import email.policy
from typing import Any

import msgspec
import pytest

from esl_controller.database.acts import Errand
from esl_controller.database.repository import conversations, spending
from esl_controller.errands.smtp import MailServer
from esl_controller.errands.text_service import TextService, usage_of
from esl_controller.settings.mail import Mail
from esl_controller.settings.types import Secret
from esl_controller.simulator.receivers import HttpReceiver, Posted
from tests.integration.errand_house import House, event


def test_a_letter(house: House) -> None:
    hostile = "Ana\r\nBcc: x@y.example"
    wanted = house.ask(
        "email",
        "k",
        {"to": ["desk@clinic.example"], "call": {"caller_id": "5511", "caller_name": hostile}},
        conversation_uuid=house.conversation([{"role": "user", "text": "Olá", "timestamp": 1}]),
    )
    house.work()
    (mailed,) = house.mail.mailed
    assert (mailed.sender, mailed.to) == ("voice@pbx.example", ["desk@clinic.example"])
    read = email.message_from_bytes(mailed.content, policy=email.policy.default)
    assert read["Bcc"] is None
    assert "Caller: Olá" in read.get_content()
    assert wanted.errand_uuid in read["Message-ID"]
    assert house.row(wanted).state == "delivered"


@pytest.mark.parametrize(
    ("command", "answer", "state"),
    [("RCPT", "550 nobody", "dead"), ("RCPT", "450 later", "queued"), (".", "451 no", "queued")],
)
def test_a_mail_server_that_refuses(house: House, command: str, answer: str, state: str) -> None:
    if command == ".":
        house.mail.answer = lambda _: answer
    else:
        house.mail.replies[command] = answer
    wanted = house.ask("email", "k", {"to": ["a@b.example"], "text": "t"})
    house.work()
    assert (house.row(wanted).state, answer in (house.row(wanted).last_error or "")) == (
        state,
        True,
    )


def test_no_password_goes_to_a_server_without_encryption(house: House) -> None:
    """STARTTLS that is not offered ends the attempt."""
    at = Mail(host="127.0.0.1", port=house.mail.port, sender="v@pbx.example", username="u")
    house.means._mail = MailServer(at)  # type: ignore[attr-defined]
    wanted = house.ask("email", "k", {"to": ["a@b.example"], "text": "t"})
    house.work()
    assert "STARTTLS" in (house.row(wanted).last_error or "")
    assert house.mail.mailed == []


def test_a_message_becomes_a_letter_and_an_event(house: House) -> None:
    nobody = house.ask("message", "k1", {"message": "Call me."})
    house.set(webhook_events=["call.ended"])
    house.work()
    dead = house.row(nobody)
    assert (dead.state, dead.last_error) == (
        "dead",
        "nobody to give it to: set email_to or webhook_url",
    )
    house.set(email_to=["desk@clinic.example"], webhook_events=None)
    wanted = house.ask("message", "k2", {"caller_name": "Ana", "message": "Call me."})
    house.work()
    assert house.row(wanted).result == {"became": ["email", "webhook"]}
    read = email.message_from_bytes(house.mail.mailed[0].content, policy=email.policy.default)
    assert read["Subject"] == "Message from Ana"
    assert read.get_content().splitlines() == ["Caller name: Ana", "Message: Call me."]
    (posted,) = house.http.posted
    assert posted.json["event"] == "message.taken"
    assert posted.json["data"]["message"] == "Call me."


WORDS = [{"role": "user", "text": "A table for four.", "timestamp": 1.0}]
SCHEMA = {
    "type": "object",
    "properties": {"people": {"type": "integer"}},
    "required": ["people"],
}


COUNTED = {"prompt_tokens": 500_000, "completion_tokens": 125_000}
"""A dollar for each, by the prices of the house."""


def summed_up(posted: Posted, fields: Any) -> tuple[int, Any]:
    assert posted.headers["authorization"] == "Bearer the-key"
    said = msgspec.json.encode({"summary": "Ana wants a table.", "fields": fields}).decode()
    choices = [{"message": {"content": f"```json\n{said}\n```"}}]
    return 200, {"choices": choices, "usage": COUNTED}


def after_call(house: House, **settings: Any) -> tuple[Errand, Errand]:
    text = HttpReceiver(lambda posted: summed_up(posted, {"people": 4}))
    house.set(
        summarise_calls=True,
        summary_url=text.url,
        summary_model="m",
        summary_key=house.seal("the-key"),
        summary_schema=SCHEMA,
        **settings,
    )
    call = house.conversation(WORDS)
    first = house.ask("summary", f"{call}:summary", {}, conversation_uuid=call)
    told = house.ask(
        "webhook",
        f"{call}:call.ended",
        event("call.ended", caller_id="5511"),
        conversation_uuid=call,
        waits_for=first.errand_uuid,
    )
    house.text = text  # type: ignore[attr-defined]
    return first, told


def test_a_call_is_summed_up_before_it_is_told(house: House) -> None:
    first, told = after_call(house)
    house.work()
    data = house.http.posted[0].json["data"]
    assert data == {
        "caller_id": "5511",
        "summary": "Ana wants a table.",
        "fields": {"people": 4},
        "transcript": WORDS,
    }
    with house.pool.connection() as connection:
        row = conversations.find_conversation(
            connection, house.domain, first.conversation_uuid or ""
        )
    assert row is not None
    assert (row.summary, row.summary_fields) == ("Ana wants a table.", {"people": 4})
    asked = house.text.posted[0].json  # type: ignore[attr-defined]
    assert asked["model"] == "m"
    assert "A table for four." in asked["messages"][1]["content"]
    assert "A table" not in asked["messages"][0]["content"]
    assert house.row(told).state == "delivered"


def test_what_a_summary_costs_is_the_tenants(house: House) -> None:
    """Booked with its call; when the budget is used up, none is made, and the call is told all the
    same."""
    house.set(daily_budget_usd=1)
    first, _ = after_call(house)
    house.work()
    names = (house.domain, first.conversation_uuid or "")
    with house.pool.connection() as connection:
        (booked,) = conversations.list_usage(connection, *names)
        assert spending.conversation_cost(connection, *names) == 2
    assert (booked.purpose, booked.provider, booked.model) == ("summary", "custom", "m")
    assert (booked.input_text_tokens, booked.output_text_tokens) == (500_000, 125_000)
    second, told = after_call(house)
    house.work()
    assert house.row(second).result == {"skipped": "the domain's budget is used up"}
    assert house.row(told).state == "delivered"
    assert house.http.posted[-1].json["data"]["summary"] is None


@pytest.mark.parametrize(
    ("told", "counted"),
    [
        ({}, (10, 5, 0)),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": True}}, (10, 5, 0)),
        ({"usage": {"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 3}}}, (7, 5, 3)),
        ([], (10, 5, 0)),
    ],
)
def test_what_nobody_counts_is_estimated(told: Any, counted: tuple[int, int, int]) -> None:
    service = TextService("https://x.example", "m", Secret(), "v")
    usage = usage_of(service, told, "q" * 40, "a" * 20)
    found = (usage.input_text_tokens, usage.output_text_tokens, usage.cached_text_tokens)
    assert found == counted


def test_a_summary_that_never_comes_holds_nothing_up_for_ever(house: House) -> None:
    first, told = after_call(house)
    house.text.answer = lambda posted: summed_up(posted, {"people": "four"})  # type: ignore[attr-defined]
    house.work()
    assert house.row(first).state == "queued"
    assert "people" in (house.row(first).last_error or "")
    assert house.http.posted == [], "it waits"
    house.database.execute(
        "update v_voice_realtime_errands set first_attempt_at = now() - interval '1 hour'"
    )
    house.hurry()
    house.work()
    assert (house.row(first).state, house.row(told).state) == ("dead", "delivered")
    assert house.http.posted[0].json["data"]["summary"] is None


def test_what_is_not_kept_is_forgotten_once_it_is_sent(house: House) -> None:
    first, told = after_call(house, send_unstored=True, store_transcripts=False)
    house.work()
    assert house.http.posted[0].json["data"]["summary"] == "Ana wants a table."
    assert [house.row(one).payload for one in (first, told)] == [{}, {}]
    assert house.row(first).result is None
    stored = house.database.execute("select summary from v_voice_conversations_realtime")
    assert stored == [(None,)]
