"""No statement without a domain, and none that reaches across: every function is tried."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal

import psycopg2
import pytest

import esl_controller.database.repository
from esl_controller.database.acts import QueuedErrand
from esl_controller.database.repository import (
    audits,
    conversations,
    demo,
    errands,
    functions,
    knowledge,
    leases,
    outbound,
    pages,
    privacy,
    providers,
    secretaries,
    spending,
    tenants,
    tickets,
    workers,
)
from esl_controller.database.repository.leases import Lease
from esl_controller.database.repository.pages import Wanted
from tests.integration.configuration_calls import CONFIGURATION
from tests.integration.db_fixtures import Recorder
from tests.integration.db_tenants import (
    CALL,
    DOCUMENT,
    NOW,
    PASSAGES,
    SPACE,
    Tenant,
    new_id,
    populated,
)

DIRECTORY = {"find_domain", "list_domains", "prepare_standalone", "add_domain"}
"""The directory of domains itself: FusionPBX's table, no tenant's data."""
NEEDS_PGVECTOR = {"by_meaning"}
"""Tried across domains in test_knowledge_meaning."""
INSTALLATION = {"register", "leave", "list_workers", "list_lost", "stop_listening"} | {
    "is_another_listening",
    "is_any_used",
    "list_due",
    "domains_with_work",
    "count_open",
    "expire",
    "list_all_active",
    "has_enabled_mcp",
    "wants_vectors",
    "role",
    "earlier_dialplans",
    "has_vectors",
    "list_embedded",
    "looks_alone",
}
"""The register of workers: each serves every domain, no row of it holds anything of a tenant; and
whether the host needs a speech process, which serves every domain too. Whoever is to be called next
is asked for every domain at once, and so are errands and documents without vectors; what is done
then carries its own. All calls
that go on are for who has the installation's own token; what `doctor` asks is the operator's."""
MACHINERY = {"statements"}
"""Runs what the others say; holds no statement."""


def repository_functions() -> dict[str, Callable]:
    found = {}
    for module_info in pkgutil.iter_modules(esl_controller.database.repository.__path__):
        if module_info.name in MACHINERY:
            continue
        module = importlib.import_module(f"esl_controller.database.repository.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[f"{module_info.name}.{name}"] = function
    return found


def test_no_function_can_be_called_without_a_domain():
    functions = repository_functions()
    assert len(functions) > 20
    for name, function in functions.items():
        if name.split(".")[1] in DIRECTORY | INSTALLATION:
            continue
        first, second, *_ = inspect.signature(function).parameters.values()
        assert first.name == "connection", name
        assert (second.name, second.default) == ("domain_uuid", inspect.Parameter.empty), name


@pytest.fixture
def two(database) -> tuple[Tenant, Tenant]:
    return populated(database), populated(database)


def rows_of(database, domain_uuid: str) -> dict[str, list]:
    tables = database.execute(
        """select table_name from information_schema.columns
           where table_schema = 'public' and column_name = 'domain_uuid' order by 1"""
    )
    return {
        table: database.execute(
            f"select to_jsonb(t) from {table} t where domain_uuid = %s order by to_jsonb(t)::text",
            domain_uuid,
        )
        for (table,) in tables
    }


def foreign(entry, domain_uuid: str):
    """The other domain's key under our domain's name."""
    return dataclasses.replace(entry, domain_uuid=domain_uuid)


def taken(tenant: Tenant) -> QueuedErrand:
    """Its errand, as a worker has it that took it."""
    values = dataclasses.asdict(tenant.errand)
    return QueuedErrand(**values, next_at=NOW, worker="w", attempts=0, state="running")


ACROSS: dict[str, Callable] = {
    "tenants.find_domain_name": lambda c, d, o: tenants.find_domain_name(c, d),
    "tenants.find_settings": lambda c, d, o: tenants.find_settings(c, d),
    "tenants.find_time_condition": lambda c, d, o: tenants.find_time_condition(c, d, "805"),
    "tenants.find_time_zone": lambda c, d, o: tenants.find_time_zone(c, d),
    "secretaries.find_realtime": lambda c, d, o: secretaries.find_realtime(c, d, "8000"),
    "secretaries.list_extensions": lambda c, d, o: secretaries.list_extensions(c, d),
    "secretaries.find_turn_based": lambda c, d, o: secretaries.find_turn_based(c, d, "8000"),
    "providers.list_providers": lambda c, d, o: providers.list_providers(c, d),
    "providers.store_credential": lambda c, d, o: providers.store_credential(
        c, d, o.voice_realtime_provider_uuid, "env:X"
    ),
    "conversations.store": lambda c, d, o: [
        conversations.store(c, d, foreign(entry, d)) for entry in o.entries
    ],
    "conversations.store_together": lambda c, d, o: [
        bool(conversations.store_together(c, d, [foreign(entry, d)])) for entry in o.entries
    ],
    "conversations.find_conversation": lambda c, d, o: conversations.find_conversation(
        c, d, o.conversation_uuid
    ),
    "conversations.list_turns": lambda c, d, o: conversations.list_turns(c, d, o.conversation_uuid),
    "conversations.list_function_calls": lambda c, d, o: conversations.list_function_calls(
        c, d, o.conversation_uuid
    ),
    "conversations.list_transfers": lambda c, d, o: conversations.list_transfers(
        c, d, o.conversation_uuid
    ),
    "conversations.list_usage": lambda c, d, o: conversations.list_usage(c, d, o.conversation_uuid),
    "conversations.close_abandoned": lambda c, d, o: conversations.close_abandoned(c, d, "w", NOW),
    "pages.list_page": lambda c, d, o: pages.list_page(c, d, Wanted(caller_id="+551199"), 10),
    "pages.find_edge": lambda c, d, o: pages.find_edge(c, d, Wanted(), 1),
    "pages.list_active": lambda c, d, o: pages.list_active(c, d),
    "pages.find_summary": lambda c, d, o: pages.find_summary(c, d, o.conversation_uuid),
    "pages.find_key_by_call": lambda c, d, o: pages.find_key_by_call(c, d, CALL),
    "pages.announce": lambda c, d, o: pages.announce(c, d, [o.conversation_uuid]),
    "leases.lock": lambda c, d, o: leases.lock(c, d),
    "leases.count": lambda c, d, o: leases.count(c, d, o.secretary_realtime_uuid)["in_domain"],
    "leases.count_by_provider": lambda c, d, o: leases.count_by_provider(c, d),
    "leases.hold": lambda c, d, o: leases.hold(
        c, d, [Lease(CALL, o.secretary_realtime_uuid, None)], worker="x", duration_s=1
    ),
    "leases.release": lambda c, d, o: leases.release(c, d, CALL, worker="w"),
    "spending.spent": lambda c, d, o: spending.spent(c, d, "UTC"),
    "spending.by_provider": lambda c, d, o: [
        row["month_usd"] for row in spending.by_provider(c, d, "UTC") if row["month_usd"]
    ],
    "spending.besides_providers": lambda c, d, o: spending.besides_providers(c, d, "UTC"),
    "spending.fold": lambda c, d, o: spending.fold(c, d),
    "spending.conversation_cost": lambda c, d, o: spending.conversation_cost(
        c, d, o.conversation_uuid
    ),
    "privacy.find_conversations_of": lambda c, d, o: privacy.find_conversations_of(c, d, "551199"),
    "privacy.find_expired": lambda c, d, o: privacy.find_expired(c, d, -1, 10),
    "privacy.erase_conversations": lambda c, d, o: list(
        privacy.erase_conversations(c, d, [o.conversation_uuid]).values()
    ),
    "privacy.erase_turn_based": lambda c, d, o: privacy.erase_turn_based(c, d, "551199"),
    "workers.find_owner": lambda c, d, o: workers.find_owner(c, d, CALL),
    "privacy.erase_outbound": lambda c, d, o: privacy.erase_outbound(c, d, "+551199"),
    "privacy.expire_audits": lambda c, d, o: privacy.expire_audits(c, d, 0),
    "privacy.forget_words_of_audits": lambda c, d, o: privacy.forget_words_of_audits(
        c, d, [o.conversation_uuid]
    ),
    "privacy.forget_number_in_audits": lambda c, d, o: privacy.forget_number_in_audits(
        c, d, "+551199"
    ),
    "privacy.is_going_on": lambda c, d, o: privacy.is_going_on(c, d, o.conversation_uuid),
    "privacy.list_recordings": lambda c, d, o: privacy.list_recordings(c, d, [o.conversation_uuid]),
    "audits.list_of_call": lambda c, d, o: audits.list_of_call(c, d, CALL),
    "outbound.list_calls": lambda c, d, o: outbound.list_calls(c, d),
    "outbound.find": lambda c, d, o: outbound.find(c, d, o.outbound_uuid),
    "outbound.cancel": lambda c, d, o: outbound.cancel(c, d, o.outbound_uuid),
    "outbound.give_up": lambda c, d, o: outbound.give_up(c, d, o.outbound_uuid, "x"),
    "outbound.postpone": lambda c, d, o: outbound.postpone(c, d, o.outbound_uuid, NOW),
    "outbound.renew": lambda c, d, o: outbound.renew(c, d, o.outbound_uuid, "w", 60.0),
    "outbound.take": lambda c, d, o: outbound.take(
        c, d, o.outbound_uuid, worker="w", lease_s=60.0, caps=outbound.Caps(9, None, None)
    ),
    "outbound.try_again": lambda c, d, o: outbound.try_again(
        c, d, o.outbound_uuid, worker="w", in_s=60.0, cause="x"
    ),
    "outbound.finish": lambda c, d, o: outbound.finish(
        c, d, o.outbound_uuid, worker="w", answered_by=None, call_uuid=CALL, cause="x"
    ),
    "errands.insert": lambda c, d, o: errands.insert(c, d, foreign(o.errand, d)),
    "errands.take": lambda c, d, o: errands.take(c, d, worker="w", lease_s=60.0, limit=9),
    "errands.finish": lambda c, d, o: errands.finish(c, d, taken(o), {}, forget=True),
    "errands.retry": lambda c, d, o: errands.retry(c, d, taken(o), in_s=1.0, why="x"),
    "errands.bury": lambda c, d, o: errands.bury(c, d, taken(o), "x"),
    "errands.forget_result": lambda c, d, o: errands.forget_result(c, d, o.errand.errand_uuid),
    "errands.list_errands": lambda c, d, o: errands.list_errands(c, d),
    "errands.find": lambda c, d, o: errands.find(c, d, o.errand.errand_uuid),
    "errands.send_again": lambda c, d, o: errands.send_again(c, d, o.errand.errand_uuid),
    "errands.drop": lambda c, d, o: errands.drop(c, d, o.errand.errand_uuid),
    "errands.erase": lambda c, d, o: errands.erase(c, d, [o.conversation_uuid]),
    "errands.forget_old": lambda c, d, o: errands.forget_old(c, d, 0),
    "conversations.keep_summary": lambda c, d, o: conversations.keep_summary(
        c, d, o.conversation_uuid, "x", {}
    ),
    "functions.list_functions": lambda c, d, o: functions.list_functions(c, d),
    "functions.store_credential": lambda c, d, o: functions.store_credential(
        c, d, o.function_uuid, "sealed:x"
    ),
    "functions.store_catalogue": lambda c, d, o: functions.store_catalogue(
        c, d, o.function_uuid, [{"name": "x"}]
    ),
    "knowledge.list_documents": lambda c, d, o: knowledge.list_documents(c, d),
    "knowledge.list_passages": lambda c, d, o: knowledge.list_passages(c, d, o.document_uuid),
    "knowledge.totals": lambda c, d, o: knowledge.totals(c, d)["passages"],
    "knowledge.add_document": lambda c, d, o: knowledge.add_document(
        c, d, DOCUMENT | {"document_uuid": new_id(), "title": new_id()}, PASSAGES
    ),
    "knowledge.remove_document": lambda c, d, o: knowledge.remove_document(c, d, o.document_uuid),
    "knowledge.remove_titled": lambda c, d, o: knowledge.remove_titled(c, d, "Hours"),
    "knowledge.by_words": lambda c, d, o: knowledge.by_words(c, d, "open", "open", 5),
    "knowledge.not_embedded": lambda c, d, o: knowledge.not_embedded(c, d, "another"),
    "knowledge.to_embed": lambda c, d, o: knowledge.to_embed(c, d, o.document_uuid, "another", 5),
    "knowledge.add_embeddings": lambda c, d, o: knowledge.add_embeddings(
        c, d, o.document_uuid, "another", [(o.passage_uuid, "[0, 1]")]
    ),
    "knowledge.finish_embedding": lambda c, d, o: knowledge.finish_embedding(
        c, d, o.document_uuid, "another"
    ),
    "knowledge.vector_length": lambda c, d, o: knowledge.vector_length(c, d, SPACE),
    "knowledge.forget_misfits": lambda c, d, o: knowledge.forget_misfits(c, d, SPACE, "[1]"),
    "errands.is_open": lambda c, d, o: errands.is_open(c, d, "x", {"said": "+551199"}),
    "tickets.spend_ticket": lambda c, d, o: tickets.spend_ticket(c, d, o.ticket_uuid),
    "demo.demo_seed": lambda c, d, o: demo.demo_seed(c, d, "8000", domain_name="x"),
    **CONFIGURATION,
}


TENANT_TABLE = re.compile(r"(?:from|into|update|join)\s+((?!v_voice_workers_realtime)v_\w+)")
"""The register of workers has no domain, and no row of it is a tenant's."""
NO_TENANT = re.compile(r"pg_advisory_xact_lock|to_regclass|pg_notify|voice_ai_time_zone")
"""Statements on no tenant's table; and a function that is given the domain alone."""
MAKES_ROWS = {"demo.demo_seed", "configuration.insert_row", "knowledge.add_document"} | {
    "tickets.spend_ticket"
}
"""Of the domain they are called for."""
NOTHING = (None, [], ([], []), 0, False, {}, [False] * 7, [0] * 4, {"today_usd": 0, "month_usd": 0})


