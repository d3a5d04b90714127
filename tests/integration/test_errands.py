"""Errands: queued once, taken by one, delivered to real receivers, buried, sent again, erased."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import gevent
import msgspec
import pytest

from esl_controller.database.acts import Errand, QueuedErrand, errand
from esl_controller.database.models import ConversationRealtime
from esl_controller.database.pool import Pool
from esl_controller.database.repository import configuration, conversations, errands
from esl_controller.errands.kinds import KINDS
from esl_controller.errands.means import MeansReader, OwnAddresses
from esl_controller.errands.service import ErrandService, Pace
from esl_controller.errands.signature import is_valid
from esl_controller.errands.smtp import MailServer
from esl_controller.services.http import ServiceHttp
from esl_controller.settings.mail import Mail
from esl_controller.simulator.receivers import HttpReceiver, MailReceiver, Posted
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tenants.keys.secrets import SecretStore
from esl_controller.tenants.source import ConfigSource
from tests.integration.service import wait_for

SECRET = "a-secret-of-the-tenant"
NOW = datetime.now(UTC)


class House:
    """One domain, the queue, a worker's service, and both receivers."""

    def __init__(self, database: Any, pool: Pool, store: SecretStore) -> None:
        self.database, self.pool = database, pool
        self.http, self.mail = HttpReceiver(), MailReceiver()
        self.domain = database.seed().domain_uuid
        self._keys = store.keys
        keys = store.keys
        self.set(webhook_url=self.http.url, webhook_secret=keys.seal(self.domain, SECRET))
        addresses = OwnAddresses()
        source = ConfigSource(pool, store)
        hosts = ServiceHosts(["127.0.0.1"])
        mail = Mail(
            host="127.0.0.1", port=self.mail.port, security="none", sender="voice@pbx.example"
        )
        means = MeansReader(
            pool, source, ServiceHttp(addresses, hosts), addresses, MailServer(mail)
        )
        self.means = means
        self.service = self.worker("w")

    def worker(self, name: str, **pace: Any) -> ErrandService:
        return ErrandService(self.pool, KINDS, self.means, name, pace=Pace(**pace))

    def seal(self, key: str) -> str:
        return self._keys.seal(self.domain, key)

    def set(self, **values: Any) -> None:
        with self.pool.connection() as connection:
            names = (connection, self.domain, configuration.SETTINGS)
            if configuration.find_row(*names, self.domain) is None:
                configuration.insert_row(*names, values)
            else:
                configuration.update_row(*names, self.domain, values)

    def ask(self, kind: str, key: str, payload: Any, **more: Any) -> Errand:
        wanted = errand(kind, self.domain, key, payload, NOW, **more)
        with self.pool.connection() as connection:
            assert errands.insert(connection, self.domain, wanted)
        return wanted

    def row(self, wanted: Errand) -> QueuedErrand:
        with self.pool.connection(autocommit=True) as connection:
            row = errands.find(connection, self.domain, wanted.errand_uuid)
        assert row is not None
        return row

    def work(self) -> None:
        """Until nothing is to be done now."""
        while self.service.run_once():
            assert self.service.wait(10)

    def hurry(self) -> None:
        """The next attempts are due."""
        self.database.execute("update v_voice_realtime_errands set next_at = now()")

    def conversation(self, words: list[Any], **more: Any) -> str:
        key = errand("x", self.domain, str(time.monotonic()), {}, NOW).errand_uuid
        row = ConversationRealtime(
            conversation_uuid=key,
            domain_uuid=self.domain,
            call_uuid="c",
            started_at=NOW,
            ended_at=NOW,
            transcript=words,
            **more,
        )
        with self.pool.connection() as connection:
            conversations.store(connection, self.domain, row)
        return key


@pytest.fixture
def house(database: Any, pool: Pool, secret_store: SecretStore) -> Iterator[House]:
    house = House(database, pool, secret_store)
    yield house
    house.http.stop()
    house.mail.stop()


def event(name: str = "message.taken", **data: Any) -> dict[str, Any]:
    return {"event": name, "data": data}


def test_a_webhook_can_be_believed(house: House) -> None:
    wanted = house.ask("webhook", "c:call.started", event(caller_id="5511"))
    house.ask("webhook", "c:call.started", event(caller_id="another"))
    house.work()
    (posted,) = house.http.posted
    headers = posted.headers
    at_s = int(headers["x-webhook-timestamp"])
    signature = headers["x-webhook-signature"]
    assert is_valid(SECRET, signature, at_s, posted.body, now_s=time.time())
    assert headers["idempotency-key"] == "c:call.started"
    assert headers["x-webhook-id"] == posted.json["id"] == wanted.errand_uuid
    assert posted.json["data"] == {"caller_id": "5511"}
    assert SECRET.encode() not in posted.body
    row = house.row(wanted)
    assert (row.state, row.attempts, row.result) == ("delivered", 1, {"status": 200})


def test_events_that_were_not_chosen_are_not_sent(house: House) -> None:
    house.set(webhook_events=["call.ended"])
    skipped = house.ask("webhook", "k", event("call.started"))
    house.work()
    assert house.http.posted == []
    assert house.row(skipped).state == "delivered"


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [(503, "queued", "answered 503"), (404, "queued", "answered 404"), (410, "dead", "410")],
)
def test_what_the_other_side_answers(house: House, status: int, state: str, why: str) -> None:
    house.http.answer = lambda _: (status, {})
    wanted = house.ask("webhook", "k", event())
    house.work()
    row = house.row(wanted)
    assert (row.state, row.attempts) == (state, 1)
    assert why in (row.last_error or "")
    house.http.answer = lambda _: (200, {})
    with house.pool.connection() as connection:
        assert errands.send_again(connection, house.domain, wanted.errand_uuid)
        assert not errands.send_again(connection, house.database.seed().domain_uuid, "0" * 32)
    house.work()
    assert house.row(wanted).state == "delivered"
    keys = {posted.headers["idempotency-key"] for posted in house.http.posted}
    assert (len(house.http.posted), keys) == (2, {"k"})


