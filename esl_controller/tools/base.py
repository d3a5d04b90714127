"""What a function of the AI looks like."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from bridge.providers.base import FunctionCall
from bridge.providers.conversation import Tool
from esl_controller.calls.transfer.places import Places
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.database.acts import Errand, OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.services.ports import Http, Services


class Recording(enum.Enum):
    """What can be done to the recording of a call."""

    START = "start"
    PAUSE = "pause"
    GO_ON = "go_on"
    STOP = "stop"


class CallActions(Protocol):
    """What functions, supervisors and timers may ask of a call. Nothing but `send_dtmf` waits."""

    def transfer(self, plan: TransferPlan) -> None:
        """Connect the caller once the agent's last words have been heard.

        What comes of it is told to the model by `tell`. One at a time: a second while one is going
        on is not begun, and the model is told so.
        """

    def call_off(self) -> None:
        """Stop the transfer that is going on, unless the two talk already."""

    def hand_back(self, outcome: str, *, extension: str | None = None, reason: str = "") -> None:
        """Give the caller to the dialplan now, or to `extension`, with `voice_ai_outcome` set.

        Raises ValueError for an outcome that routing.Outcome does not know.
        """

    def end_call(self, reason: str) -> None:
        """Hang up once the agent's last words have been heard."""

    def tell(self, text: str, *, respond: bool) -> bool:
        """Tell the model something the caller did not say; False when it cannot be told now.

        `respond` has it say something about it at once.
        """

    def change_language(self, language: str) -> bool:
        """Go on in another language; False when the conversation is ending."""

    def recording(self, wanted: Recording, by: str = "agent") -> bool:
        """Do something to the recording; False where nothing is recorded. `by` is who asks."""

    def call_back(self, wanted: OutboundCall) -> bool:
        """Remember that somebody is to be called; False when this call has asked for it before."""

    def errand(self, wanted: Errand) -> bool:
        """Have it done for certain, by the queue of errands; False when this call has asked for the
        same kind and key before.

        Raises FunctionFailed when the call has asked for too much, is over, or nothing can be kept.
        """

    def send_dtmf(self, digits: str) -> bool:
        """Press keys on the caller's line; False where there is none, or it has gone.

        Raises FunctionFailed when that is not known.
        """

    def leave_message(self, message: str) -> None:
        """A machine has answered a call of ours: say this to it once it records, and hang up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Whose call it is, and what a function may use."""

    entry: RouteEntry
    call_uuid: str
    conversation_uuid: str
    caller_id_number: str
    caller_id_name: str = ""
    language: str
    """Of the conversation, BCP 47; `en` where nobody has said."""
    actions: CallActions
    places: Places
    services: Services
    """The tenant's own systems."""
    call_id: str = ""
    """The provider's name of this call of the function."""
    idempotency_key: str = ""
    """`<conversation>:<provider call id>`, of the first attempt where this repeats one."""

    @property
    def domain_uuid(self) -> str:
        """The tenant."""
        return self.entry.domain_uuid

    @property
    def http(self) -> Http:
        """The only way to an address the tenant has named."""
        return self.services.http


class FunctionFailed(Exception):
    """The function could not do it; the text is told to the model."""

    def __init__(self, words: str, *, why: str = "", certain: bool = True) -> None:
        """
        Args:
            why: for the audit, where it says more than the model needs.
            certain: nothing has happened; else that is not known.
        """
        super().__init__(words)
        self.why = why or words
        self.certain = certain


class CallTool(Protocol):
    """One function: what the model is told about it, and what it does."""

    suggested: frozenset[str]
    """Arguments whose `enum` helps the model to choose; `run` itself judges what came."""

    @property
    def deadline_s(self) -> float | None:
        """None: VOICE_AI_TIMEOUTS_TOOL_S."""

    @property
    def repeatable(self) -> bool:
        """Asked for twice with the same arguments it is done twice.

        Else what has been done once is not done again, and an attempt that failed is repeated with
        the same key.
        """

    def describe(self, entry: RouteEntry) -> Tool | None:
        """The function as offered for this number; None when it makes no sense there."""

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Do it and return the result for the model. May wait; a deadline is kept outside.

        `done` is added to the result, true unless the function says otherwise; names that begin
        with an underscore are for the audit alone.

        `arguments` fit the schema of `describe`.

        Raises:
            FunctionFailed: with words for the model.
        """


class BuiltIn:
    """What most functions of ours have in common."""

    suggested: frozenset[str] = frozenset()
    deadline_s: float | None = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class FunctionOutcome:
    """One call of a function: when it was begun, and again when it is over."""

    function_call_uuid: str
    call: FunctionCall
    status: str
    """started | completed | failed | timeout | refused"""
    started_at: float
    """Unix time."""
    arguments: Any = None
    """As decoded; the text itself where that is no JSON; None at the start."""
    result: Mapping[str, Any] | None = None
    """What the model is told; None at the start."""
    error: str = ""
    duration_s: float | None = None
    cancelled: bool = False
    """The model took it back while it ran: nobody waits for the result."""

    @property
    def output(self) -> str:
        """The result as the text the provider takes."""
        told = {name: of for name, of in (self.result or {}).items() if not name.startswith("_")}
        return msgspec.json.encode(told).decode()
