"""Two domains with a row in every table, for tests of who sees what."""

import dataclasses
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg2

from esl_controller.database.acts import AuditRecord, Errand, OutboundCall, errand
from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.database.repository import conversations, errands, knowledge, leases, tickets
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.database.repository.leases import Lease

NOW = datetime.now(UTC).replace(microsecond=0)


def new_id() -> str:
    return str(uuid.uuid4())


@dataclasses.dataclass
class Tenant:
    """A domain with a row in every table. Both share extension, caller, call and worker."""

    domain_uuid: str
    secretary_realtime_uuid: str
    voice_realtime_provider_uuid: str
    conversation_uuid: str
    outbound_uuid: str
    function_uuid: str
    document_uuid: str
    passage_uuid: str
    ticket_uuid: str
    errand: Errand
    entries: list


CALL = new_id()
DOCUMENT = {
    "title": "Hours",
    "source_format": "text",
    "language": "en",
    "text_search": "english",
    "size_bytes": 20,
    "passages": 1,
}
SPACE = "a-model"
PASSAGES = [("We are open. +551199", "We are open. +551199")]


def populated(database) -> Tenant:
    seeded = database.seed(provider=DemoProvider(credential="env:OPENAI_API_KEY"))
    domain, conversation, outbound = seeded.domain_uuid, new_id(), new_id()
    key = {"domain_uuid": domain, "conversation_uuid": conversation}
    entries = [
        ConversationRealtime(
            call_uuid=CALL,
            caller_id="+551199",
            started_at=NOW,
            worker="w",
            secretary_realtime_uuid=seeded.secretary_realtime_uuid,
            **key,
        ),
        Turn(turn_uuid=new_id(), turn_number=1, role="user", started_at=NOW, **key),
        FunctionCallRecord(
            function_call_uuid=new_id(),
            function_name="f",
            status="completed",
            started_at=NOW,
            **key,
        ),
        TransferRecord(
            transfer_uuid=new_id(),
            transfer_type="blind",
            destination="200",
            status="started",
            started_at=NOW,
            **key,
        ),
        UsageRecord(
            usage_uuid=new_id(), provider="o", occurred_at=NOW, cost_usd=Decimal("1.5"), **key
        ),
        AuditRecord(
            audit_uuid=new_id(),
            domain_uuid=domain,
            call_uuid=CALL,
            actor="cli:somebody",
            action="tell",
            detail="words",
            result="asked",
            acted_at=NOW,
        ),
        OutboundCall(
            outbound_uuid=outbound,
            domain_uuid=domain,
            extension="8000",
            number="+551199",
            origin="api",
            conversation_uuid=conversation,
            not_before=NOW,
            not_after=NOW + timedelta(hours=1),
            created_at=NOW,
        ),
    ]
    with closing(psycopg2.connect(database.dsn)) as connection, connection:
        for entry in entries:
            assert conversations.store(connection, domain, entry)
        wanted = errand("x", domain, "k", {"said": "+551199"}, NOW, conversation_uuid=conversation)
        assert errands.insert(connection, domain, wanted)
        place = Lease(CALL, seeded.secretary_realtime_uuid, seeded.voice_realtime_provider_uuid)
        leases.hold(connection, domain, [place], worker="w", duration_s=60)
        document, function, ticket = new_id(), new_id(), new_id()
        knowledge.add_document(connection, domain, DOCUMENT | {"document_uuid": document}, PASSAGES)
        passage = knowledge.to_embed(connection, domain, document, SPACE, 1)[0]["passage_uuid"]
        knowledge.add_embeddings(connection, domain, document, SPACE, [(passage, "[1, 0]")])
        knowledge.finish_embedding(connection, domain, document, SPACE)
        assert tickets.spend_ticket(connection, domain, ticket)
        cursor = connection.cursor()
        cursor.execute(
            """insert into v_voice_realtime_functions (voice_realtime_function_uuid, domain_uuid,
               function_name, function_kind, url) values (%s, %s, 'f', 'mcp', 'https://x.example')""",
            (function, domain),
        )
        cursor.execute("insert into v_voice_realtime_settings (domain_uuid) values (%s)", (domain,))
        cursor.execute(
            """insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, extension,
               secretary_name) values (gen_random_uuid(), %s, '8000', 'old')""",
            (domain,),
        )
    return Tenant(
        domain,
        seeded.secretary_realtime_uuid,
        seeded.voice_realtime_provider_uuid,
        conversation,
        outbound,
        function,
        document,
        passage,
        ticket,
        wanted,
        entries,
    )
