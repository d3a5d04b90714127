"""Pages add, change and remove what a domain configures; nobody reaches another's rows."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from functools import partial

import pytest

from esl_controller.database.repository.demo import DemoProvider
from tests.integration.api_kit import Client
from tests.integration.api_rows import NOW, begin, new_id

KEY = "sk-of-the-tenant"


def patch(client: Client, path: str, body: object):
    return client.ask("PATCH", path, body)


def test_a_secretary_is_added_changed_and_removed(client, domain):
    body = {"secretary_name": "Night", "extension": "8002", "vad_threshold": 0.7, "language": None}
    added = client.post(f"{domain}/secretaries", body)
    assert added.status == 201, added.body
    page = f"{domain}/secretaries/{added.json['secretary_realtime_uuid']}"
    assert client.get(page).json == added.json
    assert (added.json["vad_threshold"], added.json["barge_in"]) == (0.7, True)
    changed = patch(client, page, {"barge_in": False, "system_prompt": "x" * 50_000})
    assert (changed.status, changed.json["barge_in"]) == (200, False)
    assert changed.json["secretary_name"] == "Night"
    assert len(client.get(f"{domain}/secretaries").json["secretaries"]) == 2
    assert client.ask("DELETE", page).json == {"removed": page.rpartition("/")[2]}
    assert client.get(page).status == client.ask("DELETE", page).status == 404


def test_a_form_is_checked_before_it_is_saved(client, domain):
    wrong = {"extension": "8001", "max_turns": 0, "vad_mode": "loud"}
    told = client.post(f"{domain}/secretaries/validate", wrong)
    assert told.status == 200
    fields = {one["field"] for one in told.json["problems"]}
    assert (told.json["ok"], fields) == (False, {"secretary_name", "max_turns", "vad_mode"})
    refused = client.post(f"{domain}/secretaries", wrong)
    assert (refused.status, len(refused.json["problems"])) == (422, 3)
    (stored,) = client.get(f"{domain}/secretaries").json["secretaries"]
    page = f"{domain}/secretaries/{stored['secretary_realtime_uuid']}/validate"
    assert client.post(page, {"language": "pt-BR"}).json["ok"]
    assert client.post(f"{domain}/secretaries", {"voce_id": "x"}).status == 422


def test_a_refusal_says_at_each_field_what_it_takes(client, domain):
    wrong = {"extension": "8001", "max_turns": 0, "vad_mode": "loud", "secretary_name": "Two"}
    refused = client.post(f"{domain}/secretaries", wrong)
    told = {one["field"]: one for one in refused.json["fields"]}
    assert (told["max_turns"]["expected"], told["max_turns"]["least"]) == ("whole", 1)
    assert told["vad_mode"]["choices"] == ["server", "semantic"]
    taken = client.post(f"{domain}/secretaries", {"extension": "8001", "secretary_name": "Two"})
    assert [(one["field"], one["kind"]) for one in taken.json["fields"]] == [("extension", "taken")]
    provider = client.post(f"{domain}/providers/validate", {"realtime_provider": "fax"})
    kinds = {one["field"]: one["kind"] for one in provider.json["problems"]}
    assert kinds == {"realtime_provider": "wrong", "provider_label": "needed"}
    columns = client.get("/columns").json
    assert {"vad_threshold", "transfer_rules"} <= {one["name"] for one in columns["secretary"]}
    assert all(one["help"] for kind in columns.values() for one in kind)


@pytest.mark.parametrize(
    ("language", "nothing", "said"),
    [
        ("en-us", "nothing was stored", "is 0, must be between 1 and 10000"),
        ("pt-br", "nada foi salvo", "é 0, deve ficar entre 1 e 10000"),
        ("es-cl", "no se guardó nada", "es 0, debe estar entre 1 y 10000"),
    ],
)
def test_rows_are_spoken_of_in_the_language_that_is_asked_for(
    client, domain, language, nothing, said
):
    ask = partial(client.ask, **{"Accept-Language": language})
    wrong = {"max_turns": 0, "secretary_name": "Two"}
    refused = ask("POST", f"{domain}/secretaries", wrong).json
    assert (refused["detail"], refused["problems"]) == (nothing, [f"max_turns {said}"])
    assert [one["message"] for one in refused["fields"]] == [said]
    judged = ask("POST", f"{domain}/secretaries/validate", wrong).json
    assert [one["message"] for one in judged["problems"]] == [said]
    helps = [one["help"] for one in ask("GET", "/columns").json["secretary"]]
    assert ("Whether it answers." in helps) == (language == "en-us")
    features = [one["help"] for one in ask("GET", "/registry").json["features"]]
    assert ("writes down both sides" in features) == (language == "en-us")


def test_a_provider_s_key_goes_in_and_is_never_seen(client, domain, database):
    body = {"provider_label": "own", "realtime_provider": "openai", "credential": KEY}
    added = client.post(f"{domain}/providers", body)
    assert (added.status, added.json["key"]) == (201, "sealed")
    page = f"{domain}/providers/{added.json['voice_realtime_provider_uuid']}"
    patch(client, page, {"headers": {"api-key": KEY}})
    for answer in (added, client.get(page), client.get(f"{domain}/providers")):
        assert KEY.encode() not in answer.body
        assert b"sealed:" not in answer.body
    assert client.get(page).json["header_names"] == ["api-key"]
    ((stored,),) = database.execute(
        "select credential from v_voice_realtime_providers where provider_label = 'own'"
    )
    assert stored.startswith("sealed:")
    assert patch(client, page, {"credential": "env:OPENAI_API_KEY"}).json["key"] == (
        "env:OPENAI_API_KEY"
    )
    assert client.ask("DELETE", page).status == 200


def test_limits_and_what_is_used_of_them(client, domain):
    assert client.get(f"{domain}/settings").json["daily_budget_usd"] is None
    answer = patch(client, f"{domain}/settings", {"daily_budget_usd": "2.50"})
    assert (answer.status, answer.json["daily_budget_usd"]) == (200, "2.50")
    assert patch(client, f"{domain}/settings", {"daily_budget_usd": "-1"}).status == 422
    budget = client.get(f"{domain}/budget").json["budget"]
    assert (budget["period"], budget["limit_usd"]) == ("day", "2.50")


def test_rows_of_another_domain_are_not_there(client, running, database):
    other = database.seed(provider=DemoProvider(credential="env:OPENAI_API_KEY"))
    mine = f"/domains/{running.tenant.domain_uuid}"
    pages = {
        f"{mine}/secretaries/{other.secretary_realtime_uuid}": {"enabled": False},
        f"{mine}/providers/{other.voice_realtime_provider_uuid}": {"enabled": False},
    }
    for page, change in pages.items():
        for method, body in (("GET", None), ("PATCH", change), ("DELETE", None)):
            assert client.ask(method, page, body).status == 404, (method, page)
    taken = {
        "secretary_name": "a",
        "voice_realtime_provider_uuid": other.voice_realtime_provider_uuid,
    }
    assert client.post(f"{mine}/secretaries", taken).status == 422
    rows = database.execute(
        "select enabled from v_voice_secretaries_realtime where domain_uuid = %s",
        other.domain_uuid,
    )
    assert rows == [(True,)]


def test_conversations_are_counted_filtered_and_exported(client, running, domain):
    pool, uuid = running.app._pool, running.tenant.domain_uuid
    for number in range(5):
        talk = begin(
            pool,
            uuid,
            caller_id=f"+55119990{number}",
            caller_name="=cmd()" if number == 4 else "Ana",
            started_at=NOW - timedelta(minutes=number),
        )
        talk.say(f"number {number}")
        talk.end("failed" if number % 2 else "completed")
    listed = client.get(f"{domain}/conversations?limit=2").json
    assert (len(listed["conversations"]), listed["total"]) == (2, 5)
    following = client.get(f"{domain}/conversations?limit=2&cursor={listed['next']}").json
    assert following["total"] == 5
    for query, count in {
        "caller_suffix=9903": 1,
        "failed=true": 2,
        "text=number%203": 1,
        "provider=openai": 0,
        f"secretary={new_id()}": 0,
        "error_code=REALTIME_001": 0,
    }.items():
        assert client.get(f"{domain}/conversations?{query}").json["total"] == count, query
    answer = client.get(f"{domain}/exports/conversations?failed=true")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["caller_id"] for row in rows] == ["+551199901", "+551199903"]
    whole = client.get(f"{domain}/exports/conversations").body.decode()
    assert "'=cmd()" in whole


def test_a_ticket_opens_one_page_of_one_domain(client, running, domain, database):
    talk = begin(running.app._pool, running.tenant.domain_uuid, "call-1")
    talk.end()
    scope = "calls/call-1/events"
    ticket = client.post(f"{domain}/tickets", {"scope": scope}).json["ticket"]
    stranger = Client(client.address, token="")
    assert b"event: end" in stranger.get(f"{domain}/{scope}?ticket={ticket}").body
    other = f"/domains/{database.seed().domain_uuid}"
    last = "A" if ticket[-1] != "A" else "E"
    for page in (
        f"{domain}/{scope}",
        f"{domain}/{scope}?ticket={ticket[:-2]}{last}{last}",
        f"{domain}/{scope}?ticket=9{ticket}",
        f"{domain}/calls/call-2/events?ticket={ticket}",
        f"{other}/{scope}?ticket={ticket}",
        f"{domain}/conversations?ticket={ticket}",
        f"/openapi.json?ticket={ticket}",
    ):
        assert stranger.get(page).status == 401, page
    assert stranger.ask("POST", f"{domain}/{scope}?ticket={ticket}").status == 405


def test_the_registry_tells_everything_of_each_provider(client):
    answer = client.get("/registry")
    assert answer.status == 200
    known = {one["kind"]: one for one in answer.json["providers"]}
    assert list(known) == ["openai", "elevenlabs", "gemini", "custom"]
    models = {model["id"]: model for model in known["openai"]["models"]}
    assert models["gpt-realtime"]["ends_on"] == "2027-01-20"
    prices = {price["unit"]: price for price in models["gpt-realtime-2.1"]["prices"]}
    assert (prices["audio_output"]["usd"], prices["audio_output"]["since"]) == ("64", "2026-08-01")
    assert prices["audio_output"]["source"]
    fields = {field["name"]: field for field in known["elevenlabs"]["fields"]}
    assert fields["interface"]["choices"] == ["realtime"]
    assert fields["agent_id"]["type"] == "text"
    assert all(field["help"] for one in known.values() for field in one["fields"])
    assert not {"api_key", "headers"} & {f["name"] for one in known.values() for f in one["fields"]}
    words = {feature["id"] for feature in answer.json["features"]}
    assert {f for one in known.values() for i in one["interfaces"] for f in i["features"]} <= words
    assert {"pt_BR-faber-medium"} <= {voice["id"] for voice in known["custom"]["voices"]}


def test_models_voices_and_what_calls_cost(client):
    assert "marin" in client.get("/voices?provider=openai").json["voices"]
    models = client.get("/models").json["models"]
    assert {"gpt-realtime-2.1"} <= {model["model"] for model in models}
    body = {"model": "gpt-realtime-2.1", "minutes_per_call": 3, "calls_per_month": 100}
    long, short = (
        client.post("/estimate", body),
        client.post("/estimate", body | {"minutes_per_call": 1}),
    )
    assert float(long.json["per_call_usd"]) > 3 * float(short.json["per_call_usd"]) > 0
    assert client.post("/estimate", {"model": "no-such-model"}).status == 404


def test_one_conversation_or_all_with_a_caller_are_removed(client, running, domain, database):
    pool, ours = running.app._pool, running.tenant.domain_uuid
    first, second, going_on = (begin(pool, ours, f"call-{n}") for n in range(3))
    for talk in (first, second):
        talk.say("My name is private.")
        talk.end()
    page = f"{domain}/conversations/{first.key}"
    other = f"/domains/{database.seed().domain_uuid}/conversations/{first.key}"
    assert client.ask("DELETE", other).status == 404
    erased = client.ask("DELETE", page)
    assert (erased.status, erased.json["removed"]["turns"]) == (200, 1)
    assert client.get(page).status == client.ask("DELETE", page).status == 404
    refused = client.ask("DELETE", f"{domain}/conversations/{going_on.key}")
    assert (refused.status, refused.json["type"].rpartition(":")[2]) == (409, "going-on")
    report = client.post(f"{domain}/callers/erase", {"caller": first.row.caller_id}).json
    assert (report["removed"]["conversations"], report["going_on"]) == (1, 1)
    assert client.get(f"{domain}/conversations/{second.key}").status == 404


def test_the_installation_tells_of_its_workers(client, running):
    status = client.get("/status").json
    (worker,) = status["workers"]
    assert (worker["worker"], worker["alive"]) == (status["answered_by"], True)
    assert (status["status"], status["capacity"]) == ("healthy", worker["capacity"])
    assert Client(client.address, token="").get("/status").status == 401
