"""Functions a domain brings, those a secretary offers, and what calls left to be delivered."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.pages.forms import Page

BASE = "/app/voice_secretary"


def errand(here: Any, tenant: Any, state: str = "dead") -> str:
    sql = """insert into v_voice_realtime_errands (errand_uuid, domain_uuid, kind, idempotency_key,
               not_before, next_at, state, last_error)
             values (%s, %s, 'webhook', %s, now(), now(), %s, 'the other side said 500')"""
    key = str(uuid.uuid4())
    here.database.execute(sql, key, tenant.domain_uuid, key, state)
    return key


def test_a_function_is_made_changed_and_removed(here) -> None:
    visitor = here.visitor(here.one)
    page = f"{BASE}/functions_realtime_edit.php"
    fields = Page(visitor.get(page)[1]).fields
    fields |= {"function_name": "order_status", "description": "Says how an order stands."}
    fields |= {"url": "https://shop.example/orders/{order}", "credential": "sk-of-the-shop"}
    status, html, _ = visitor.post(page, fields | {"parameters": "{no json"})
    assert (status, "JSON" in Page(html).errors["parameters"]) == (200, True)
    fields = Page(html).fields | {"url": "ftp://shop.example", "credential": "sk-of-the-shop"}
    status, html, _ = visitor.post(page, fields | {"parameters": "{}"})
    assert Page(html).errors["url"] != ""
    fields = Page(html).fields | {
        "url": "https://shop.example/orders/{order}",
        "credential": "sk-of-the-shop",
        "parameters": json.dumps(
            {
                "type": "object",
                "properties": {"order": {"type": "string"}},
                "required": ["order"],
            }
        ),
        "headers": '{"Authorization": "Bearer {key}"}',
    }
    status, html, place = visitor.post(page, fields)
    assert status == 302, (Page(html).errors, Page(html).notices)
    html = visitor.get(f"{BASE}/{place}")[1]
    assert "sk-of-the-shop" not in html
    assert "Authorization" in html
    sql = "select voice_realtime_function_uuid::text, credential, headers, enabled from"
    rows = f"{sql} v_voice_realtime_functions where domain_uuid = %s"
    key, sealed, headers, enabled = here.row(rows, here.one.domain_uuid)
    assert "sk-of-the-shop" not in sealed
    assert enabled
    # What is not typed again stays.
    fields = Page(html).fields | {"description": "Says where an order is."}
    assert visitor.post(page, fields)[0] == 302
    assert here.row(rows, here.one.domain_uuid)[1:3] == (sealed, headers)
    # What is emptied goes back to its default, and is missed where there is none.
    of = "select timeout_seconds, max_result_bytes from v_voice_realtime_functions"
    sql = "update v_voice_realtime_functions set timeout_seconds = 30 where domain_uuid = %s"
    here.database.execute(sql, here.one.domain_uuid)
    fields = Page(visitor.get(f"{BASE}/{place}")[1]).fields
    emptied = {"timeout_seconds": "", "max_result_bytes": ""}
    status, html, _ = visitor.post(page, fields | emptied | {"description": ""})
    assert (status, Page(html).errors.keys()) == (200, {"description"})
    assert visitor.post(page, Page(html).fields | {"description": "Says."})[0] == 302
    assert here.row(f"{of} where domain_uuid = %s", here.one.domain_uuid) == (8, 4096)
    for action, left in (("toggle", 1), ("delete", 0)):
        fields = Page(visitor.get(f"{BASE}/functions_realtime.php")[1]).fields | {
            "action": action,
            "functions[0][checked]": "true",
            "functions[0][uuid]": key,
        }
        visitor.post(f"{BASE}/functions_realtime.php", fields)
        found = here.database.execute(rows, here.one.domain_uuid)
        assert [row[3] for row in found] == [False] * left


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-us", "must be an http:// or https:// address without a user name"),
        ("pt-br", "deve ser um endereço http:// ou https:// sem nome de usuário"),
        ("es-cl", "debe ser una dirección http:// o https:// sin nombre de usuario"),
    ],
)
def test_a_refusal_stands_at_its_field_in_the_operator_s_language(here, language, said) -> None:
    visitor = here.visitor(here.one, language=language)
    page = f"{BASE}/functions_realtime_edit.php"
    fields = Page(visitor.get(page)[1]).fields | {"function_name": "order_status"}
    fields |= {"description": "Says how an order stands.", "url": "ftp://shop.example"}
    status, html, _ = visitor.post(page, fields)
    assert (status, said in Page(html).errors["url"]) == (200, True), Page(html).errors


def test_a_function_is_tried_from_its_page(here) -> None:
    visitor = here.visitor(here.one, language="pt-br")
    page = f"{BASE}/functions_realtime_edit.php"
    fields = Page(visitor.get(page)[1]).fields | {"function_name": "tools", "function_kind": "mcp"}
    fields |= {"description": "Tools.", "url": "https://tools.example/mcp", "mcp_tools": '["one"]'}
    status, html, place = visitor.post(page, fields)
    assert status == 302, Page(html).errors
    key = place.partition("id=")[2]
    told = {}
    for act, arguments in (("try", "{no json"), ("try", "{}"), ("refresh", "")):
        html = visitor.get(f"{BASE}/{place}")[1]
        assert "id='btn_refresh'" in html
        fields = Page(html).fields | {"act": act, "try_arguments": arguments}
        status, html, _ = visitor.post(page, fields)
        assert status == 200
        told[act, arguments] = (Page(html).errors, "\n".join(Page(html).notices))
    assert told["try", "{no json"][0] == {"try_arguments": "Isto não é JSON."}
    assert "Não funciona:" in told["try", "{}"][1]
    assert "o servidor não foi consultado" in told["refresh", ""][1]
    stranger = here.visitor(here.two)
    fields = Page(stranger.get(page)[1]).fields | {"act": "try", "id": key}
    assert stranger.post(page, fields)[0] == 302
    sql = "delete from v_voice_realtime_functions where domain_uuid = %s"
    here.database.execute(sql, here.one.domain_uuid)


def test_a_secretary_offers_what_is_ticked(here) -> None:
    visitor = here.visitor(here.one)
    page = f"{BASE}/secretary_edit.php"
    fields = Page(visitor.get(f"{page}?id={here.one.secretary_realtime_uuid}")[1]).fields
    fields.pop("functions_config[]", None)
    told = {"enable_functions": "true", "functions_config[0]": "take_message"}
    told |= {"functions_config[1]": "rm -rf", "action": "save"}
    assert visitor.post(page, fields | told)[0] == 302
    sql = """select enable_functions, functions_config from v_voice_secretaries_realtime
             where secretary_realtime_uuid = %s"""
    assert here.row(sql, here.one.secretary_realtime_uuid) == (True, ["take_message"])
    html = visitor.get(f"{page}?id={here.one.secretary_realtime_uuid}")[1]
    assert "value='take_message' checked='checked'" in html
    fields = Page(html).fields
    fields.pop("functions_config[]")
    assert visitor.post(page, fields | {"enable_functions": "false", "action": "save"})[0] == 302
    assert here.row(sql, here.one.secretary_realtime_uuid) == (False, [])


def test_what_was_given_up_is_sent_again_or_dropped(here) -> None:
    visitor = here.visitor(here.one)
    page = f"{BASE}/errands_realtime.php"
    again, dropped, theirs = errand(here, here.one), errand(here, here.one), errand(here, here.two)
    html = visitor.get(f"{page}?state=dead")[1]
    assert again in html
    assert theirs not in html
    assert "the other side said 500" in html
    for key, button in ((again, "retry"), (dropped, "drop"), (theirs, "retry"), (theirs, "drop")):
        fields = Page(visitor.get(page)[1]).fields
        visitor.post(page, fields | {button: key})
    sql = "select state from v_voice_realtime_errands where errand_uuid = %s"
    # The worker may have tried it by now, and given it up for a reason of its own.
    both = "select state, last_error from v_voice_realtime_errands where errand_uuid = %s"
    assert here.row(both, again) != ("dead", "the other side said 500")
    assert here.database.execute(sql, dropped) == []
    assert here.row(sql, theirs) == ("dead",)
