"""One conversation of a call: its session, media, functions and record, opened together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.ports import EndCause, SessionListener
from bridge.session.session import Session
from bridge.session_manager import CapacityReached
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.counters import End, follow_session
from esl_controller.calls.leg_codec import has_idle_silence, offered_leg
from esl_controller.calls.media import CallMedia
from esl_controller.calls.plan import plan_conversation
from esl_controller.calls.services import Services
from esl_controller.database.models import RouteEntry
from esl_controller.esl.events import ChannelData
from esl_controller.esl.session import ControllerSession
from esl_controller.record.conversation import ConversationRecord
from esl_controller.routes.routing import CallIdentity, HandBack, Outcome
from esl_controller.telemetry.catalogue import ErrorCode
from esl_controller.tenants.providers import NoProvider
from esl_controller.tools.base import CallActions, ToolContext
from esl_controller.tools.runner import FunctionOutcome, FunctionRunner, offered_tools


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that one conversation holds; `close` gives everything up."""

    entry: RouteEntry
    session: Session
    media: CallMedia
    functions: FunctionRunner
    record: ConversationRecord
    outbox: Outbox
    stop_counting: End

    def close(self, services: Services) -> None:
        """End what is still going on and give up sockets, ports and the seat."""
        self.session.end(EndCause.HANGUP)
        services.manager.release(self.session)
        self.media.close()
        self.functions.close()
        self.outbox.close()
        self.stop_counting()


def open_conversation(
    esl: ControllerSession,
    services: Services,
    entry: RouteEntry,
    identity: CallIdentity,
    channel: ChannelData,
    *,
    listener: SessionListener,
    actions: CallActions,
    on_function_done: Callable[[FunctionOutcome], None],
) -> Conversation:
    """Plan and open a conversation; nothing is connected yet.

    Raises:
        HandBack: no provider can be used, or no seat is free.
    """
    module = services.audio_module(esl)
    try:
        plan = plan_conversation(
            entry,
            services.settings,
            offered_leg(channel),
            offered_tools(entry),
            module=module,
            idle_silence=has_idle_silence(channel),
            network=services.network,
        )
    except NoProvider as error:
        code = ErrorCode.PROVIDER_UNAVAILABLE
        raise HandBack(Outcome.UNAVAILABLE, code, str(error)) from error
    session = Session(
        identity.domain_uuid,
        identity.call_uuid,
        plan.session,
        listener,
        pacer=services.pacer,
        clock=services.clock,
    )
    try:
        services.manager.open(session)
    except CapacityReached as error:
        raise HandBack(Outcome.OVERFLOW, None, str(error)) from error
    outbox = Outbox()
    return Conversation(
        entry=entry,
        session=session,
        media=CallMedia(
            esl,
            session,
            services.manager,
            services.site,
            outbox,
            services.metrics,
            path=plan.path,
            choice=plan.choice,
            module=module,
        ),
        functions=FunctionRunner(
            ToolContext(entry, identity.caller_id_number, actions),
            deadline_s=services.settings.timeouts.tool_s,
            on_done=on_function_done,
        ),
        record=ConversationRecord(
            entry,
            identity,
            services.record,
            services.metrics,
            provider=plan.session.candidates[0].kind,
            ledger=services.ledger,
            worker=services.worker,
        ),
        outbox=outbox,
        stop_counting=follow_session(services.metrics, session),
    )