def test_given_up_after_its_time(house: House) -> None:
    house.http.stop()
    wanted = house.ask("webhook", "k", event())
    house.work()
    assert house.row(wanted).state == "queued"
    house.database.execute(
        "update v_voice_realtime_errands set first_attempt_at = now() - interval '2 days'"
    )
    house.hurry()
    house.work()
    row = house.row(wanted)
    assert row.state == "dead"
    assert row.last_error is not None
    assert row.last_error.startswith("given up after 86400 s: 127.0.0.1")
    assert house.service.counters.results == {("webhook", "retried"): 1, ("webhook", "dead"): 1}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"webhook_secret": None}, "unsigned"),
        ({"webhook_secret": "env:NOT_OURS"}, "webhook_secret"),
        ({"webhook_url": None}, "no webhook_url"),
        ({"webhook_url": "http://10.0.0.7/"}, "VOICE_AI_SERVICES_ALLOWED_HOSTS"),
    ],
)
def test_what_cannot_work_is_told_at_once(house: House, settings: dict[str, Any], why: str) -> None:
    house.set(**settings)
    wanted = house.ask("webhook", "k", event())
    house.work()
    row = house.row(wanted)
    assert row.state == "dead"
    assert why in (row.last_error or "")


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


def summed_up(posted: Posted, fields: Any) -> tuple[int, Any]:
    assert posted.headers["authorization"] == "Bearer the-key"
    said = msgspec.json.encode({"summary": "Ana wants a table.", "fields": fields}).decode()
    return 200, {"choices": [{"message": {"content": f"```json\n{said}\n```"}}]}


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


def test_one_worker_at_a_time_and_a_late_one_changes_nothing(house: House) -> None:
    wanted = house.ask("webhook", "k", event())
    with house.pool.connection() as connection:
        (mine,) = errands.take(connection, house.domain, worker="w1", lease_s=30, limit=5)
        assert errands.take(connection, house.domain, worker="w2", lease_s=30, limit=5) == []
        assert not errands.drop(connection, house.domain, wanted.errand_uuid), "it is running"
    house.database.execute(
        "update v_voice_realtime_errands set lease_until = now() - interval '1 s'"
    )
    with house.pool.connection() as connection:
        (again,) = errands.take(connection, house.domain, worker="w1", lease_s=30, limit=5)
        assert again.attempts == 2
        assert not errands.finish(connection, house.domain, mine, {}, forget=False)
        assert not errands.retry(connection, house.domain, mine, in_s=0, why="late")
        assert errands.finish(connection, house.domain, again, {"status": 200}, forget=False)
        assert not errands.bury(connection, house.domain, again, "late")
        assert errands.insert(connection, house.domain, wanted), "the journal's repeat"
    assert house.row(wanted).state == "delivered"


def test_a_tenant_whose_receiver_hangs_holds_up_nobody(house: House) -> None:
    house.http.answer = lambda _: (gevent.sleep(30), (200, {}))[1]
    for number in range(20):
        house.ask("webhook", str(number), event())
    other = house.database.seed().domain_uuid
    with house.pool.connection() as connection:
        wanted = errand("email", other, "k", {"to": ["a@b.example"], "text": "t"}, NOW)
        errands.insert(connection, other, wanted)
    house.service = house.worker("w", of_one_domain=3)
    assert house.service.run_once() == 4
    wait_for(lambda: house.mail.mailed, 5)
    wait_for(lambda: len(house.http.posted) == 3, 5)
    assert house.service.run_once() == 0
    house.service._running.kill(block=True, timeout=1)


def test_an_attempt_has_a_deadline(house: House) -> None:
    house.http.answer = lambda _: (gevent.sleep(30), (200, {}))[1]
    wanted = house.ask("webhook", "k", event())
    house.service = house.worker("w", attempt_s=0.05)
    house.work()
    assert (house.row(wanted).state, house.row(wanted).last_error) == ("queued", "not done in time")


def test_a_bug_of_a_kind_is_its_own(house: House) -> None:
    class Broken:
        limit_s = 60.0

        def deliver(self, _errand: Any, _means: Any) -> Any:
            raise RuntimeError("secret words")

    house.service = ErrandService(house.pool, {"x": Broken()}, house.means, "w")
    broken, unknown = house.ask("x", "k", {}), house.ask("y", "k", {})
    house.work()
    assert house.row(broken).last_error == "internal error: RuntimeError"
    assert (house.row(unknown).state, "knows no" in (house.row(unknown).last_error or "")) == (
        "dead",
        True,
    )


def test_erasing_and_retention_reach_the_queue(house: House) -> None:
    call = house.conversation(WORDS)
    kept, gone = (
        house.ask("webhook", "a", event()),
        house.ask("webhook", "b", event(), conversation_uuid=call),
    )
    with house.pool.connection() as connection:
        other = house.database.seed().domain_uuid
        assert errands.erase(connection, other, [call]) == 0
        assert errands.erase(connection, house.domain, [call]) == 1
        assert errands.find(connection, house.domain, gone.errand_uuid) is None
    house.work()
    old = timedelta(days=31)
    house.database.execute("update v_voice_realtime_errands set ended_at = ended_at - %s", old)
    with house.pool.connection() as connection:
        assert errands.forget_old(connection, house.domain, None) == 1
        assert errands.find(connection, house.domain, kept.errand_uuid) is None
