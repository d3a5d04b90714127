"""What a worker makes its conversations with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from bridge.audio.pacer import Pacer
from bridge.playout.modes import Flavour
from bridge.providers.ahead import Ahead
from bridge.providers.conversation import Conversation, Tool
from bridge.providers.host import Network
from bridge.session.session import Session
from bridge.session_manager import SessionManager
from esl_controller.calls.breakers import Breakers
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.giving_back import GivingBack
from esl_controller.calls.leg import Leg
from esl_controller.calls.media import CallMedia
from esl_controller.calls.media_site import MediaSite
from esl_controller.calls.plan import ConversationPlan, plan_conversation
from esl_controller.calls.transfer.places import Places
from esl_controller.database.models import RouteEntry
from esl_controller.esl.session import ControllerSession
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.services.ports import Services
from esl_controller.settings.table import Settings
from esl_controller.telemetry.catalogue import ErrorCode
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tenants.prompt import Known
from esl_controller.tenants.providers import NoProvider
from esl_controller.tools.registry import offered_tools


@dataclass(frozen=True, slots=True)
class ConversationSite:
    """What a worker makes its conversations with."""

    settings: Settings
    manager: SessionManager
    pacer: Pacer
    media: MediaSite
    network: Callable[[], Network]
    """How providers are reached; another one when its CA file was read again."""
    breakers: Breakers
    """Which providers of which tenants are passed over."""
    audio_module: Callable[[ControllerSession], Flavour | None]
    """The audio module of the FreeSWITCH behind a connection, None when it has none."""
    places: Places
    """Whom callers can be connected to."""
    services: Services
    """Tenants' own systems."""
    clock: Callable[[], float] = time.monotonic

    def plan(
        self,
        leg: Leg,
        entry: RouteEntry,
        tools: Sequence[Tool] | None = None,
        *,
        known: Known = MappingProxyType({}),
    ) -> ConversationPlan:
        """Choose providers, formats and the way of playing.

        Args:
            tools: instead of the secretary's.
            known: what the variables of the tenant's texts stand for.

        Raises:
            HandBack: no provider can be used.
        """
        try:
            return plan_conversation(
                entry,
                self.settings,
                leg.codec,
                offered_tools(entry) if tools is None else tools,
                module=self.audio_module(leg.esl),
                idle_silence=leg.has_idle_silence,
                network=self.network(),
                breakers=self.breakers,
                known=known,
            )
        except NoProvider as error:
            code = ErrorCode.PROVIDER_UNAVAILABLE
            raise HandBack(Outcome.UNAVAILABLE, code, str(error)) from error

    def plan_meanwhile(
        self,
        leg: Leg,
        entry: RouteEntry,
        known: Known,
        more: Callable[[], Known],
        given_back: GivingBack,
    ) -> ConversationPlan:
        """As `plan`, with `more` that is waited for while the provider's way is opened.

        Nobody who takes that way: `given_back` closes it. Raises HandBack.
        """
        ahead = self._dial_ahead(leg, entry, known)
        if ahead is not None:
            given_back.callback(ahead.close)
        plan = self.plan(leg, entry, known={**known, **more()})
        return replace(plan, session=replace(plan.session, ahead=ahead))

    def _dial_ahead(self, leg: Leg, entry: RouteEntry, known: Known) -> Ahead | None:
        """Begin to open the way to the first provider before all of `known` is known.

        None where that provider has failed lately: who tries it is counted. Raises HandBack.
        """
        session = self.plan(leg, entry, known=known).session
        first = session.candidates[0]
        if not first.gate.well:
            return None
        scout = first.make()
        return Ahead(
            scout,
            Conversation(*session.provider_formats(scout.capabilities), session.brief),
            connect_timeout_s=session.provider_connect_timeout_s,
            network=session.network,
            clock=self.clock,
        )

    def media_for(
        self,
        leg: Leg,
        session: Session,
        plan: ConversationPlan,
        outbox: Outbox,
        metrics: Metrics,
    ) -> CallMedia:
        """The media of a session, which are the leg's from now on."""
        media = CallMedia(
            leg.esl,
            session,
            self.manager,
            self.media,
            outbox,
            metrics,
            path=plan.path,
            choice=plan.choice,
            module=plan.module,
        )
        leg.use_media(media)
        return media
