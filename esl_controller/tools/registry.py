"""Which functions a number's model may call."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.tools import recording
from esl_controller.tools.base import CallTool
from esl_controller.tools.end_call import EndCall
from esl_controller.tools.outbound import LeaveMessage, RequestCallback
from esl_controller.tools.own import own_tools
from esl_controller.tools.search_knowledge import SearchKnowledge
from esl_controller.tools.transfer_call import TransferCall

_BUILT_IN: Mapping[str, CallTool] = {
    "transfer_call": TransferCall(),
    "end_call": EndCall(),
    "leave_message": LeaveMessage(),
    "request_callback": RequestCallback(),
    "search_knowledge": SearchKnowledge(),
    **{tool.name: tool for tool in (recording.PAUSE, recording.RESUME, recording.REFUSE)},
}


def tools_for(entry: RouteEntry) -> Mapping[str, CallTool]:
    """The functions of a secretary, by the name its model uses: ours, and the tenant's own."""
    ours = {name: tool for name, tool in _BUILT_IN.items() if tool.describe(entry) is not None}
    return {**own_tools(entry), **ours}


def offered_tools(entry: RouteEntry) -> tuple[Tool, ...]:
    """What its model is told about them."""
    described = (tool.describe(entry) for tool in tools_for(entry).values())
    return tuple(tool for tool in described if tool is not None)
