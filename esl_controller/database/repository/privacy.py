"""Forgetting: what is too old, and what concerns one caller."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import Row, execute, fetch_all, fetch_one

_CONVERSATIONS = "v_voice_conversations_realtime"
LONGEST_CALL = "1 day"
"""More than any setting lets a call last."""
_PARTS = {
    "turns": "v_voice_turns_realtime",
    "function_calls": "v_voice_function_calls_realtime",
    "transfers": "v_voice_transfers_realtime",
}


def find_conversations_of(
    connection: Connection, domain_uuid: str, caller_number: str
) -> tuple[list[str], list[str]]:
    """Return the conversations with a caller, however the number was written (digits count).

    First those that are over, then those going on. One without an end after LONGEST_CALL is over.
    """
    sql = rf"""select conversation_uuid,
                 ended_at is null and started_at > now() - interval '{LONGEST_CALL}' as going_on
               from {_CONVERSATIONS} where domain_uuid = %s
               and (caller_id = %s or regexp_replace(caller_id, '\D', '', 'g')
                      = nullif(regexp_replace(%s, '\D', '', 'g'), ''))"""
    rows = fetch_all(connection, sql, (domain_uuid, caller_number, caller_number))
    over = [row["conversation_uuid"] for row in rows if not row["going_on"]]
    return over, [row["conversation_uuid"] for row in rows if row["going_on"]]


def is_going_on(connection: Connection, domain_uuid: str, conversation_uuid: str) -> bool:
    """Whether a conversation of the domain is still being written, as above."""
    sql = f"""select 1 as found from {_CONVERSATIONS}
              where domain_uuid = %s and conversation_uuid = %s
                and ended_at is null and started_at > now() - interval '{LONGEST_CALL}'"""
    return fetch_one(connection, sql, (domain_uuid, conversation_uuid)) is not None


def find_expired(
    connection: Connection, domain_uuid: str, retention_days: int, limit: int
) -> list[str]:
    """Return conversations that began longer ago than they may be kept, oldest first."""
    sql = f"""select conversation_uuid from {_CONVERSATIONS} where domain_uuid = %s
                and started_at < now() - %s * interval '1 day'
              order by started_at limit %s"""
    rows = fetch_all(connection, sql, (domain_uuid, retention_days, limit))
    return [row["conversation_uuid"] for row in rows]


def list_recordings(
    connection: Connection, domain_uuid: str, conversation_uuids: list[str]
) -> list[Row]:
    """Return `record_path` and `record_name` of those conversations that were recorded."""
    sql = f"""select record_path, record_name from {_CONVERSATIONS}
              where domain_uuid = %s and conversation_uuid = any(%s::uuid[])
                and record_path <> '' and record_name <> ''"""
    return fetch_all(connection, sql, (domain_uuid, conversation_uuids))


def forget_words_of_audits(
    connection: Connection, domain_uuid: str, conversation_uuids: list[str]
) -> None:
    """Who did what to these calls stays; what was said to the model or of the caller does not."""
    sql = f"""update v_voice_audits_realtime set detail = null, error = null
              where domain_uuid = %s and call_uuid in (select call_uuid from {_CONVERSATIONS}
                where domain_uuid = %s and conversation_uuid = any(%s::uuid[]))"""
    execute(connection, sql, (domain_uuid, domain_uuid, conversation_uuids))


def forget_number_in_audits(connection: Connection, domain_uuid: str, number: str) -> None:
    """That somebody dialled stays; whom, where it is this number, does not."""
    sql = r"""update v_voice_audits_realtime set detail = null, error = null
              where domain_uuid = %s and regexp_replace(detail, '\D', '', 'g')
                = nullif(regexp_replace(%s, '\D', '', 'g'), '')"""
    execute(connection, sql, (domain_uuid, number))


def erase_outbound(
    connection: Connection, domain_uuid: str, number: str | None, older_than_days: int | None = None
) -> int:
    """Delete calls we made or were to make, to one number or all, and return how many.

    With an age, those that ended longer ago. One being made stays.
    """
    sql = r"""delete from v_voice_outbound_realtime where domain_uuid = %s
                and status <> 'calling'
                and (%s::text is null or regexp_replace(number, '\D', '', 'g')
                      = nullif(regexp_replace(%s, '\D', '', 'g'), ''))
                and (%s::int is null or ended_at < now() - %s * interval '1 day')"""
    parameters = (domain_uuid, number, number, older_than_days, older_than_days)
    return execute(connection, sql, parameters)


def expire_audits(connection: Connection, domain_uuid: str, retention_days: int) -> int:
    """Delete the audits that are older than a domain keeps anything; return how many."""
    sql = """delete from v_voice_audits_realtime where domain_uuid = %s
               and acted_at < now() - %s * interval '1 day'"""
    return execute(connection, sql, (domain_uuid, retention_days))


def erase_conversations(
    connection: Connection, domain_uuid: str, conversation_uuids: list[str]
) -> dict[str, int]:
    """Delete conversations with all that was said and done in them; return how many of each.

    What they cost stays, without the conversation: budgets are sums of it.
    """
    erased = {
        name: execute(
            connection,
            f"delete from {table} where domain_uuid = %s and conversation_uuid = any(%s::uuid[])",
            (domain_uuid, conversation_uuids),
        )
        for name, table in _PARTS.items()
    }
    sql = f"""delete from {_CONVERSATIONS}
              where domain_uuid = %s and conversation_uuid = any(%s::uuid[])"""
    return {"conversations": execute(connection, sql, (domain_uuid, conversation_uuids)), **erased}


def erase_turn_based(
    connection: Connection, domain_uuid: str, caller_number: str
) -> dict[str, int]:
    """Delete version 1's conversations with a caller, where version 1 is installed."""
    sql = """select to_regclass('v_voice_conversations') is not null as conversations,
               to_regclass('v_voice_messages') is not null as messages"""
    installed = fetch_one(connection, sql, ())
    if installed is None or not installed["conversations"]:
        return {}
    chosen = r"""select voice_conversation_uuid from v_voice_conversations where domain_uuid = %s
                 and regexp_replace(caller_id_number, '\D', '', 'g')
                   = nullif(regexp_replace(%s, '\D', '', 'g'), '')"""
    erased = {}
    for name in ("messages", "conversations"):
        if installed[name]:
            sql = f"delete from v_voice_{name} where voice_conversation_uuid in ({chosen})"
            erased[f"turn_based_{name}"] = execute(connection, sql, (domain_uuid, caller_number))
    return erased
