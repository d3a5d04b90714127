"""The circuit breakers of a worker: one for each provider of a tenant's that has failed of late."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.providers.base import ErrorKind
from esl_controller.calls.breaker import Breaker, BreakerLimits, BreakerState
from esl_controller.database.models import RealtimeProviderConfig
from esl_controller.settings.table import Provider

_log = structlog.get_logger("call.breakers")

MAX_BREAKERS = 2000
"""Of providers that fail; the one that failed longest ago is forgotten."""

Key = tuple[str, str]
"""`domain_uuid` and the provider's row."""


def limits_of(provider: Provider) -> BreakerLimits:
    """As the installation wants them."""
    return BreakerLimits(
        provider.breaker_failures, provider.breaker_window_s, provider.breaker_open_s
    )


@dataclass(frozen=True, slots=True)
class Circuit:
    """One breaker that has something to tell."""

    provider_uuid: str
    provider: str
    """openai | elevenlabs | gemini | custom"""
    label: str
    state: str
    """closed | open | half_open"""
    failures: int
    last_error: str
    tried_in_s: float


@dataclass(slots=True, eq=False)
class _Entry:
    breaker: Breaker
    kind: str
    label: str
    last_error: str = ""


class Breakers:
    """Shared by all calls of a worker; asked and told on the hub, where nothing waits."""

    def __init__(
        self, limits: BreakerLimits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.opened: Counter[str] = Counter()
        """Times a breaker opened, by kind of provider."""
        self.passed_over: Counter[str] = Counter()
        """Times a provider was not tried, by kind."""
        self._limits = limits
        self._clock = clock
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def gate(self, config: RealtimeProviderConfig) -> ProviderGate:
        """For the calls of one tenant to one of its providers."""
        return ProviderGate(self, config)

    def of_domain(self, domain_uuid: str) -> list[Circuit]:
        """Its providers that have failed since they were last heard."""
        now = self._clock()
        return [
            Circuit(
                key[1],
                entry.kind,
                entry.label,
                entry.breaker.state.value,
                entry.breaker.failures,
                entry.last_error,
                round(entry.breaker.tried_in_s(now), 1),
            )
            for key, entry in self._entries.items()
            if key[0] == domain_uuid
        ]

    def states(self) -> dict[str, dict[str, int]]:
        """Kind of provider to how many are open and half open; kinds without any are left out."""
        counts: dict[str, dict[str, int]] = {}
        for entry in self._entries.values():
            if entry.breaker.state is not BreakerState.CLOSED:
                kind = counts.setdefault(entry.kind, {"open": 0, "half_open": 0})
                kind[entry.breaker.state.value] += 1
        return counts

    def admit(self, key: Key) -> bool:
        """Whether it may be tried now."""
        entry = self._entries.get(key)
        if entry is None or entry.breaker.admit(self._clock()):
            return True
        self.passed_over[entry.kind] += 1
        return False

    def is_closed(self, key: Key) -> bool:
        """Nobody is passed over."""
        entry = self._entries.get(key)
        return entry is None or entry.breaker.state is BreakerState.CLOSED

    def failed(self, key: Key, kind: str, label: str, error: ErrorKind) -> None:
        """A connection of it failed."""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(Breaker(self._limits), kind, label)
        self._entries.move_to_end(key)
        if len(self._entries) > MAX_BREAKERS:
            self._entries.popitem(last=False)
        entry.last_error = error.value
        if entry.breaker.failed(self._clock()):
            self.opened[kind] += 1
            _log.warning("provider.passed_over", domain_uuid=key[0], provider=label,
                         error=error.value, for_s=self._limits.open_s)  # fmt: skip

    def heard(self, key: Key) -> None:
        """It is well: nothing of it need be remembered."""
        entry = self._entries.pop(key, None)
        if entry is not None and entry.breaker.state is not BreakerState.CLOSED:
            _log.info("provider.well_again", domain_uuid=key[0], provider=entry.label)


class ProviderGate:
    """Is a `bridge.session.candidates.Gate`."""

    def __init__(self, breakers: Breakers, config: RealtimeProviderConfig) -> None:
        self._breakers = breakers
        self._key = (config.domain_uuid, config.voice_realtime_provider_uuid)
        self._kind = config.realtime_provider
        self._label = config.provider_label

    @property
    def well(self) -> bool:
        """Nothing is held against it."""
        return self._breakers.is_closed(self._key)

    def admit(self) -> bool:
        """Whether it may be tried now."""
        return self._breakers.admit(self._key)

    def failed(self, kind: ErrorKind) -> None:
        """A connection of it failed."""
        self._breakers.failed(self._key, self._kind, self._label, kind)

    def heard(self) -> None:
        """A connection's first answer was heard."""
        self._breakers.heard(self._key)
