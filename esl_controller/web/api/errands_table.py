"""The operations on errands."""

from __future__ import annotations

from http import HTTPMethod, HTTPStatus

from esl_controller.web.api import errands, schemas
from esl_controller.web.api.routing import Route

_ERRANDS = "/domains/{domain_uuid}/errands"
_ONE = f"{_ERRANDS}/{{errand_uuid}}"
_AUDITED = "It has its row among the audits of the errand's call."

ERRAND_ROUTES = (
    Route(
        HTTPMethod.GET,
        _ERRANDS,
        errands.list_errands,
        "List errands: webhooks, e-mails, tickets, messages, summaries",
        errands.ErrandRows,
        query=errands.ErrandQuery,
        description="`state=dead` lists those that were given up.",
    ),
    Route(
        HTTPMethod.GET,
        _ONE,
        errands.show_errand,
        "Show an errand with what it carries",
        errands.ErrandRow,
    ),
    Route(
        HTTPMethod.POST,
        f"{_ONE}/retry",
        errands.send_errand_again,
        "Send an errand again",
        errands.ErrandRow,
        query=errands.ErrandActQuery,
        problems=(HTTPStatus.CONFLICT,),
        description="One that was given up, or that waits for its next attempt. The other side "
        f"gets the same idempotency key. {_AUDITED}",
    ),
    Route(
        HTTPMethod.DELETE,
        _ONE,
        errands.drop_errand,
        "Drop an errand",
        schemas.Removed,
        query=errands.ErrandActQuery,
        problems=(HTTPStatus.CONFLICT,),
        description=f"One that was given up or waits. {_AUDITED}",
    ),
)
