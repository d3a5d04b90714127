"""People at a call going on: they listen, whisper, take it over, end it; never another tenant's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import AgentSilent, AgentSpeaking, Press, Step
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.switch.legs import FarEnd
from esl_controller.web.api.table import ROUTES
from tests.integration.api_kit import OPEN, TOKEN, Client, client_of
from tests.integration.api_rows import NOW, begin
from tests.integration.cli_kit import run
from tests.integration.service import (
    SPEAK,
    Service,
    TestCall,
    free_port,
    hang_up_after,
    wait_for,
)
from tests.integration.test_call_transfer import model

ACTS: dict[str, Any] = {
    "tell": {"text": "Offer Tuesday."},
    "listen": {"extension": "200"},
    "takeover": {"extension": "200"},
    "recording": {"wanted": "pause"},
    "hangup": None,
}


def talking(serve: Callable[..., Service], **options: Any) -> tuple[Service, TestCall, Client]:
    service = serve(**OPEN, **options)
    steps = [Step(AgentSilent(0.5), SPEAK) for _ in range(40)]
    call = service.call([*steps, hang_up_after(AgentSilent(20))])
    wait_for(lambda: service.app.calls.find(call.tenant.domain_uuid, call.leg.uuid) is not None)
    find = "select 1 from v_voice_conversations_realtime where call_uuid = %s"
    wait_for(lambda: call.database.execute(find, call.leg.uuid))
    wait_for(lambda: call.tenant.record.spoken)
    return service, call, client_of(service)


def page(call: TestCall, act: str, domain: str = "") -> str:
    return f"/domains/{domain or call.tenant.domain_uuid}/calls/{call.leg.uuid}/{act}"


def audits(client: Client, call: TestCall) -> list[tuple[str, str, str, str]]:
    rows = client.get(page(call, "audits")).json["audits"]
    return [(row["actor"], row["action"], row["detail"] or "", row["result"]) for row in rows]


def test_a_call_is_listened_to_whispered_to_and_taken_over(
    serve: Callable[..., Service],
) -> None:
    listener = Caller([])
    far_ends = {"200": FarEnd(end=lambda: listener), "1001": FarEnd(cause="USER_BUSY")}
    service, call, client = talking(serve, far_ends=far_ends)
    active = client.get("/calls").json["calls"]
    assert [(one["call_uuid"], one["domain_uuid"]) for one in active] == [
        (call.leg.uuid, call.tenant.domain_uuid)
    ]
    session, heard = service.session(call), []
    tell = session.tell
    session.tell = lambda text, *, respond: heard.append(text) or tell(text, respond=respond)
    told = client.post(page(call, "tell?actor=maria"), {"text": "Offer Tuesday.", "respond": True})
    assert told.json["result"] == "done"
    assert heard == ["Offer Tuesday."]

    busy = client.post(page(call, "listen"), {"extension": "1001"})
    assert (busy.status, busy.json["result"]) == (200, "asked")
    wait_for(lambda: ("operator", "listen", "1001", "failed") in audits(client, call))
    assert client.post(page(call, "listen"), {"extension": "200"}).json["result"] == "asked"
    wait_for(lambda: ("operator", "listen", "200", "done") in audits(client, call))
    wait_for(lambda: any(loud >= AUDIBLE for loud in listener.hearing.levels))
    assert not call.leg.hung_up

    assert client.post(page(call, "recording"), {"wanted": "pause"}).json["result"] == "refused"
    taken = client.post(page(call, "takeover?actor=maria"), {"extension": "1004"})
    assert taken.json["result"] == "done"
    wait_for(lambda: call.leg.channel.destination == "1004")
    call.leg.hang_up()
    call.wait()
    service.stored()
    assert call.row()["transfer_destination"] == "1004"
    assert listener.ended_at is not None, "who listens is hung up with the call"
    assert ("maria", "tell", "Offer Tuesday.", "done") in audits(client, call)
    assert ("maria", "takeover", "1004", "done") in audits(client, call)


def test_no_act_reaches_another_tenants_call(serve: Callable[..., Service]) -> None:
    """Every act of the interface: by another domain's path, and by another domain's ticket."""
    service, call, client = talking(serve)
    other = service.add_tenant().domain_uuid
    offered = {route.path.rpartition("/")[2] for route in ROUTES if "/calls/{call" in route.path}
    assert offered - {"events", "audits"} == set(ACTS)
    before = len(audits(client, call))
    stranger = Client(client.address, token="")
    for act, body in ACTS.items():
        assert client.post(page(call, act, other), body).status == 404, act
        scope = f"calls/{call.leg.uuid}/{act}"
        made = client.post(f"/domains/{other}/tickets", {"scope": scope, "actor": "eve"})
        query = f"?ticket={made.json['ticket']}"
        assert stranger.post(f"{page(call, act)}{query}", body).status == 401, act
        assert stranger.post(f"{page(call, act, other)}{query}", body).status == 404, act
        wrong = next(name for name in ACTS if name != act)
        own = client.post(
            f"/domains/{call.tenant.domain_uuid}/tickets",
            {"scope": f"calls/{call.leg.uuid}/{wrong}", "actor": "ana"},
        )
        query = f"?ticket={own.json['ticket']}"
        assert stranger.post(f"{page(call, act)}{query}", body).status == 401, act
    assert client.get(page(call, "audits", other)).json == {"audits": []}
    assert len(audits(client, call)) == before
    assert service.session(call).ended is False

    scope = {"scope": f"calls/{call.leg.uuid}/hangup", "actor": "ana maria@x"}
    made = client.post(f"/domains/{call.tenant.domain_uuid}/tickets", scope)
    ended = stranger.post(f"{page(call, 'hangup')}?actor=eve&ticket={made.json['ticket']}")
    assert (ended.status, ended.json["result"]) == (200, "done")
    call.wait()
    service.stored()
    assert audits(client, call)[-1] == ("ana maria@x", "hangup", "", "done")


def test_what_cannot_be_written_down_is_not_done(
    serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    from esl_controller.database.pool import DatabaseUnavailable
    from esl_controller.database.repository import conversations

    service, call, client = talking(serve)

    def away(*_: Any) -> bool:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(conversations, "store", away)
        assert client.post(page(call, "hangup")).status == 503
    assert not service.session(call).closing
    call.leg.hang_up()
    call.wait()


def test_a_recording_is_played_whole_and_in_ranges_by_its_own_domain(
    serve: Callable[..., Service], tmp_path: Any
) -> None:
    service = serve(**OPEN, freeswitch={"recordings_dir": str(tmp_path / "rec")})
    client, domain = client_of(service), service.tenant.domain_uuid
    other = service.add_tenant().domain_uuid
    folder = tmp_path / "rec" / service.tenant.domain_name / "archive"
    folder.mkdir(parents=True)
    (folder / "call.wav").write_bytes(b"RIFF" + bytes(range(256)) * 800)
    began = NOW - timedelta(seconds=2)
    file = {"record_path": str(folder), "record_name": "call.wav"}
    known = {"recording_consent": "announced", "recording_started_at": began}
    talk = begin(service.app._pool, domain, **file, **known)
    talk.say("Hello.", "assistant")
    talk.say("A question.")
    key = talk.key
    shown = client.get(f"/domains/{domain}/conversations/{key}").json
    assert (shown["recording"]["kept"], shown["recording"]["consent"]) == (True, "announced")
    assert shown["recording"]["offsets_ms"] == {"1": 2000, "2": 3000}
    talk.end()
    path = f"/domains/{domain}/conversations/{key}/recording"
    whole = client.get(path)
    assert (whole.status, whole.headers["Content-Type"]) == (200, "audio/wav")
    assert whole.body[:4] == b"RIFF" and len(whole.body) == int(whole.headers["Content-Length"])
    size = len(whole.body)
    for wanted, first, last in (
        ("bytes=0-9", 0, 9),
        (f"bytes={size - 5}-", size - 5, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=10-{size + 100}", 10, size - 1),
    ):
        part = client.get(path, Range=wanted)
        assert (part.status, part.body) == (206, whole.body[first : last + 1])
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert client.get(path, Range=f"bytes={size}-").status == 416
    assert client.get(path, Range="bytes=5-2").status == 416
    assert client.get(path, Range="lines=1-2").body == whole.body
    assert client.ask("HEAD", path).headers["Content-Length"] == str(size)
    assert client.get(f"/domains/{other}/conversations/{key}/recording").status == 404
    scope = {"scope": f"conversations/{key}/recording"}
    stranger = Client(client.address, token="")
    for whose, status in ((domain, 200), (other, 401)):
        ticket = client.post(f"/domains/{whose}/tickets", scope).json["ticket"]
        assert stranger.get(f"{path}?ticket={ticket}").status == status
    (tmp_path / "rec").rename(tmp_path / "gone")
    assert client.get(path).status == 404


def test_the_commands_find_the_call_and_its_worker(serve: Callable[..., Service]) -> None:
    service, call, client = talking(serve)
    service.app.register.beat()
    environ = {
        "VOICE_AI_DATABASE_DSN": service.database.workers_dsn,
        "VOICE_AI_HTTP_ADMIN_TOKEN": TOKEN,
    }
    assert call.leg.uuid in run("live", "list", **environ).stdout
    done = run("live", "tell", call.leg.uuid, "Offer Tuesday.", "--json", **environ)
    assert (done.exit_code, json.loads(done.stdout)["result"]) == (0, "done")
    refused = run("live", "recording", call.leg.uuid, "pause", **environ)
    assert (refused.exit_code, refused.stdout) == (1, "recording: refused\n")
    nobody = run("live", "hangup", "11111111-1111-4111-8111-111111111111", **environ)
    assert (nobody.exit_code, "no call" in nobody.stderr) == (1, True)
    assert run("live", "hangup", call.leg.uuid, **environ).exit_code == 0
    call.wait()
    service.stored()
    assert "agent: Hello." in run("live", "follow", call.leg.uuid, **environ).stdout
    (actor,) = {actor for actor, *_ in audits(client, call)}
    assert actor.startswith("cli:")


def with_a_human(serve: Callable[..., Service]) -> tuple[Service, TestCall, Client, list[Caller]]:
    """A caller who was connected to 201, and talks."""
    accepts = [Step(AgentSpeaking(0.9), Press("1"))]
    phones: list[Caller] = []

    def end() -> Caller:
        phones.append(Caller(accepts))
        return phones[-1]

    port = free_port()
    listener = FarEnd(end=lambda: Caller([]))
    service = serve(
        **OPEN, far_ends={"201": FarEnd(end=end), "200": listener}, freeswitch={"port": port}
    )
    service.switch.listen_inbound(port)
    tenant = service.add_tenant(
        model("201"),
        transfer_rules=[{"destination": "201", "mode": "announced"}],
        transfer_return=True,
        resume_after_noise=False,
    )
    call = service.call([Step(AgentSilent(0.35), SPEAK)], tenant=tenant)
    wait_for(lambda: phones and not len(service.app.calls), 20)
    service.app.journal.wait_stored(5)
    return service, call, client_of(service), phones


def test_a_caller_who_talks_with_a_human_is_listened_to_taken_over_and_ended(
    serve: Callable[..., Service],
) -> None:
    service, call, client, phones = with_a_human(serve)
    try:
        for act in ("tell", "recording"):  # there is no model in the call any more
            assert client.post(page(call, act), ACTS[act]).json["result"] == "refused"
        assert client.post(page(call, "listen"), {"extension": "200"}).json["result"] == "asked"
        wait_for(lambda: ("operator", "listen", "200", "done") in audits(client, call))
        # The worker that let him go is no more: any other will do.
        service.database.execute(
            "update v_voice_conversations_realtime set worker = 'gone' where call_uuid = %s",
            call.leg.uuid,
        )
        outside = client.post(page(call, "takeover"), {"extension": "+390612345678"})
        assert outside.json["result"] == "refused"
        taken = client.post(page(call, "takeover?actor=maria"), {"extension": "1004"})
        assert taken.json["result"] == "done"
        wait_for(lambda: call.leg.channel.destination == "1004")
        wait_for(lambda: phones[0].ended_at is not None)
        assert not call.leg.channel.get("transfer_after_bridge")
        assert client.post(page(call, "hangup")).json["result"] == "done"
        call.wait()
        assert client.post(page(call, "hangup")).status == 404
        service.stored()
        assert ("maria", "takeover", "1004", "done") in audits(client, call)
        assert len([act for act in audits(client, call) if act[1] == "hangup"]) == 1
    finally:
        service.switch.close_inbound()


def test_a_number_outside_is_asked_about_before_a_caller_is_taken_there(
    serve: Callable[..., Service],
) -> None:
    service, call, client = talking(serve)
    outside = client.post(page(call, "takeover"), {"extension": "+390612345678"})
    assert outside.json["result"] == "refused"
    assert service.session(call).ended is False
    call.leg.hang_up()
    call.wait()
