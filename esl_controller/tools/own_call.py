"""What a function of the tenant's own knows of its call, or of who tries it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from esl_controller.database.functions import OwnFunction
from esl_controller.services.ports import Http, Mcp
from esl_controller.tenants.own_functions import KEY
from esl_controller.tools.base import ToolContext


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCall:
    """One request of a function."""

    domain_uuid: str
    http: Http
    mcp: Mcp
    caller_number: str = ""
    conversation_uuid: str = ""
    idempotency_key: str = ""


def own_call(context: ToolContext) -> OwnCall:
    """As a conversation makes it."""
    return OwnCall(
        domain_uuid=context.domain_uuid,
        http=context.services.http,
        mcp=context.services.mcp,
        caller_number=context.caller_id_number,
        conversation_uuid=context.conversation_uuid,
        idempotency_key=context.idempotency_key,
    )


def headers_of(function: OwnFunction) -> dict[str, str]:
    """A row's headers with its key in them."""
    key = function.key.reveal() if function.key else ""
    return {name: value.replace(KEY, key) for name, value in function.row.headers.items()}
