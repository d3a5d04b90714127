"""Which functions a number's model may call."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.tenants.columns.systems import SELECTABLE
from esl_controller.tools import recording
from esl_controller.tools.appointments import BookAppointment, CancelAppointment, CheckAppointment
from esl_controller.tools.base import CallTool
from esl_controller.tools.change_language import ChangeLanguage
from esl_controller.tools.create_ticket import CreateTicket
from esl_controller.tools.end_call import EndCall
from esl_controller.tools.lookup_customer import LookupCustomer
from esl_controller.tools.opening_hours import OpeningHours
from esl_controller.tools.outbound import LeaveMessage, RequestCallback
from esl_controller.tools.own import own_tools
from esl_controller.tools.search_knowledge import SearchKnowledge
from esl_controller.tools.send_dtmf import SendDtmf
from esl_controller.tools.take_message import TakeMessage
from esl_controller.tools.transfer_call import TransferCall

BUILT_IN: Mapping[str, CallTool] = {
    "transfer_call": TransferCall(),
    "end_call": EndCall(),
    "opening_hours": OpeningHours(),
    "change_language": ChangeLanguage(),
    "leave_message": LeaveMessage(),
    "request_callback": RequestCallback(),
    "search_knowledge": SearchKnowledge(),
    **{tool.name: tool for tool in (recording.PAUSE, recording.RESUME, recording.REFUSE)},
    "create_ticket": CreateTicket(),
    "lookup_customer": LookupCustomer(),
    "check_appointment": CheckAppointment(),
    "book_appointment": BookAppointment(),
    "cancel_appointment": CancelAppointment(),
    "take_message": TakeMessage(),
    "send_dtmf": SendDtmf(),
}
ONLY_BY_NAME = frozenset({"send_dtmf"})
"""Offered where a secretary names them: everything else is worth having once it is set up."""


def tools_for(entry: RouteEntry) -> Mapping[str, CallTool]:
    """The functions of a secretary, by the name its model uses: ours, and the tenant's own."""
    ours = {
        name: tool
        for name, tool in BUILT_IN.items()
        if _wanted(name, entry) and tool.describe(entry) is not None
    }
    return {**own_tools(entry), **ours}


def offered_tools(entry: RouteEntry) -> tuple[Tool, ...]:
    """What its model is told about them."""
    described = (tool.describe(entry) for tool in tools_for(entry).values())
    return tuple(tool for tool in described if tool is not None)


def _wanted(name: str, entry: RouteEntry) -> bool:
    """What belongs to the call itself needs no switch."""
    if name not in SELECTABLE:
        return True
    secretary = entry.secretary
    named = name in secretary.functions_config
    some = bool(secretary.functions_config) or name in ONLY_BY_NAME
    return secretary.enable_functions and (named if some else True)
