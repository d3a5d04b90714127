"""What /health says of a worker, and why: judged from what its parts know, asking nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from esl_controller.telemetry.provider_results import ProviderResults


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How the parts of a worker do. Texts are empty when all is well."""

    database_error: str
    changes_heard: bool
    spool_error: str
    port_wanted: bool
    """The Event Socket port should be open: not draining, not left to others."""
    port_open: bool


def judge(
    facts: Facts,
    providers: ProviderResults,
    circuits: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
) -> tuple[str, Sequence[str]]:
    """Return `healthy`, `degraded` or `unavailable`, and a sentence for each thing that is wrong.

    Degraded: callers are served, something behind it is not as it should be. Unavailable: callers
    are not served, or what they say may be lost.
    """
    lost: list[str] = []
    reasons: list[str] = []
    if facts.database_error:
        reasons.append("the database does not answer; known numbers are served as before")
    elif not facts.changes_heard:
        reasons.append("changes of settings are not heard; they take seconds to reach calls")
    if facts.spool_error:
        reasons.append(f"the spool cannot be written: {facts.spool_error}")
        if facts.database_error:
            lost.append("conversations are kept in memory only")
    if facts.port_wanted and not facts.port_open:
        lost.append("the Event Socket port is not open")
    states = providers.states().values()
    reasons += providers.reasons()
    reasons += [_passed_over(kind, sum(counts.values())) for kind, counts in circuits.items()]
    if states and all(state == "unavailable" for state in states):
        lost.append("no provider that was tried works")
    if lost:
        return "unavailable", [*lost, *reasons]
    return ("degraded" if reasons else "healthy"), reasons


def _passed_over(kind: str, count: int) -> str:
    whose = "a tenant's" if count == 1 else f"{count} tenants'"
    return f"provider {kind}: {whose} is passed over after too many failures"
