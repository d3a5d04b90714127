"""Whatever one domain asks of the other's records is refused: every page, parameter and ticket."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.integration.api_kit import Client
from tests.pages.forms import Page
from tests.pages.test_conversation import begin, say
from tests.pages.test_documents import document
from tests.pages.test_functions import errand
from tests.pages.world import APP, TOKEN

BASE = "/app/voice_secretary"
SECRET = "what only domain two may know"


@pytest.fixture
def theirs(here) -> dict[str, str]:
    """Records of the second domain, each with its secret."""
    sql = """update v_voice_secretaries_realtime set system_prompt = %s, secretary_name = %s
             where domain_uuid = %s"""
    here.database.execute(sql, SECRET, SECRET, here.two.domain_uuid)
    sql = "update v_voice_realtime_providers set provider_label = %s where domain_uuid = %s"
    here.database.execute(sql, SECRET, here.two.domain_uuid)
    talk = begin(here, here.two, caller_name=SECRET, ended_at=None, outcome=None)
    say(here, here.two, talk, 1, "user", SECRET)
    call = here.row(
        "select call_uuid from v_voice_conversations_realtime where conversation_uuid = %s", talk
    )[0]
    sql = """insert into v_voice_realtime_functions (voice_realtime_function_uuid, domain_uuid,
               function_name, function_kind, description, url)
             values (gen_random_uuid(), %s, 'f' || substr(md5(random()::text), 1, 8), 'http', %s,
               'https://two.example/') returning voice_realtime_function_uuid::text"""
    function = here.row(sql, here.two.domain_uuid, SECRET)[0]
    sql = "update v_voice_realtime_errands set last_error = %s where errand_uuid = %s"
    given_up = errand(here, here.two)
    here.database.execute(sql, SECRET, given_up)
    return {
        "document": document(here, here.two, SECRET),
        "function": function,
        "errand": given_up,
        "secretary": here.two.secretary_realtime_uuid,
        "provider": here.two.voice_realtime_provider_uuid,
        "conversation": talk,
        "call": call,
        "domain": here.two.domain_uuid,
    }


def everything(here: Any) -> list[Any]:
    """All rows of the second domain, to see that nothing changed."""
    found = []
    for table in (
        "v_voice_secretaries_realtime",
        "v_voice_realtime_providers",
        "v_voice_conversations_realtime",
        "v_voice_turns_realtime",
        "v_voice_realtime_settings",
        "v_voice_secretaries",
        "v_voice_realtime_functions",
        "v_voice_realtime_errands",
        "v_voice_realtime_documents",
        "v_voice_realtime_passages",
    ):
        sql = f"select to_jsonb(t)::text from {table} t where domain_uuid = %s order by 1"
        found.append(here.database.execute(sql, here.two.domain_uuid))
    return found


def pages() -> list[str]:
    return sorted(path.name for path in APP.glob("*.php") if not path.name.startswith("app_"))


def parameters() -> list[str]:
    """Every name any page or class reads of a request."""
    names: set[str] = set()
    for path in [*APP.glob("*.php"), *APP.rglob("resources/classes/*.php")]:
        text = path.read_text("utf-8")
        names |= set(re.findall(r"\$_(?:GET|POST|REQUEST)\['(\w+)'\]", text))
        names |= set(re.findall(r"\$(?:told|given|typed|post)\['(\w+)'\]", text))
    assert {"id", "secretary", "row", "test", "moved", "show", "domain_uuid"} - names <= {
        "domain_uuid"
    }
    return sorted(names | {"domain_uuid"})


@pytest.mark.parametrize("page", pages())
def test_no_page_shows_or_changes_what_is_another_s(here, theirs, page) -> None:
    visitor = here.visitor(here.one)
    before = everything(here)
    for value in theirs.values():
        others = "&".join(f"{name}={value}" for name in parameters() if name != "id")
        for query in (f"id={value}", f"{others}&id={here.one.secretary_realtime_uuid}"):
            _, text, place = visitor.get(f"{BASE}/{page}?{query}&domain_change=true&show=all")
            assert SECRET not in text, query
            assert value not in place or page == "voice_secretary_edit.php", query
    assert everything(here) == before


ACTIONS = {
    "secretaries.php": ("secretaries", "secretary", ("copy", "toggle", "delete")),
    "providers_realtime.php": ("providers", "provider", ("copy", "toggle", "delete", "up", "down")),
    "functions_realtime.php": ("functions", "function", ("copy", "toggle", "delete")),
    "functions_realtime_edit.php": ("", "function", ("save",)),
    "documents_realtime.php": ("documents", "document", ("delete", "upload")),
    "errands_realtime.php": ("", "errand", ("retry", "drop")),
    "secretary_edit.php": ("", "secretary", ("save", "delete")),
    "providers_realtime_edit.php": ("", "provider", ("save", "delete")),
}


@pytest.mark.parametrize("page", ACTIONS)
def test_no_form_changes_what_is_another_s(here, theirs, page) -> None:
    rows, of, actions = ACTIONS[page]
    visitor = here.visitor(here.one)
    before = everything(here)
    key = theirs[of]
    for action in actions:
        fields = Page(visitor.get(f"{BASE}/{page}")[1]).fields
        forged = {"action": action, "id": key, "moved": key, "domain_uuid": theirs["domain"]}
        forged |= {action: key}
        if rows:
            forged |= {f"{rows}[0][checked]": "true", f"{rows}[0][uuid]": key}
        else:
            forged |= {"secretary_name": "Forged", "provider_label": "Forged"}
        _, text, _ = visitor.post(f"{BASE}/{page}", fields | forged)
        assert SECRET not in text
        assert everything(here) == before, action


def test_a_secretary_of_ours_cannot_name_their_provider(here, theirs) -> None:
    visitor = here.visitor(here.one)
    page = f"{BASE}/secretary_edit.php"
    fields = Page(visitor.get(f"{page}?id={here.one.secretary_realtime_uuid}")[1]).fields
    fields |= {"voice_realtime_provider_uuid": theirs["provider"], "action": "save"}
    status, html, _ = visitor.post(page, fields)
    said = "This domain has no such provider."
    assert (status, Page(html).errors["voice_realtime_provider_uuid"]) == (200, said)


def test_no_script_asks_about_what_is_another_s(here, theirs) -> None:
    visitor = here.visitor(here.one)
    before = everything(here)
    questions = re.findall(
        r"^\t\t'(\w+)' => \[",
        (APP / "resources/classes/voice_secretary_asker.php").read_text("utf-8"),
        re.MULTILINE,
    )
    assert len(questions) == 15
    html = visitor.get(f"{BASE}/talk_realtime.php?id={here.one.secretary_realtime_uuid}")[1]
    told = json.loads(re.search(r"window\.voice_secretary = (\{.*?\})</script>", html)[1])
    for question in questions:
        for value in theirs.values():
            body = {told["token_name"]: told["token"], "ask": question}
            body |= dict.fromkeys(("id", "row", "test", "call", "extension", "ring"), value)
            status, text, _ = visitor.post(f"{BASE}/realtime_ask.php", body)
            assert status == 200
            assert SECRET not in text, question
            assert theirs["domain"] not in text, question
            answer = json.loads(text)
            assert answer["ok"] is False, question
            assert answer.get("said") or answer.get("fields"), question
    assert everything(here) == before


def test_no_ticket_of_ours_opens_what_is_another_s(here, theirs) -> None:
    ours = Client(here.app.media.address, TOKEN)
    nobody = Client(here.app.media.address, "")
    domain = f"/domains/{here.one.domain_uuid}"
    for scope in (f"calls/{theirs['call']}/events", "talk/8001"):
        ticket = ours.post(f"{domain}/tickets", {"scope": scope}).json["ticket"]
        for path in (
            f"/domains/{theirs['domain']}/calls/{theirs['call']}/events",
            f"/domains/{theirs['domain']}/conversations",
            f"/domains/{theirs['domain']}/secretaries/{theirs['secretary']}",
        ):
            assert nobody.get(f"{path}?ticket={ticket}", Authorization="").status == 401
    # Its own path leads to no call of the other domain.
    ticket = ours.post(f"{domain}/tickets", {"scope": f"calls/{theirs['call']}/events"}).json
    path = f"{domain}/calls/{theirs['call']}/events?ticket={ticket['ticket']}"
    answer = nobody.get(path, Authorization="")
    assert SECRET not in answer.body.decode()


@pytest.mark.parametrize("group", ["user", "agent"])
def test_who_may_not_is_told_so(here, theirs, group) -> None:
    visitor = here.visitor(here.one, group=group)
    before = everything(here)
    for page in pages():
        if page in ("voice_secretary_edit.php", "realtime_ask.php"):
            continue
        if page == "secretaries.php" and group == "user":
            continue  # may look
        _, text, _ = visitor.get(f"{BASE}/{page}")
        assert text.endswith("access denied"), page
    assert everything(here) == before
