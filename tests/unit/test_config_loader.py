"""The cache by itself: what is read when, and what a call gets while reading fails."""

import uuid

import gevent
import pytest
from gevent.event import Event
from structlog.testing import capture_logs

from esl_controller.database.models import (
    ProcessingMode,
    RouteEntry,
    TenantSettings,
    TurnBasedEntry,
)
from esl_controller.database.pool import DatabaseUnavailable
from esl_controller.tenants import loader as config_loader
from esl_controller.tenants import names, rules
from esl_controller.tenants.loader import ConfigError, ConfigLoader, ConfigTiming
from esl_controller.tenants.names import KEPT_S

DOMAIN = str(uuid.uuid4())
OTHER = str(uuid.uuid4())


class Source:
    """A database in three lines: answers by number, counted, failing or slow on demand."""

    def __init__(self) -> None:
        self.version = 1
        self.reads = 0
        self.failure: Exception | None = None
        self.gate = Event()
        self.gate.set()

    def load(self, domain_uuid: str, extension: str) -> TurnBasedEntry | None:
        self.reads += 1
        version = self.version
        self.gate.wait()
        if self.failure is not None:
            raise self.failure
        if extension == "none":
            return None
        return TurnBasedEntry(domain_uuid, f"v{version}", extension, None)

    def find_domain(self, name: str) -> str | None:
        self.reads += 1
        self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return DOMAIN if name == "pbx.example" else None


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loader(source, clock):
    timing = ConfigTiming(ttl_s=300, unheard_ttl_s=5, unknown_ttl_s=30, load_timeout_s=0.05)
    loader = ConfigLoader(source, "", timing=timing, clock=clock)
    loader.statistics.listening = True
    yield loader
    source.gate.set()
    gevent.sleep(0)


def doubtful(*warnings: str) -> RouteEntry:
    row = {
        "secretary_realtime_uuid": OTHER,
        "domain_uuid": DOMAIN,
        "realtime_provider": "openai",
    }
    mode, tenant = ProcessingMode.REALTIME, TenantSettings(DOMAIN)
    return RouteEntry(DOMAIN, "", "8000", mode, rules.secretary(row), (), tenant, warnings)


def version_of(loader: ConfigLoader, domain_uuid: str = DOMAIN) -> str:
    return loader.secretary_for(domain_uuid, "8000").domain_name


def test_a_number_is_read_once(loader, source):
    first = loader.secretary_for(DOMAIN, "8000")
    assert loader.secretary_for(DOMAIN, "8000") is first
    assert source.reads == 1
    assert (loader.statistics.hits, loader.statistics.misses) == (1, 1)


def test_a_known_number_never_waits(loader, source, clock):
    version_of(loader)
    source.gate.clear()
    clock.now += 301
    for _ in range(3):
        assert version_of(loader) == "v1"
        gevent.sleep(0)
    assert source.reads == 2


def test_an_old_entry_is_read_in_the_background(loader, source, clock):
    version_of(loader)
    source.version = 2
    clock.now += 301
    assert version_of(loader) == "v1"
    gevent.sleep(0)
    assert version_of(loader) == "v2"
    assert source.reads == 2


def test_entries_are_old_sooner_while_nothing_is_heard(loader, source, clock):
    version_of(loader)
    clock.now += 6
    version_of(loader)
    gevent.sleep(0)
    assert source.reads == 1
    loader.statistics.listening = False
    version_of(loader)
    gevent.sleep(0)
    assert source.reads == 2


def test_a_changed_entry_is_in_force_for_the_next_call(loader, source):
    assert version_of(loader) == version_of(loader, OTHER) == "v1"
    source.version = 2
    loader.invalidate(DOMAIN)
    assert (version_of(loader), version_of(loader, OTHER)) == ("v2", "v1")
    loader.invalidate()
    assert version_of(loader, OTHER) == "v2"


def test_who_asks_at_once_is_answered_by_one_read(loader, source):
    asking = [gevent.spawn(version_of, loader) for _ in range(50)]
    gevent.joinall(asking, raise_error=True)
    assert {greenlet.value for greenlet in asking} == {"v1"}
    assert source.reads == 1


def test_what_was_read_before_a_change_is_not_kept(loader, source):
    version_of(loader)
    loader.invalidate(DOMAIN)
    source.gate.clear()
    call = gevent.spawn(version_of, loader)
    while source.reads < 2:
        gevent.sleep(0)
    source.version = 3  # changed after the read began
    loader.invalidate(DOMAIN)
    source.gate.set()
    call.join()
    assert version_of(loader) == "v3"


def test_away_and_never_known_is_said(loader, source):
    source.failure = DatabaseUnavailable("away")
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            loader.secretary_for(DOMAIN, "8000")
    source.failure = None
    assert version_of(loader) == "v1"


