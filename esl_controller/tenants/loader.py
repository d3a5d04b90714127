"""Which secretary answers a number: from memory, kept true by the database's notifications.

A known number never waits for the database. A number asked for the first time, or one whose row
was just changed, waits for one read with a deadline; while the database is away the last known
good answer is given. An entry is frozen: a running call keeps the one it began with.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import gevent
import structlog
from gevent import Greenlet

from esl_controller.database.models import RouteEntry, TurnBasedEntry
from esl_controller.database.notifications import NotificationListener
from esl_controller.database.pool import DatabaseError, DatabaseUnavailable
from esl_controller.telemetry.background import forever
from esl_controller.tenants.names import DomainNames
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.source import ConfigSource

__all__ = ["ConfigError", "ConfigLoader", "ConfigTiming", "LoaderStatistics"]

CHANNEL = "voice_ai_configuration"
"""Notified by the triggers of migration 010; the payload is the domain."""
MAX_UNKNOWN = 10_000
"""Numbers nobody answers that are remembered: callers choose them, so they are limited."""
RETRY_S = 1.0
"""After a failed read the last known good answer is given this long before the next read."""

_log = structlog.get_logger("config")
_Key = tuple[str, str]
_Answer = RouteEntry | TurnBasedEntry | ConfigError
_Loaded = _Answer | DatabaseError | None


@dataclass(frozen=True, slots=True)
class ConfigTiming:
    """Limits in seconds."""

    ttl_s: float = 300.0
    """Age at which an entry is read again, in the background, though nothing was notified."""
    unheard_ttl_s: float = 5.0
    """The same while notifications cannot be heard."""
    refused_ttl_s: float = 5.0
    """The same for settings that were refused: what they lacked, as a file, may be there by now."""
    unknown_ttl_s: float = 30.0
    load_timeout_s: float = 1.0
    """Longest a call waits for a read."""
    keepalive_s: float = 15.0
    reconnect_s: float = 1.0


@dataclass(slots=True)
class LoaderStatistics:
    """Counts since start."""

    hits: int = 0
    misses: int = 0
    loads: int = 0
    load_failures: int = 0
    last_known_good: int = 0
    notifications: int = 0
    listening: bool = False


@dataclass(slots=True)
class _Known:
    answer: _Answer
    loaded_at: float
    changed: bool = False
    retry_at: float = 0.0


class ConfigLoader:
    """The cache of one worker. `start` listens for changes; look-ups work without it as well."""

    def __init__(
        self,
        source: ConfigSource,
        dsn: str,
        *,
        timing: ConfigTiming | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._dsn = dsn
        self._timing = timing or ConfigTiming()
        self._clock = clock
        self._known: dict[_Key, _Known] = {}
        self._unknown: OrderedDict[_Key, float] = OrderedDict()
        self._loading: dict[_Key, Greenlet[..., _Loaded]] = {}
        self._listener: Greenlet[..., None] | None = None
        self._names = DomainNames(
            source.find_domain, timeout_s=self._timing.load_timeout_s, clock=clock
        )
        self.statistics = LoaderStatistics()

    def secretary_for(self, domain_uuid: str, extension: str) -> RouteEntry | TurnBasedEntry | None:
        """Return who answers `extension` of a domain, None when nobody does.

        Raises ConfigError when the stored settings are wrong, and DatabaseUnavailable (or another
        DatabaseError) when they cannot be read and were never known.
        """
        key = (domain_uuid, extension)
        known = self._known.get(key)
        if known is None:
            return self._first_time(key)
        if self._must_wait(known):
            self._wait_for_load(key)
            known = self._known.get(key)
        elif self._is_old(known):
            self._load_in_background(key)
        self.statistics.hits += 1
        return None if known is None else _result(known.answer)

    def is_known_secretary(self, domain_uuid: str, extension: str) -> bool:
        """Whether a realtime secretary is remembered for a number; never waits, reads nothing."""
        known = self._known.get((domain_uuid, extension))
        return known is not None and isinstance(known.answer, RouteEntry)

    def domain_named(self, name: str) -> str | None:
        """UUID of the only domain with a name; None without one. Raises DatabaseError."""
        return self._names.domain_uuid(name)

    def start(self) -> None:
        """Begin to listen for changes."""
        if self._listener is None:
            self._listener = forever("config_listener", self._listen)

    def stop(self) -> None:
        """Stop listening and reading."""
        gevent.killall([*self._loading.values(), *filter(None, [self._listener])], timeout=5)
        self._listener = None

    def invalidate(self, domain_uuid: str | None = None) -> None:
        """Have everything of a domain (of all without one) read again before its next use."""
        self._names.forget()
        for key, known in self._known.items():
            if domain_uuid in (None, key[0]):
                known.changed = True
                known.retry_at = 0.0
        for key in [key for key in self._unknown if domain_uuid in (None, key[0])]:
            del self._unknown[key]
        self._outdate_running_loads(domain_uuid)

    def _outdate_running_loads(self, domain_uuid: str | None) -> None:
        """Forget reads under way: they may have read before the change."""
        for key in [key for key in self._loading if domain_uuid in (None, key[0])]:
            del self._loading[key]

    def _first_time(self, key: _Key) -> RouteEntry | TurnBasedEntry | None:
        unknown_since = self._unknown.get(key)
        now = self._clock()
        if unknown_since is not None and now - unknown_since < self._timing.unknown_ttl_s:
            self.statistics.hits += 1
            return None
        if not _is_uuid(key[0]):
            return None
        self.statistics.misses += 1
        return _result(self._wait_for_load(key))

    def _must_wait(self, known: _Known) -> bool:
        return known.changed and self._clock() >= known.retry_at

    def _is_old(self, known: _Known) -> bool:
        timing = self._timing
        ttl_s = timing.ttl_s if self.statistics.listening else timing.unheard_ttl_s
        if isinstance(known.answer, ConfigError):
            ttl_s = min(ttl_s, timing.refused_ttl_s)
        now = self._clock()
        return now - known.loaded_at > ttl_s and now >= known.retry_at

    def _wait_for_load(self, key: _Key) -> _Loaded:
        load = self._load_in_background(key)
        load.join(self._timing.load_timeout_s)
        if load.ready():
            return load.get()
        self._keep_last_known(key)
        return DatabaseUnavailable(f"settings not read within {self._timing.load_timeout_s} s")

    def _load_in_background(self, key: _Key) -> Greenlet[..., _Loaded]:
        """Read one route; of several who ask at once only the first does."""
        load = self._loading.get(key)
        if load is None:
            load = self._loading[key] = gevent.spawn(self._load, key)
        return load

    def _load(self, key: _Key) -> _Loaded:
        self.statistics.loads += 1
        me = gevent.getcurrent()
        loaded: _Loaded
        try:
            loaded = self._source.load(*key)
        except ConfigError as error:
            loaded = error
            _log.error("settings_refused", domain_uuid=key[0], problems=error.problems)
        except DatabaseError as error:
            loaded = error
            _log.warning("settings_not_read", domain_uuid=key[0], error=str(error))
        finally:
            current = self._loading.get(key) is me
            if current:
                del self._loading[key]
        if current:
            self._remember(key, loaded)
        return loaded

    def _remember(self, key: _Key, loaded: _Loaded) -> None:
        if isinstance(loaded, DatabaseError):
            self.statistics.load_failures += 1
            self._keep_last_known(key)
        elif loaded is None:
            self._known.pop(key, None)
            self._unknown[key] = self._clock()
            self._unknown.move_to_end(key)
            if len(self._unknown) > MAX_UNKNOWN:
                self._unknown.popitem(last=False)
        else:
            self._unknown.pop(key, None)
            before = self._known.get(key)
            self._known[key] = _Known(loaded, self._clock())
            if _warnings(loaded) != (_warnings(before.answer) if before else ()):
                _log.warning("settings_doubtful", domain_uuid=key[0], warnings=_warnings(loaded))

    def _keep_last_known(self, key: _Key) -> None:
        known = self._known.get(key)
        if known is not None:
            self.statistics.last_known_good += 1
            known.retry_at = self._clock() + RETRY_S

    def _listen(self) -> None:
        while True:
            try:
                with NotificationListener(self._dsn, CHANNEL) as listener:
                    self.invalidate()  # what was notified while nobody listened is not known
                    self.statistics.listening = True
                    self._hear(listener)
            except DatabaseUnavailable as error:
                _log.warning("settings_changes_unheard", error=str(error))
            finally:
                self.statistics.listening = False
            gevent.sleep(self._timing.reconnect_s)

    def _hear(self, listener: NotificationListener) -> None:
        while True:
            for domain_uuid in set(listener.receive(self._timing.keepalive_s)):
                self.statistics.notifications += 1
                self.invalidate(domain_uuid)


def _result(loaded: _Loaded) -> RouteEntry | TurnBasedEntry | None:
    if isinstance(loaded, ConfigError | DatabaseError):
        raise loaded.with_traceback(None)  # kept and raised again: let nothing pile up
    return loaded


def _warnings(answer: _Answer) -> tuple[str, ...]:
    return answer.warnings if isinstance(answer, RouteEntry) else ()


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
