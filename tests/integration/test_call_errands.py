"""A whole call that ends with a signed webhook and a letter; what fails is seen and sent again."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from esl_controller.errands.signature import is_valid
from esl_controller.simulator.caller_script import AgentSilent
from esl_controller.simulator.receivers import HttpReceiver, MailReceiver, Posted
from tests.integration.api_kit import OPEN, client_of
from tests.integration.cli_kit import run
from tests.integration.service import Service, hang_up_after, wait_for

SECRET = "a-secret-of-the-tenant"
WORDS = "Hello."


@pytest.fixture
def receivers() -> Iterator[tuple[HttpReceiver, MailReceiver]]:
    http, mail = HttpReceiver(answer), MailReceiver()
    yield http, mail
    http.stop()
    mail.stop()


def answer(posted: Posted) -> tuple[int, Any]:
    """The tenant's receiver, and its text service beside it."""
    if not posted.path.endswith("/chat/completions"):
        return 200, {}
    said = msgspec.json.encode({"summary": "Nobody wanted anything."}).decode()
    return 200, {"choices": [{"message": {"content": said}}]}


def begin(
    serve: Callable[..., Service], receivers: tuple[HttpReceiver, MailReceiver]
) -> tuple[Service, str]:
    http, mail = receivers
    service = serve(
        **OPEN,
        services={"allowed_hosts": ("127.0.0.1",)},
        mail={"host": "127.0.0.1", "port": mail.port, "security": "none", "sender": "v@a.example"},
    )
    page = f"/domains/{service.tenant.domain_uuid}"
    settings = {
        "webhook_url": http.url,
        "webhook_secret": SECRET,
        "email_to": ["desk@clinic.example"],
        "summarise_calls": True,
        "summary_url": http.url,
        "summary_model": "m",
    }
    changed = client_of(service).ask("PATCH", f"{page}/settings", settings)
    assert changed.status == 200, changed.body
    assert changed.json["keys"] == {"webhook_secret": "sealed"}
    assert SECRET.encode() not in changed.body
    return service, page


def test_a_call_is_told_mailed_and_summed_up(
    serve: Callable[..., Service], receivers: tuple[HttpReceiver, MailReceiver]
) -> None:
    http, mail = receivers
    service, page = begin(serve, receivers)
    call = service.call([hang_up_after(AgentSilent(0.3))]).wait()
    wait_for(lambda: mail.mailed and len(http.posted) == 3, 15, str(http.posted))
    told = {one.json["event"]: one for one in http.posted if "event" in one.json}
    assert sorted(told) == ["call.ended", "call.started"]
    for one in told.values():
        at_s = int(one.headers["x-webhook-timestamp"])
        signature = one.headers["x-webhook-signature"]
        assert is_valid(SECRET, signature, at_s, one.body, now_s=time.time())
    data = told["call.ended"].json["data"]
    assert (data["call_uuid"], data["summary"]) == (call.leg.uuid, "Nobody wanted anything.")
    assert WORDS in data["transcript"][0]["text"]
    read = email.message_from_bytes(mail.mailed[0].content, policy=email.policy.default)
    assert "Nobody wanted anything." in read.get_content()
    assert f"AI: {WORDS}" in read.get_content()
    key = data["conversation_uuid"]
    shown = client_of(service).get(f"{page}/conversations/{key}").json["conversation"]
    assert shown["summary"] == "Nobody wanted anything."
    wait_for(lambda: states(service, page) == ["delivered"] * 4, 5)
    erased = client_of(service).ask("DELETE", f"{page}/conversations/{key}").json
    assert erased["removed"]["errands"] == 4
    assert states(service, page) == []


def states(service: Service, page: str) -> list[str]:
    return [one["state"] for one in client_of(service).get(f"{page}/errands").json["errands"]]


def test_what_was_given_up_is_seen_and_sent_again(
    serve: Callable[..., Service],
    receivers: tuple[HttpReceiver, MailReceiver],
    database: Any,
) -> None:
    http, mail = receivers
    http.answer = lambda _: (410, {})
    service, page = begin(serve, receivers)
    client = client_of(service)
    call = service.call([hang_up_after(AgentSilent(0.3))]).wait()
    wait_for(lambda: mail.mailed, 15)
    wait_for(lambda: len(dead(client, page)) == 3, 10)
    first = next(one for one in dead(client, page) if one["kind"] == "webhook")
    assert first["last_error"] == "answered 410"
    assert first["payload"] == {}
    key = first["errand_uuid"]
    assert client.get(f"{page}/errands/{key}").json["errand"]["payload"]["event"]
    http.answer = answer
    service.app.errands.stop()  # what was sent again waits to be seen
    again = client.post(f"{page}/errands/{key}/retry?actor=maria")
    assert again.json["errand"]["state"] == "queued"
    audits = client.get(f"{page}/calls/{call.leg.uuid}/audits").json["audits"]
    assert [(one["actor"], one["action"]) for one in audits] == [("maria", "errand_retry")]

    def command(*words: str) -> Any:
        named = ("--domain", service.tenant.domain_uuid)
        return run("errands", *words, *named, VOICE_AI_DATABASE_DSN=database.workers_dsn)

    assert "answered 410" in command("list", "--state", "queued").output
    other = service.add_tenant()
    everywhere = run("errands", "list", VOICE_AI_DATABASE_DSN=database.workers_dsn).output
    assert "answered 410" in everywhere
    assert service.tenant.domain_name in everywhere
    theirs = ("--domain", other.domain_uuid)
    theirs_told = run("errands", "list", *theirs, VOICE_AI_DATABASE_DSN=database.workers_dsn)
    assert theirs_told.output == "No errands.\n"
    assert '"event"' in command("show", key).output
    assert command("retry", key).exit_code == 0
    assert command("drop", key, "--yes").exit_code == 0
    assert command("show", key).exit_code == 1
    assert client.ask("DELETE", f"{page}/errands/{key}").status == 404


def dead(client: Any, page: str) -> list[Any]:
    return list(client.get(f"{page}/errands?state=dead").json["errands"])
