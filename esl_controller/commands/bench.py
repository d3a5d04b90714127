"""`bench`: measurements an operator can make on his own host."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from bridge.providers.registry import DESCRIPTORS, KINDS
from esl_controller.commands.columns import table
from esl_controller.commands.shared import EXIT_FAILED, Shell, confirm, with_shell
from esl_controller.money.price_file import price_list
from esl_controller.money.prices import PriceList
from esl_controller.settings.table import Settings

if TYPE_CHECKING:
    from bridge.providers.base import Usage
    from esl_controller.database.models import ProviderAccess
    from esl_controller.simulator.bench.providers import Figures, Plan

MINUTE_USD = Decimal("0.30")
"""More than a minute with any provider of the price list has cost: for the question before."""
ANSWER_S = 8
"""About what an answer and its question take."""


@click.group()
def command() -> None:
    """Measure this host and the providers."""


@command.command()
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
@click.option("--calls", default=3, show_default=True, type=click.IntRange(1, 50), help="At once.")
@click.option("--turns", default=5, show_default=True, type=click.IntRange(1, 100))
@click.option(
    "--delay-ms",
    default=20,
    show_default=True,
    type=click.IntRange(0, 2000),
    help="Of the emulated network, each way.",
)
@click.option("--real", is_flag=True, help="The real services, with the keys of the settings.")
@click.option("--agent-id", default="", help="Of ElevenLabs; without, Eleven Realtime is meant.")
@click.option("--yes", is_flag=True, help="Do not ask before money is spent.")
@with_shell
def providers(
    shell: Shell,
    kinds: Sequence[str],
    calls: int,
    turns: int,
    delay_ms: int,
    real: bool,
    agent_id: str,
    yes: bool,
) -> None:
    """How soon each provider answers, how much of that is ours, and the CPU of a call.

    Without --real its emulator plays the service, behind an emulated network: then the figures show
    what this host adds, and nothing of the services. The telephone network is in no figure.
    """
    from esl_controller.simulator.bench.providers import Plan

    plan = Plan(calls, turns, delay_ms / 1000)
    settings = shell.settings()
    if real:
        accesses = real_accesses(settings, os.environ, kinds or KINDS, agent_id)
        if not accesses:
            raise shell.fail("No provider has a key: see `esl-controller provider kinds`")
        _ask(shell, accesses, plan, yes=yes)
        found = [_measured_really(kind, one, settings, plan) for kind, one in accesses.items()]
    else:
        found = [_measured(shell, kind, plan) for kind in kinds or KINDS]
    prices = price_list(settings.storage.price_file)
    rows = [shown(one, prices) for one in found]
    data = [{**asdict(one), "usage": [asdict(used) for used in one.usage]} for one in found]
    shell.result(data, told(rows, found))
    if any(not one.answers for one in found):
        raise click.exceptions.Exit(EXIT_FAILED)


def _measured(shell: Shell, kind: str, plan: Plan) -> Figures:
    from esl_controller.simulator.bench.providers import emulated, measure

    with shell.step(f"Calling the emulated {kind}"), emulated(kind, plan) as (make, network):
        return measure(kind, make, network, plan, real=False)


def _measured_really(kind: str, access: ProviderAccess, settings: Settings, plan: Plan) -> Figures:
    from bridge.wire.network import Network
    from esl_controller.simulator.bench.providers import measure
    from esl_controller.tenants.providers import provider_protocol

    network = Network(speech=settings.speech.socket or None)
    return measure(kind, lambda: provider_protocol(access), network, plan, real=True)


def _ask(shell: Shell, accesses: Iterable[str], plan: Plan, *, yes: bool) -> None:
    """Say what is going to be spent, at most."""
    names = list(accesses)
    minutes = Decimal(plan.calls * (plan.turns + 1) * ANSWER_S * len(names)) / 60
    most = (minutes * MINUTE_USD).quantize(Decimal("0.01"))
    question = (
        f"{plan.calls} calls of {plan.turns} questions to each of {', '.join(names)}: about "
        f"{minutes:.0f} minutes, at most {most} USD on your accounts. Go on?"
    )
    confirm(shell, question, yes=yes)


def real_accesses(
    settings: Settings, environ: Mapping[str, str], kinds: Iterable[str], agent_id: str
) -> dict[str, ProviderAccess]:
    """Kinds with a key, each at its vendor's own address alone: of the settings, or of its own
    variable."""
    from esl_controller.database.models import ProviderAccess
    from esl_controller.settings.loader import usual_key
    from esl_controller.settings.types import Secret
    from esl_controller.simulator.bench.providers import row
    from esl_controller.tenants.config import default_provider

    found = {}
    default = default_provider(settings.provider)
    for kind in kinds:
        if default is not None and kind == settings.provider.name:
            found[kind] = default
        elif key := usual_key(kind, environ):
            found[kind] = ProviderAccess(row(kind, _of_agents(kind, agent_id)), Secret(key))
    return found


def _of_agents(kind: str, agent_id: str) -> dict[str, str]:
    """Where a vendor has several interfaces, that which needs no agent, unless one is named."""
    further = [one.name for one in DESCRIPTORS[kind].interfaces if one.name]
    if not further:
        return {}
    return {"agent_id": agent_id} if agent_id else {"interface": further[0]}


def shown(one: Figures, prices: PriceList) -> dict[str, str]:
    """A row of the table."""
    return {
        "provider": one.provider + (" (real)" if one.real else ""),
        "answers": f"{one.answers}/{one.answers + one.unanswered}",
        "ready": _ms(one.ready_ms),
        "greeting": _ms(one.greeting_ms),
        "answer p50": _ms(one.answer_p50_ms),
        "p95": _ms(one.answer_p95_ms),
        "theirs p50": _ms(one.provider_p50_ms),
        "ours p50": _ms(one.ours_p50_ms),
        "ours p95": _ms(one.ours_p95_ms),
        "CPU %/call": "-" if one.cpu_percent is None else f"{one.cpu_percent:.1f}",
        "cost": _cost(one.usage, prices) if one.real else "-",
    }


def told(rows: Sequence[Mapping[str, str]], found: Sequence[Figures]) -> str:
    """The table, stages of pipelines, and what went wrong."""
    lines = [table([dict(row) for row in rows], tuple(rows[0]), ""), "times in milliseconds"]
    for one in found:
        if one.stages_ms:
            stages = ", ".join(f"{name} {value:.1f}" for name, value in one.stages_ms.items())
            lines.append(f"{one.provider}, stages (p50): {stages}")
        lines += [f"{one.provider}: {trouble}" for trouble in one.troubles]
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _cost(usage: Iterable[Usage], prices: PriceList) -> str:
    """In USD, of what was counted; what has no price is said."""
    today = datetime.now(UTC).date()
    total, unpriced = Decimal(0), False
    for one in usage:
        price = prices.find(one.vendor, one.model, today)
        unpriced |= price is None
        total += Decimal(0) if price is None else price.cost(one)
    return f"{total:.4f}" + ("+?" if unpriced else "")
