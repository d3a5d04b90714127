"""What pages ask for: lists, one conversation, provider and call tests, keys, explanations."""

from __future__ import annotations

import io
import wave
from datetime import timedelta
from pathlib import Path

import gevent
import pytest

from esl_controller.database.repository.demo import DemoProvider
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.switch.dialplan import DEFAULT_FAR_ENDS
from esl_controller.simulator.switch.legs import FarEnd
from esl_controller.telemetry.catalogue import ErrorCode, OwnError
from esl_controller.tenants.keys.secrets import SecretKeys
from tests.integration.api_kit import OPEN, client_of
from tests.integration.api_rows import NOW, begin, new_id, with_everything
from tests.integration.service import (
    SPEAK,
    free_port,
    hang_up_after,
    service,
    wait_for,
)

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))


def provider_page(database, domain_uuid: str) -> str:
    ((key,),) = database.execute(
        """select voice_realtime_provider_uuid::text from v_voice_realtime_providers
           where domain_uuid = %s""",
        domain_uuid,
    )
    return f"/domains/{domain_uuid}/providers/{key}"


@pytest.fixture
def provider(running, database) -> str:
    return provider_page(database, running.tenant.domain_uuid)


def test_conversations_come_page_by_page_also_those_of_one_moment(client, domain, running):
    talks = [
        begin(
            running.app._pool,
            running.tenant.domain_uuid,
            started_at=NOW - timedelta(minutes=n // 3),
        )
        for n in range(8)
    ]
    found, query = [], "?limit=3"
    while query:
        page = client.get(f"{domain}/conversations{query}").json
        found += page["conversations"]
        query = f"?limit=3&cursor={page['next']}" if page["next"] else ""
    assert {one["conversation_uuid"] for one in found} == {talk.key for talk in talks}
    assert len(found) == 8
    times = [one["started_at"] for one in found]
    assert times == sorted(times, reverse=True)


def test_conversations_are_filtered(client, domain, running):
    def start(**fields):
        return begin(running.app._pool, running.tenant.domain_uuid, **fields).key

    old = start(started_at=NOW - timedelta(days=2))
    failed = start(outcome="failed", ended_at=NOW)
    elsewhere = start(destination="8002")
    caller = start(caller_id="+4930123")

    def keys(query: str) -> set[str]:
        page = client.get(f"{domain}/conversations?{query}").json
        return {one["conversation_uuid"] for one in page["conversations"]}

    day_ago = (NOW - timedelta(days=1)).isoformat().replace("+", "%2B")
    assert keys(f"to={day_ago}") == {old}
    assert keys(f"from={day_ago}") == {failed, elsewhere, caller}
    assert keys("outcome=failed") == {failed}
    assert keys("extension=8002") == {elsewhere}
    assert keys("caller=%2B4930123") == {caller}
    assert keys("caller=%2B4930123&extension=8002") == set()
    assert keys("caller_suffix=0123") == {caller}
    assert keys("failed=true") == {failed}


def test_conversations_are_found_by_the_code_of_what_went_wrong(client, domain, running):
    codes = [code.value for code in (*ErrorCode, *OwnError)]
    talks = {
        code: begin(
            running.app._pool,
            running.tenant.domain_uuid,
            outcome="failed",
            error_code=code,
            ended_at=NOW,
        )
        for code in codes
    }
    for code in codes:
        (found,) = client.get(f"{domain}/conversations?error_code={code}").json["conversations"]
        assert found["conversation_uuid"] == talks[code].key
    assert client.get(f"{domain}/conversations?error_code=REALTIME_999").status == 422


def test_a_conversation_is_shown_with_everything(client, domain, running):
    talk = begin(running.app._pool, running.tenant.domain_uuid)
    with_everything(talk)
    shown = client.get(f"{domain}/conversations/{talk.key.upper()}").json
    assert shown["conversation"]["call_uuid"] == talk.row.call_uuid
    ((turn,), (call,), (transfer,), (usage,)) = (
        shown[name] for name in ("turns", "function_calls", "transfers", "usage")
    )
    assert (turn["total_ms"], turn["network_ms"], turn["model_ms"]) == (400, 20, 370)
    assert (call["arguments"], call["duration_ms"]) == ({"phone": "+5511999"}, 12)
    assert transfer["destination"] == "200"
    assert (usage["cost_usd"], usage["audio_seconds"]) == ("0.250000", 1.5)
    assert shown["cost_usd"] == "0.250000"


def test_calls_going_on_are_listed(client, domain, running):
    talk = begin(running.app._pool, running.tenant.domain_uuid)
    begin(running.app._pool, running.tenant.domain_uuid).end()
    (call,) = client.get(f"{domain}/calls").json["calls"]
    assert call["conversation_uuid"] == talk.key


# --- providers ------------------------------------------------------------------------------------


def test_a_good_provider_is_measured(client, provider):
    test = client.post(f"{provider}/test").json
    assert test["ok"]
    assert 0 < test["connect_ms"] <= test["ready_ms"]
    assert test["error"] is None


def test_a_provider_that_refuses_is_told_by_kind(client, running, database):
    tenant = running.add_tenant(EmulatorConfig(faults=Faults(refuse_status=401)))
    page = provider_page(database, tenant.domain_uuid)
    test = client.post(f"{page}/test").json
    assert (test["ok"], test["error"]["kind"]) == (False, "authentication")
    preview = client.post(f"{page}/preview", {"text": "Hello."})
    assert (preview.status, preview.json["type"]) == (
        409,
        "urn:voice-ai:problem:provider-authentication",
    )


def test_a_key_that_cannot_be_opened_is_a_matter_of_settings(client, database):
    row = database.seed(provider=DemoProvider(credential="sealed:0123:AAAA"))
    page = f"/domains/{row.domain_uuid}/providers/{row.voice_realtime_provider_uuid}"
    test = client.post(f"{page}/test").json
    assert (test["ok"], test["error"]["kind"]) == (False, "configuration")


def test_a_voice_is_heard(client, provider):
    preview = client.post(f"{provider}/preview", {"text": "Good morning.", "voice": "cedar"})
    assert (preview.status, preview.headers["Content-Type"]) == (200, "audio/wav")
    with wave.open(io.BytesIO(preview.body)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert sound.getnframes() > sound.getframerate() / 5
        assert any(sound.readframes(sound.getnframes()))


def test_no_voice_is_heard_once_the_budget_is_used_up(client, provider, running, database):
    database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, daily_budget_usd) values (%s, 0)",
        running.tenant.domain_uuid,
    )
    preview = client.post(f"{provider}/preview", {"text": "Good morning."})
    assert (preview.status, preview.json["type"]) == (409, "urn:voice-ai:problem:budget-exhausted")
    assert running.tenant.records == []


