"""Two domains alike in everything: what one asks for by the other's names is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from esl_controller.database.acts import OutboundCall, errand
from esl_controller.database.repository import errands, knowledge
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.web.api.routing import Route
from esl_controller.web.api.table import ROUTES
from tests.integration.api_kit import OPEN, Answer, Client, client_of
from tests.integration.api_rows import NOW, begin, new_id, with_everything
from tests.integration.db_tenants import DOCUMENT, PASSAGES
from tests.integration.service import service

SECRETARY = "Victim's secretary"
FUNCTION = {
    "function_name": "own",
    "description": "Tells the time.",
    "url": "https://time.example/",
    "enabled": False,
}
BODIES: dict[str, Any] = {
    "preview_voice": {"text": "Hello."},
    "simulate_call": {"extension": "8001", "seconds": 3},
    "call_telephone": {"extension": "8001", "ring": "1001"},
    "seal_key": {"key": "sk-of-the-asker"},
    "make_ticket": {"scope": "calls/c-1/events"},
    "add_secretary": {"secretary_name": "Own", "enabled": False},
    "change_secretary": {"secretary_name": "Taken"},
    "validate_secretary": {"secretary_name": "Own"},
    "validate_change": {"secretary_name": "Taken"},
    "add_provider": {"provider_label": "own", "realtime_provider": "openai"},
    "change_provider": {"provider_label": "taken"},
    "change_tenant": {"retention_days": 30},
    "validate_provider": {"provider_label": "own", "realtime_provider": "openai"},
    "validate_provider_change": {"provider_label": "taken"},
    "erase_all_of_caller": {"caller": "+5511999"},
    "listen_to_call": {"extension": "1001"},
    "take_call_over": {"extension": "1001"},
    "tell_model": {"text": "Hello."},
    "change_recording": {"wanted": "pause"},
    "request_call": {"extension": "8001", "number": "1001"},
    "add_function": FUNCTION,
    "validate_function": FUNCTION,
    "change_function": {"description": "Taken"},
    "validate_function_change": {"description": "Taken"},
    "try_function": {"arguments": {}},
    "add_document": {"title": "Own", "source_format": "text", "content": "V2UgYXJlIG9wZW4u"},
}
QUERIES = {"search_documents": "?question=open"}
KEYS = {"conversation_uuid", "provider_uuid", "call_uuid", "secretary_uuid", "test_call_uuid"} | {
    "outbound_uuid",
    "errand_uuid",
    "function_uuid",
    "document_uuid",
}
"""Parts of a path that name a row."""

OWN = [route for route in ROUTES if "domain_uuid" in route.parameters]


class Asked:
    """Two domains with one worker; what the victim has must not be seen by the stranger."""

    def __init__(self, running: Any, database: Any) -> None:
        self.client: Client = client_of(running)
        victim = database.seed(
            extension="8001",
            name="victim.example",
            provider=DemoProvider(base_url=running.tenant.base_url),
            secretary_name=SECRETARY,
        )
        self.victim = victim.domain_uuid
        self.stranger = new_id()
        database.execute(
            "insert into v_domains (domain_uuid, domain_name) values (%s, 'stranger.example')",
            self.stranger,
        )
        self.talk = begin(running.app._pool, self.victim)
        with_everything(self.talk)
        outbound = OutboundCall(
            outbound_uuid=new_id(),
            domain_uuid=self.victim,
            extension="8001",
            number="+5511999",
            origin="api",
            not_before=NOW,
            not_after=NOW + timedelta(hours=1),
            created_at=NOW,
        )
        self.talk.store(outbound)
        wanted = errand("x", self.victim, "k", {"text": "Hello."}, NOW)
        document = DOCUMENT | {"document_uuid": new_id()}
        function_uuid = new_id()
        with running.app._pool.connection() as connection:
            errands.insert(connection, self.victim, wanted)
            knowledge.add_document(connection, self.victim, document, PASSAGES)
        database.execute(
            """insert into v_voice_realtime_functions (voice_realtime_function_uuid, domain_uuid,
               function_name, function_kind, url) values (%s, %s, 'f', 'mcp', 'https://x.example')""",
            function_uuid,
            self.victim,
        )
        self.names = {
            "errand_uuid": wanted.errand_uuid,
            "function_uuid": function_uuid,
            "document_uuid": document["document_uuid"],
            "outbound_uuid": outbound.outbound_uuid,
            "conversation_uuid": self.talk.key,
            "provider_uuid": victim.voice_realtime_provider_uuid,
            "call_uuid": self.talk.row.call_uuid,
            "extension": "8001",
            "secretary_uuid": victim.secretary_realtime_uuid,
            "test_call_uuid": new_id(),
        }
        self.secrets = [self.victim, *self.names.values(), SECRETARY, "victim.example", "Hello."]
        self.secrets.remove("8001")

    def ask(self, route: Route, domain_uuid: str) -> Answer:
        name = route.handler.__name__
        path = route.path.format(domain_uuid=domain_uuid, **self.names) + QUERIES.get(name, "")
        return self.client.ask(route.method, path, BODIES.get(route.handler.__name__))


@pytest.fixture
def asked(database, tmp_path) -> Iterator[Asked]:
    with service(database, tmp_path, **OPEN) as running:
        yield Asked(running, database)


def test_no_route_tells_a_domain_of_another(asked):
    for route in OWN:
        answer = asked.ask(route, asked.stranger)
        text = answer.body.decode(errors="replace")
        assert not [secret for secret in asked.secrets if secret in text], (route.path, text)
        if route.path.endswith("/audits"):
            assert answer.json == {"audits": []}
        elif KEYS & set(route.parameters):
            assert answer.status == 404, route.path
        elif route.handler.__name__ in ("simulate_call", "call_telephone", "request_call"):
            assert answer.status == 409, route.path
        else:
            assert answer.status == route.success, route.path


def test_lists_and_explanations_of_the_other_domain_are_empty(asked):
    empty = [
        asked.client.get(f"/domains/{asked.stranger}/{page}").json
        for page in ("conversations", "calls", "extensions/8001/check")
    ]
    assert empty[0] == {"conversations": [], "total": 0, "next": None}
    assert empty[1] == {"calls": []}
    assert (empty[2]["outcome"], empty[2]["secretary"]) == ("not_ours", None)


def test_the_same_names_work_for_their_own_domain(asked):
    """So that it is the domain that makes the difference above."""
    for name in ("list_conversations", "show_conversation", "list_active", "try_provider"):
        (route,) = [route for route in ROUTES if route.handler.__name__ == name]
        assert asked.ask(route, asked.victim).status == 200, name


def test_a_cursor_of_another_domain_leads_nowhere(asked):
    begin(asked.talk.pool, asked.victim)
    page = asked.client.get(f"/domains/{asked.victim}/conversations?limit=1").json
    other = f"/domains/{asked.stranger}/conversations?cursor={page['next']}"
    assert asked.client.get(other).json == {"conversations": [], "total": 0, "next": None}


def test_nothing_is_told_of_a_domain_that_does_not_exist(asked):
    for route in OWN:
        assert asked.ask(route, new_id()).status == 404, route.path


def test_nothing_of_the_other_domain_was_changed(asked, database):
    for route in OWN:
        asked.ask(route, asked.stranger)
    for table in ("v_voice_secretaries_realtime", "v_voice_realtime_providers"):
        column = "secretary_name" if "secretaries" in table else "provider_label"
        rows = database.execute(
            f"select {column} from {table} where domain_uuid = %s", asked.victim
        )
        assert rows in ([(SECRETARY,)], [("demo",)])


def test_what_is_missing_and_what_is_anothers_are_told_alike(asked):
    unknown = dict.fromkeys(KEYS, new_id())
    for route in [route for route in OWN if KEYS & set(route.parameters)]:
        theirs = asked.ask(route, asked.stranger)
        asked.names |= unknown
        nobodys = asked.ask(route, asked.stranger)
        assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body), route.path


def test_a_key_sealed_for_one_domain_does_not_work_in_another(asked, database):
    sealed = asked.client.post(f"/domains/{asked.stranger}/keys/seal", {"key": "sk-1"}).json
    database.execute(
        "update v_voice_realtime_providers set credential = %s where domain_uuid = %s",
        sealed["credential"],
        asked.victim,
    )
    page = f"/domains/{asked.victim}/providers/{asked.names['provider_uuid']}/test"
    test = asked.client.post(page).json
    assert test["error"]["kind"] == "configuration"
    assert not re.search("sk-1", str(test))
