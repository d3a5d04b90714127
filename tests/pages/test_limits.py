"""The settings of a domain: its keys go in, and never come back."""

from __future__ import annotations

from tests.pages.forms import Page

LIMITS = "/app/voice_secretary/limits_realtime.php"
KEYS = """select webhook_secret, embedding_key from v_voice_realtime_settings
          where domain_uuid = %s"""


def test_keys_are_sealed_kept_removed_and_never_shown(here) -> None:
    visitor = here.visitor(here.one)
    fields = Page(visitor.get(LIMITS)[1]).fields
    typed = {"webhook_secret": "a-secret-of-hooks", "embedding_key": "a-key-of-vectors"}
    assert visitor.post(LIMITS, fields | typed)[0] == 302
    sealed = here.row(KEYS, here.one.domain_uuid)
    assert all(one.startswith("sealed:") for one in sealed)
    html = visitor.get(LIMITS)[1]
    assert not any(secret in html for secret in (*sealed, *typed.values()))
    assert html.count("name='remove_") == 2
    assert visitor.post(LIMITS, Page(html).fields)[0] == 302
    assert here.row(KEYS, here.one.domain_uuid) == sealed, "nothing typed keeps them"
    assert visitor.post(LIMITS, Page(html).fields | {"remove_embedding_key": "true"})[0] == 302
    assert here.row(KEYS, here.one.domain_uuid) == (sealed[0], None)
    html = visitor.post(LIMITS, Page(html).fields | {"webhook_secret": "file:/etc/passwd"})[1]
    assert "must be sealed" in Page(html).errors["webhook_secret"]
    sql = "delete from v_voice_realtime_settings where domain_uuid = %s"
    here.database.execute(sql, here.one.domain_uuid)