def test_heavy_requests_are_few_at_once(client, running, database):
    tenant = running.add_tenant(EmulatorConfig(faults=Faults(connect_delay_s=0.5)))
    page = f"{provider_page(database, tenant.domain_uuid)}/test"
    tests = [gevent.spawn(client.post, page) for _ in range(3)]
    answers = sorted((test.get() for test in tests), key=lambda answer: answer.status)
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert client.post(page).status == 200


# --- keys -----------------------------------------------------------------------------------------


def test_a_sealed_key_opens_for_this_domain_only(client, domain, running):
    key = "sk-secret-0123456789"
    answer = client.post(f"{domain}/keys/seal", {"key": key})
    keys = SecretKeys.load(Path(running.app.settings.storage.secret_key_file))
    opened = keys.open(running.tenant.domain_uuid, answer.json["credential"])
    assert opened.reveal() == key
    assert key.encode() not in answer.body
    public = client.get(f"{domain}/keys/public").json
    assert public == {"key_id": keys.key_id, "public_key": keys.public_key}


@pytest.mark.parametrize("key", ["sk-secret with blank", "sk-secret\n", "", "ключ-secret"])
def test_a_wrong_key_is_refused_and_not_repeated(key, client, domain):
    answer = client.post(f"{domain}/keys/seal", {"key": key})
    assert answer.status == 422
    assert b"secret" not in answer.body


# --- where a call would go ------------------------------------------------------------------------


def test_a_good_number_is_explained(client, domain):
    check = client.get(f"{domain}/extensions/8001/check").json
    assert (check["outcome"], check["destination"], check["problems"]) == ("realtime", None, [])
    assert check["providers"] == ["demo"]


def test_a_number_nobody_has_is_explained(client, domain):
    assert client.get(f"{domain}/extensions/9999/check").json["outcome"] == "not_ours"


