"""From a tenant's settings and a leg's codec to everything one conversation is made with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bridge.audio.formats import FRAME_MS
from bridge.errors import BridgeError
from bridge.playout.editions import fits_packets, flavours, needs_idle_silence
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.providers.base import Capabilities
from bridge.providers.conversation import Brief, Ran, Said, Tool
from bridge.providers.host import Network
from bridge.session.candidates import Candidate
from bridge.session.config import SessionConfig
from bridge.session.media_plan import (
    Leg,
    MediaPath,
    PlayoutChoice,
    choose_formats,
    provider_formats,
)
from esl_controller.calls.audio_module import best_playback, hears_beside_unicast, without_unicast
from esl_controller.calls.breakers import Breakers
from esl_controller.calls.media_site import stream_rates
from esl_controller.calls.notice import greeting_of
from esl_controller.calls.wording import (
    greeting_when_closed,
    languages_told,
    phrases_of,
    when_closed,
)
from esl_controller.database.models import RouteEntry, SecretaryRealtime
from esl_controller.settings.table import Settings
from esl_controller.tenants.prompt import Known, render, spoken
from esl_controller.tenants.providers import (
    NoProvider,
    brief_of,
    own_provider,
    provider_protocol,
    turn_taking,
)

_log = structlog.get_logger("call.plan")

GIVE_UP_S = 10.0
"""A caller who was asked and still says nothing."""

_WE_CALL = (
    "You are making this call: the other side has not called you. Say nothing until somebody "
    "speaks. If a machine or a mailbox answers, do not talk to it: call leave_message."
)
MESSAGE_S = 90.0
"""Longest message left on a machine."""


@dataclass(frozen=True, slots=True)
class ConversationPlan:
    """What a call needs to begin."""

    session: SessionConfig
    path: MediaPath
    choice: PlayoutChoice
    module: Flavour | None
    """The audio module FreeSWITCH has: another way of playing, should this one fail."""
    known: Known
    """What the variables of the tenant's texts stand for."""

    def going_on(self, history: Iterable[Said | Ran]) -> ConversationPlan:
        """The same for a conversation that has begun: without a greeting."""
        brief = replace(self.session.brief, greeting="")
        session = replace(self.session, brief=brief, history=tuple(history))
        return replace(self, session=session)

    def without_unicast(self) -> ConversationPlan:
        """The same played by the module, where there is one that can."""
        other = without_unicast(self.module)
        if self.choice.mode is not PlayoutMode.UNICAST or other is None:
            return self
        return replace(self, path=MediaPath.STREAM, choice=PlayoutChoice(*other))


def plan_conversation(
    entry: RouteEntry,
    settings: Settings,
    leg: Leg,
    tools: Sequence[Tool],
    *,
    module: Flavour | None,
    idle_silence: bool,
    network: Network | None,
    breakers: Breakers,
    known: Known,
) -> ConversationPlan:
    """Choose providers, formats and the way of playing for one call.

    Args:
        leg: the codec the call is likely to get; it may turn out otherwise when answered.
        module: the audio module FreeSWITCH has, None when it has none.
        idle_silence: the channel can be had to send silence while nothing plays.
        breakers: what all calls of the worker know of the tenant's providers.
        known: what the variables of the tenant's texts stand for.

    Raises:
        NoProvider: with what is wrong about each.
    """
    candidates, capabilities = _candidates(entry, breakers)
    path, choice = choose_media(
        entry.secretary, settings, module, idle_silence=idle_silence, ptime_ms=leg.ptime_ms
    )
    formats = partial(provider_formats, leg)
    try:
        audio_in, _ = formats(capabilities)
        choose_formats(
            leg,
            (audio_in.rate_hz,),
            choice,
            media=path,
            stream_rates_hz=stream_rates(settings),
        )
    except BridgeError as error:
        raise NoProvider(str(error)) from error
    secretary, timeouts = entry.secretary, settings.timeouts
    session = SessionConfig(
        candidates=candidates,
        brief=briefed(entry, tools, known),
        provider_formats=formats,
        phrases=phrases_of(secretary, known),
        provider_connect_timeout_s=timeouts.provider_connect_s,
        silence_s=float(secretary.max_silence_seconds),
        give_up_s=GIVE_UP_S,
        max_turns=secretary.max_turns,
        max_duration_s=min(float(secretary.max_duration_seconds), timeouts.max_call_s),
        longest_s=timeouts.max_call_s,
        join_timeout_s=timeouts.stream_start_s + 2,
        digit_pause_s=secretary.dtmf_pause_ms / 1000,
        barge_in=secretary.barge_in,
        turns=turn_taking(secretary),
        network=network,
    )
    if entry.outbound is not None:
        session = replace(session, closing_timeout_s=MESSAGE_S)
    return ConversationPlan(session, path, choice, module, known)


