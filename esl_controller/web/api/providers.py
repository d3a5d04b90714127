"""Handlers: is a provider row good, and what does its voice sound like?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from http import HTTPStatus

import msgspec

from bridge.providers.base import Usage
from esl_controller.database.models import ProviderAccess
from esl_controller.money.budget import BudgetLevel
from esl_controller.tenants.providers import NoProvider, provider_protocol
from esl_controller.tenants.rules import ConfigError
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.probe import Probe, ProbeFailed, wav
from esl_controller.web.api.problems import Problem, not_found
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import Circuits, CircuitView, PreviewRequest, ProviderTest
from esl_controller.web.api.trying import failed, try_access
from esl_controller.web.words.told import told

PREVIEW_S = 20.0


def try_provider(resources: Resources, request: Request) -> ProviderTest:
    """Connect as a call would. What the provider says is the result, not an error of ours."""
    with resources.gates.through(Gate.PROVIDER):
        try:
            access = _access(resources, request)
        except ConfigError as error:
            why = told(str(error), request.language)
            return failed(ProbeFailed("configuration", "settings", why))
        connect_s = resources.settings.timeouts.provider_connect_s
        result = try_access(
            access,
            resources.network(),
            connect_s,
            on_usage=_booking(resources, access),
            ends=resources.source.ends,
        )
    said = [told(one, request.language) for one in result.warnings]
    return msgspec.structs.replace(result, warnings=said)


def show_circuits(resources: Resources, request: Request) -> Circuits:
    """Which providers of the domain are passed over; from memory, so of this worker alone."""
    found = [CircuitView(**asdict(one)) for one in resources.circuits(request.domain_uuid)]
    return Circuits(worker=resources.worker, circuits=found)


def preview_voice(resources: Resources, request: Request) -> Reply:
    """Have the provider say a sentence, at the domain's cost; a WAV file.

    It takes no lease: the domain's caps are for its calls, and nobody who calls may be turned away
    because of a preview. What previews can spend at once is limited by their gate.
    """
    wanted: PreviewRequest = request.body
    with resources.gates.through(Gate.PROVIDER):
        try:
            _require_budget(resources, request.domain_uuid)
            audio = _say(resources, _access(resources, request), wanted)
        except (ConfigError, NoProvider) as error:
            raise _bad_provider("configuration", str(error)) from error
        except ProbeFailed as error:
            raise _bad_provider(error.kind, f"{error.code}: {error.message}") from error
    return Reply(HTTPStatus.OK, audio, "audio/wav")


def _say(resources: Resources, access: ProviderAccess, wanted: PreviewRequest) -> bytes:
    probe = Probe(
        provider_protocol(access, voice=wanted.voice),
        network=resources.network(),
        timeout_s=PREVIEW_S,
        greeting=wanted.text,
        on_usage=_booking(resources, access),
    )
    try:
        probe.wait_ready()
        return wav(probe.wait_said(), probe.format)
    finally:
        probe.close()


def _booking(resources: Resources, access: ProviderAccess) -> Callable[[Usage], object]:
    """Holds what is used against the domain's budgets, and books it to the provider."""
    config = access.config

    def book(usage: Usage) -> None:
        through = replace(usage, account=config.voice_realtime_provider_uuid)
        resources.ledger.book(through, config.domain_uuid, conversation_uuid=None)

    return book


def _access(resources: Resources, request: Request) -> ProviderAccess:
    with resources.gates.through(Gate.READ):
        access = resources.source.load_provider(request.domain_uuid, request.path["provider_uuid"])
    if access is None:
        raise not_found("provider")
    return access


def _require_budget(resources: Resources, domain_uuid: str) -> None:
    """What is said costs money: none is spent that a call could not spend."""
    with resources.gates.through(Gate.READ):
        tenant = resources.source.load_tenant(domain_uuid)
    state = resources.admission.budget.check(tenant)
    if state.level is BudgetLevel.EXHAUSTED:
        detail = (
            f"the domain's budget of the {state.period} is used up: "
            f"{state.spent_usd} of {state.limit_usd} USD"
        )
        raise Problem(HTTPStatus.CONFLICT, "budget-exhausted", detail)


def _bad_provider(kind: str, detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, f"provider-{kind.replace('_', '-')}", detail)