@pytest.mark.parametrize(
    ("change", "outcome", "destination"),
    [
        ("business_hours = '{}', closed_extension = '300'", "closed", "300"),
        ("time_zone = 'Nowhere/City'", "realtime", None),
        ("realtime_provider = 'gemini', voice_realtime_provider_uuid = null", "unavailable", None),
    ],
)
def test_why_a_call_is_not_answered(change, outcome, destination, client, domain, database):
    database.execute(f"update v_voice_secretaries_realtime set {change}")
    check = client.get(f"{domain}/extensions/8001/check").json
    assert (check["outcome"], check["destination"]) == (outcome, destination)
    assert bool(check["problems"]) == (outcome == "unavailable")
    assert bool(check["warnings"]) == ("time_zone" in change or "hours" in change)


def test_a_used_up_budget_is_explained(client, domain, running, database):
    database.execute(
        """insert into v_voice_realtime_settings
             (domain_uuid, daily_budget_usd, budget_action, human_extension)
           values (%s, 0, 'human', '200')""",
        running.tenant.domain_uuid,
    )
    check = client.get(f"{domain}/extensions/8001/check").json
    assert (check["outcome"], check["destination"]) == ("budget", "200")
    assert check["budget"]["level"] == "exhausted"


# --- test calls -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["simulated", "telephone"])
def test_only_numbers_a_secretary_answers_are_called(kind, client, domain):
    body = {"extension": "0049301234"} | ({"ring": "1001"} if kind == "telephone" else {})
    answer = client.post(f"{domain}/test-calls/{kind}", body)
    assert (answer.status, answer.json["type"]) == (409, "urn:voice-ai:problem:not-answered")


def test_a_simulated_caller_hears_the_secretary_one_at_a_time(client, domain):
    body = {"extension": "8001", "seconds": 3}
    begun = client.post(f"{domain}/test-calls/simulated", body)
    assert (begun.status, begun.json["state"]) == (202, "running"), begun.body
    assert client.post(f"{domain}/test-calls/simulated", body).status == 429
    heard = finished(client, domain, begun)["simulated"]
    assert (heard["passed"], heard["reasons"], heard["answered"]) == (True, [], True)
    assert heard["sound_ms"] > 0
    assert client.get(f"{domain}/test-calls/{new_id()}").status == 404


def finished(client, domain, begun):
    """A test call that was begun, once it is over."""
    page = f"{domain}/test-calls/{begun.json['test_call_uuid']}"
    wait_for(lambda: client.get(page).json["state"] != "running", 60)
    return client.get(page).json


def test_freeswitch_that_is_away_is_said(database, tmp_path):
    body = {"extension": "8001", "ring": "1001"}
    with service(database, tmp_path, **OPEN, freeswitch={"port": free_port()}) as running:
        path = f"/domains/{running.tenant.domain_uuid}/test-calls/telephone"
        client = client_of(running)
        domain = f"/domains/{running.tenant.domain_uuid}"
        answer = finished(client, domain, client.post(path, body))
    assert (answer["state"], answer["problem"]["type"]) == (
        "failed",
        "urn:voice-ai:problem:freeswitch-unavailable",
    )


def test_a_telephone_is_rung_and_talks_with_the_secretary(database, tmp_path):
    """From the page's button to the stored transcript."""
    port = free_port()
    caller = Caller([ASK, BYE])
    far_ends = {**DEFAULT_FAR_ENDS, "1004": FarEnd(end=lambda: caller)}
    with service(
        database, tmp_path, freeswitch={"port": port}, far_ends=far_ends, **OPEN
    ) as running:
        running.switch.listen_inbound(port)
        client, domain = client_of(running), f"/domains/{running.tenant.domain_uuid}"
        answers = {
            number: finished(
                client,
                domain,
                client.post(
                    f"{domain}/test-calls/telephone", {"extension": "8001", "ring": number}
                ),
            )["telephone"]
            for number in ("1001", "9999", "1004")
        }
        assert running.switch._inbound is not None
        running.stored()
        running.switch._inbound.close()
        (listed,) = client.get(f"{domain}/conversations").json["conversations"]
        shown = client.get(f"{domain}/conversations/{listed['conversation_uuid']}").json
    assert "USER_BUSY" in answers["1001"]["cause"]
    assert "SUBSCRIBER_ABSENT" in answers["9999"]["cause"]
    assert answers["1004"] == {"answered": True, "call_uuid": listed["call_uuid"], "cause": None}
    assert (listed["outcome"], listed["destination"]) == ("completed", "8001")
    assert listed["ended_at"]
    assert [turn["content"] for turn in shown["turns"]] == ["Hello.", "a question", "Certainly."]
    assert caller.hearing.last_sound_at is not None


def test_an_unknown_conversation_is_not_found(client, domain):
    assert client.get(f"{domain}/conversations/{new_id()}").status == 404