def test_away_and_known_gives_the_last_known_good(loader, source, clock):
    version_of(loader)
    source.failure = DatabaseUnavailable("away")
    loader.invalidate(DOMAIN)
    assert [version_of(loader) for _ in range(5)] == ["v1"] * 5
    assert source.reads == 2  # not once a call
    assert loader.statistics.last_known_good == 1
    source.failure, source.version = None, 2
    clock.now += config_loader.RETRY_S
    assert version_of(loader) == "v2"


def test_a_slow_database_keeps_no_call_waiting(loader, source):
    version_of(loader)
    loader.invalidate(DOMAIN)
    source.gate.clear()
    assert version_of(loader) == "v1"
    with pytest.raises(DatabaseUnavailable, match=r"within 0\.05 s"):
        loader.secretary_for(OTHER, "8000")


def test_unknown_numbers_are_remembered_for_a_while(loader, source, clock):
    for _ in range(3):
        assert loader.secretary_for(DOMAIN, "none") is None
    assert source.reads == 1
    clock.now += 31
    assert loader.secretary_for(DOMAIN, "none") is None
    assert source.reads == 2
    loader.invalidate(DOMAIN)
    assert loader.secretary_for(DOMAIN, "none") is None
    assert source.reads == 3


def test_remembered_unknown_numbers_are_limited(loader, monkeypatch):
    monkeypatch.setattr(config_loader, "MAX_UNKNOWN", 10)
    for _ in range(50):
        loader.secretary_for(str(uuid.uuid4()), "none")
    assert len(loader._unknown) == 10


@pytest.mark.parametrize("domain", ["", "x", DOMAIN.upper(), DOMAIN.replace("-", "")])
def test_what_is_no_domain_is_not_asked_for(loader, source, domain):
    assert loader.secretary_for(domain, "8000") is None
    assert source.reads == 0


def test_wrong_settings_are_said_each_time_and_read_once(loader, source):
    source.failure = ConfigError(["vad_threshold is 3"])
    depths = set()
    for _ in range(5):
        with pytest.raises(ConfigError, match="vad_threshold") as caught:
            loader.secretary_for(DOMAIN, "8000")
        depths.add(len(caught.traceback))
    assert source.reads == 1
    assert max(depths) <= 4  # the kept exception gathers no traceback
    source.failure = None
    loader.invalidate(DOMAIN)
    assert version_of(loader) == "v1"


def test_a_number_that_lost_its_secretary_is_unknown(loader, source, monkeypatch):
    version_of(loader)
    monkeypatch.setattr(source, "load", lambda *_key: None)
    loader.invalidate(DOMAIN)
    assert loader.secretary_for(DOMAIN, "8000") is None


def test_a_domain_is_found_by_its_name_once_and_again_after_a_while(loader, source, clock):
    for name in ("pbx.example", "PBX.example"):
        assert loader.domain_named(name) == DOMAIN
    assert loader.domain_named("nobody.example") is None
    assert source.reads == 2
    clock.now += KEPT_S
    assert loader.domain_named("pbx.example") == DOMAIN
    assert source.reads == 3
    loader.invalidate(DOMAIN)
    loader.domain_named("pbx.example")
    assert source.reads == 4


def test_a_name_is_kept_while_the_database_is_away(loader, source):
    loader.domain_named("pbx.example")
    source.failure = DatabaseUnavailable("away")
    loader.invalidate()
    assert loader.domain_named("pbx.example") == DOMAIN
    with pytest.raises(DatabaseUnavailable):
        loader.domain_named("other.example")


def test_a_slow_database_keeps_no_call_waiting_for_a_name(loader, source):
    source.gate.clear()
    with pytest.raises(DatabaseUnavailable, match=r"within 0\.05 s"):
        loader.domain_named("pbx.example")


def test_remembered_names_are_limited(loader, monkeypatch):
    monkeypatch.setattr(names, "MAX_NAMES", 10)
    for number in range(50):
        loader.domain_named(f"{number}.example")
    assert len(loader._names._known) == 10


def test_doubtful_settings_are_logged_when_they_change(loader, source, monkeypatch):
    entries = [doubtful("voice_id"), doubtful("voice_id"), doubtful(), doubtful("voice_id")]
    monkeypatch.setattr(source, "load", lambda *_key: entries.pop(0))
    with capture_logs() as lines:
        while entries:
            loader.secretary_for(DOMAIN, "8000")
            loader.invalidate(DOMAIN)
    told = [line["warnings"] for line in lines if line["event"] == "settings_doubtful"]
    assert told == [("voice_id",), (), ("voice_id",)]
