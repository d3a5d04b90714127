"""Days, months and times are the domain's own, whatever clock the database has."""

from __future__ import annotations

from typing import Any

from tests.pages.test_conversation import begin
from tests.pages.test_documents import document
from tests.pages.test_functions import errand

BASE = "/app/voice_secretary"
MONTH = (
    "date_trunc('month', now() at time zone 'America/Sao_Paulo') at time zone 'America/Sao_Paulo'"
)


def moved(here: Any, table: str, key: str, uuid: str, column: str, at: str) -> None:
    here.database.execute(f"update {table} set {column} = {at} where {key} = %s", uuid)


def test_a_list_tells_the_time_of_the_domain(here) -> None:
    late = "'2026-11-30 01:30+00'"
    visitor = here.visitor(here.one)
    paper = document(here, here.one, "Hours")
    moved(here, "v_voice_realtime_documents", "document_uuid", paper, "created_at", late)
    letter = errand(here, here.one)
    moved(here, "v_voice_realtime_errands", "errand_uuid", letter, "created_at", late)
    for page in ("documents_realtime", "errands_realtime"):
        assert "2026-11-29 22:30" in visitor.get(f"{BASE}/{page}.php")[1]
    here.database.execute("delete from v_voice_realtime_documents")
    here.database.execute("delete from v_voice_realtime_errands")


def test_a_month_begins_when_it_does_at_the_domain(here) -> None:
    """An hour before is last month there, though the database's clock may say this one."""
    visitor = here.visitor(here.one)
    talk = begin(here, here.one, estimated_cost=77.25, duration_seconds=60)
    before = f"{MONTH} - interval '1 hour'"
    moved(here, "v_voice_conversations_realtime", "conversation_uuid", talk, "started_at", before)
    sql = f"""insert into v_voice_usage_realtime
                (domain_uuid, provider, model, cost_usd, occurred_at)
              values (%s, 'openai', 'gpt-realtime', 77.25, {before})"""
    here.database.execute(sql, here.one.domain_uuid)
    assert "$77.25" not in visitor.get(f"{BASE}/providers_realtime.php")[1]
    edit = f"{BASE}/secretary_edit.php?id={here.one.secretary_realtime_uuid}"
    assert "Last month: 1 calls, 1 minutes, $77.25." in visitor.get(edit)[1]
    here.database.execute("delete from v_voice_usage_realtime where cost_usd = 77.25")
    sql = "delete from v_voice_conversations_realtime where conversation_uuid = %s"
    here.database.execute(sql, talk)