def test_every_function_is_tried():
    tried = set(ACROSS)
    assert {
        n
        for n in repository_functions()
        if n.split(".")[1] not in DIRECTORY | INSTALLATION | NEEDS_PGVECTOR
    } == tried


def test_nothing_of_another_domain_is_read_or_changed(database, owners_pool, two):
    """Called for a domain without rows of its own, with the keys of one that has them all."""
    victim, _bystander = two
    secrets = (victim.domain_uuid, victim.conversation_uuid, "+551199", "Demo secretary")
    before = rows_of(database, victim.domain_uuid)
    for name, function in ACROSS.items():
        stranger = new_id()
        database.execute("insert into v_domains (domain_uuid) values (%s)", stranger)
        with owners_pool.connection() as connection:
            result = function(connection, stranger, victim)
        assert rows_of(database, victim.domain_uuid) == before, name
        assert not any(secret in repr(result) for secret in secrets), name
        if name not in MAKES_ROWS:
            assert result in NOTHING, name


def test_every_statement_carries_the_domain(database, pool, two):
    """It names `domain_uuid` once for each tenant's table, and holds the domain's own."""
    domain = two[0].domain_uuid
    with closing(psycopg2.connect(database.dsn, connection_factory=Recorder)) as connection:
        for name, function in ACROSS.items():
            connection.statements = []
            function(connection, domain, two[0])
            statements = [s for s in connection.statements if not NO_TENANT.search(s)]
            for statement in statements:
                tables = TENANT_TABLE.findall(statement)
                named = len(re.findall(r"\bdomain_uuid\b", statement))
                assert domain in statement and named >= len(tables) > 0, (name, statement)


def test_each_domain_sees_its_own(pool, two):
    with pool.connection() as connection:
        for tenant in two:
            domain, conversation = tenant.domain_uuid, tenant.conversation_uuid
            assert pages.find_key_by_call(connection, domain, CALL) == conversation
            found = conversations.find_conversation(connection, domain, conversation)
            assert found == tenant.entries[0]
            assert conversations.list_turns(connection, domain, conversation) == [tenant.entries[1]]
            assert spending.spent(connection, domain, "UTC")["today_usd"] == Decimal("1.5")
            assert leases.count(connection, domain, None)["in_domain"] == 1
            assert leases.count(connection, domain, None)["in_total"] == 2


def test_an_entry_of_another_domain_than_said_is_refused(pool, two):
    with pool.connection() as connection, pytest.raises(ValueError, match="another domain"):
        conversations.store(connection, two[0].domain_uuid, two[1].entries[0])
