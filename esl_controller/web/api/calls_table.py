"""The operations on calls going on, on their recordings, and on calls to be made."""

from __future__ import annotations

from http import HTTPMethod, HTTPStatus

from esl_controller.web.api import actions, outbound, recordings, schemas, tickets
from esl_controller.web.api.routing import Route

_DOMAIN = "/domains/{domain_uuid}"
_CALL = f"{_DOMAIN}/calls/{{call_uuid}}"
_GET, _POST, _DELETE = HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.DELETE
_CONFLICT = HTTPStatus.CONFLICT
_ACT = (
    "Whichever worker has it: the one that is asked asks that one. 503 `worker-unavailable` when "
    "it cannot be asked. Each act has a row, written before it is done."
)

CALL_ROUTES = (
    Route(
        _POST,
        f"{_CALL}/hangup",
        actions.hang_up_call,
        "End a call politely",
        actions.CallAct,
        query=actions.ActQuery,
        description=_ACT,
    ),
    Route(
        _POST,
        f"{_CALL}/listen",
        actions.listen_to_call,
        "Listen to a call",
        actions.CallAct,
        query=actions.ActQuery,
        body=actions.PersonRequest,
        description=f"{_ACT} The telephone rings; it hears both sides and nobody hears it.",
    ),
    Route(
        _POST,
        f"{_CALL}/tell",
        actions.tell_model,
        "Tell the model of a call something",
        actions.CallAct,
        query=actions.ActQuery,
        body=actions.TellRequest,
        description=_ACT,
    ),
    Route(
        _POST,
        f"{_CALL}/takeover",
        actions.take_call_over,
        "Take a call over",
        actions.CallAct,
        query=actions.ActQuery,
        body=actions.PersonRequest,
        description=f"{_ACT} The caller goes to that number, and the AI leaves the call.",
    ),
    Route(
        _POST,
        f"{_CALL}/recording",
        actions.change_recording,
        "Change the recording of a call",
        actions.CallAct,
        query=actions.ActQuery,
        body=actions.RecordingRequest,
        description=_ACT,
    ),
    Route(
        _GET,
        f"{_CALL}/audits",
        actions.list_audits,
        "Show what was done to a call, and by whom",
        schemas.AuditView,
    ),
    Route(
        _GET,
        "/calls",
        actions.list_all_active,
        "List calls going on in every domain",
        schemas.ActiveCalls,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/conversations/{{conversation_uuid}}/recording",
        recordings.play_recording,
        "Play the recording of a conversation",
        "audio/wav",
        query=tickets.EventsQuery,
        problems=(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,),
        description="Whole, or a `Range` of bytes. 404 where nothing was recorded, and on a host "
        "that has no such file.",
    ),
    Route(
        _POST,
        f"{_DOMAIN}/outbound",
        outbound.request_call,
        "Have somebody called",
        outbound.OutboundRow,
        success=HTTPStatus.CREATED,
        body=outbound.OutboundRequest,
        problems=(_CONFLICT,),
        description="Whichever worker has room makes it, within the secretary's hours and the "
        "domain's caps. 409 `outbound-closed` where `outbound_max_concurrent` is 0.",
    ),
    Route(
        _GET,
        f"{_DOMAIN}/outbound",
        outbound.list_outbound,
        "List calls to be made, and made",
        outbound.OutboundRows,
        query=outbound.OutboundQuery,
    ),
    Route(
        _GET,
        f"{_DOMAIN}/outbound/{{outbound_uuid}}",
        outbound.show_outbound,
        "Show a call to be made, or what became of it",
        outbound.OutboundRow,
    ),
    Route(
        _DELETE,
        f"{_DOMAIN}/outbound/{{outbound_uuid}}",
        outbound.cancel_outbound,
        "Cancel a call that waits",
        outbound.OutboundRow,
        problems=(_CONFLICT,),
    ),
)