def briefed(entry: RouteEntry, tools: Sequence[Tool], known: Known) -> Brief:
    """What the provider is told. Callers are greeted; whoever we call speaks first."""
    secretary, call = entry.secretary, entry.outbound
    brief = brief_of(secretary, tools)
    opening, notice = entry.opening, secretary.legal_notice or ""
    told = [render(brief.instructions, known), languages_told(entry)]
    words = spoken(brief.greeting, known)
    if call is None and opening is not None and not opening.open:
        told.append(when_closed(secretary, opening, known))
        words = f"{spoken(notice, known)} {greeting_when_closed(secretary, opening, known)}".strip()
    brief = replace(brief, instructions="\n\n".join(filter(None, told)))
    greeting = greeting_of(secretary, words)
    if call is None:
        return replace(brief, greeting=greeting)
    why = [_WE_CALL, f"Why you call: {call.purpose}" if call.purpose else ""]
    why.append(f"Begin with these words to a person: {greeting}" if greeting else "")
    instructions = "\n".join(filter(None, (brief.instructions, *why)))
    return replace(brief, instructions=instructions, greeting="")


def _candidates(entry: RouteEntry, breakers: Breakers) -> tuple[list[Candidate], Capabilities]:
    """The providers that can be used, and what the first of them can do."""
    usable: list[tuple[Candidate, Capabilities]] = []
    problems: list[str] = []
    own = own_provider(entry.secretary, entry.providers)
    for one in entry.providers:
        config = one.config
        make = partial(provider_protocol, one, entry.secretary, own=one is own)
        try:
            capabilities = make().capabilities
        except NoProvider as error:
            problems.append(f"{config.provider_label}: {error}")
            continue
        # Not by its label: those are the tenant's words, and two may be the same.
        name, kind = config.voice_realtime_provider_uuid, config.realtime_provider
        usable.append((Candidate(name, kind, make, breakers.gate(config)), capabilities))
    if not usable:
        raise NoProvider("; ".join(problems) or "the domain has no provider")
    return [candidate for candidate, _ in usable], usable[0][1]


def choose_media(
    secretary: SecretaryRealtime,
    settings: Settings,
    module: Flavour | None,
    *,
    idle_silence: bool,
    ptime_ms: int = FRAME_MS,
) -> tuple[MediaPath, PlayoutChoice]:
    """The way in and the way out: the secretary's wish, else the installation's.

    What the installation's module cannot play goes by unicast, which needs none. A module that
    replaces what FreeSWITCH writes plays nothing on a channel without idle silence; one that does
    not fit the channel's packets, or cannot hear while another plays, is not used at all.
    """
    unicast = PlayoutChoice(PlayoutMode.UNICAST)
    wants_unicast = "unicast" in (secretary.media_mode, settings.media.input)
    if wants_unicast or module is None:
        return MediaPath.UNICAST, unicast
    wanted = secretary.playback_mode
    if wanted == "auto":
        wanted = settings.media.playback
    mode = best_playback(module) if wanted == "auto" else PlayoutMode(wanted)
    beside = MediaPath.STREAM if hears_beside_unicast(module) else MediaPath.UNICAST
    if mode is PlayoutMode.UNICAST:
        return beside, unicast
    if not fits_packets(mode, module, ptime_ms):
        _log.warning("playback.other_packets", module=module.value, ptime_ms=ptime_ms)
        return MediaPath.UNICAST, unicast
    if mode is not PlayoutMode.FILE and needs_idle_silence(mode, module) and not idle_silence:
        _log.warning("playback.answered_before", playback=mode.value, module=module.value)
        return MediaPath.UNICAST, unicast
    if module in flavours(mode):
        return MediaPath.STREAM, PlayoutChoice(mode, module)
    _log.warning("playback.not_by_this_module", playback=wanted, module=module.value)
    return beside, unicast
