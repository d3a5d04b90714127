"""Settings from a real PostgreSQL: chosen, checked, and changed under running workers."""

import os
import signal
import uuid

import gevent
import pytest
from psycopg2.extras import Json

from bridge.audio.formats import PCMU_8K
from bridge.providers.conversation import Conversation
from esl_controller.database.models import ProviderAccess, RealtimeProviderConfig, RouteEntry
from esl_controller.database.notifications import NotificationListener
from esl_controller.database.pool import DatabaseUnavailable, Pool
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.settings.types import Secret
from esl_controller.tenants.keys.rotation import reseal_all
from esl_controller.tenants.keys.secrets import SecretKeys, SecretStore
from esl_controller.tenants.loader import ConfigError, ConfigLoader, ConfigTiming
from esl_controller.tenants.providers import provider_protocol
from esl_controller.tenants.source import ConfigSource
from tests.integration.db_outage import Outage

LOCAL = DemoProvider(base_url="ws://127.0.0.1:9/")


def wait_for(condition) -> None:
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.01)


@pytest.fixture
def source(pool, secret_store) -> ConfigSource:
    return ConfigSource(pool, secret_store)


@pytest.fixture
def loaders(database, source):
    """Two workers."""
    loaders = [ConfigLoader(source, database.dsn) for _ in range(2)]
    for loader in loaders:
        loader.start()
    wait_for(lambda: all(loader.statistics.listening for loader in loaders))
    yield loaders
    for loader in loaders:
        loader.stop()


CHANGES = {
    "secretary": ("update v_voice_secretaries_realtime set voice_id = 'verse'", "verse"),
    "provider": ("update v_voice_realtime_providers set model = 'gpt-2'", "gpt-2"),
    "tenant": ("insert into v_voice_realtime_settings (domain_uuid, time_zone) "
               "select domain_uuid, 'America/Sao_Paulo' from v_domains", "America/Sao_Paulo"),
    "mode": ("insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, extension, "
             "secretary_name) select gen_random_uuid(), domain_uuid, '8000', 'old' from v_domains",
             "TurnBasedEntry"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reaches_the_next_call_on_every_worker(database, loaders, change):
    tenant = database.seed(provider=LOCAL)
    before = [loader.secretary_for(tenant.domain_uuid, "8000") for loader in loaders]
    heard = [loader.statistics.notifications for loader in loaders]
    statement, wanted = CHANGES[change]
    database.execute(statement)
    for loader, count in zip(loaders, heard, strict=True):
        wait_for(lambda loader=loader, count=count: loader.statistics.notifications > count)
        assert wanted in repr(loader.secretary_for(tenant.domain_uuid, "8000"))
    assert all(wanted not in repr(entry) for entry in before)  # running calls keep theirs


def test_only_the_changed_domain_is_read_again(database, loaders):
    tenants = [database.seed(provider=LOCAL), database.seed(provider=LOCAL)]
    loader = loaders[0]
    entries = [loader.secretary_for(tenant.domain_uuid, "8000") for tenant in tenants]
    heard = loader.statistics.notifications
    database.execute(
        "update v_voice_secretaries_realtime set language = 'pt-BR' where domain_uuid = %s",
        tenants[0].domain_uuid,
    )
    wait_for(lambda: loader.statistics.notifications > heard)
    assert loader.secretary_for(tenants[1].domain_uuid, "8000") is entries[1]
    assert loader.secretary_for(tenants[0].domain_uuid, "8000").secretary.language == "pt-BR"


def test_a_lost_listener_comes_back_and_catches_up(database, pool, source):
    tenant = database.seed(provider=LOCAL)
    loader = ConfigLoader(source, database.dsn, timing=ConfigTiming(reconnect_s=0.01))
    loader.start()
    wait_for(lambda: loader.statistics.listening)
    loader.secretary_for(tenant.domain_uuid, "8000")
    database.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'voice-ai-listen' and datname = current_database()"""
    )
    wait_for(lambda: not loader.statistics.listening)
    database.execute("update v_voice_secretaries_realtime set language = 'pt-BR'")
    wait_for(lambda: loader.statistics.listening)
    assert loader.secretary_for(tenant.domain_uuid, "8000").secretary.language == "pt-BR"
    loader.stop()


def test_an_outage_is_bridged_and_then_made_up_for(outage: Outage, secret_store):
    tenant = outage.database.seed(provider=LOCAL)
    pool = Pool(outage.database.dsn, size=2)
    timing = ConfigTiming(reconnect_s=0.01)
    loader = ConfigLoader(ConfigSource(pool, secret_store), outage.database.dsn, timing=timing)
    loader.start()
    wait_for(lambda: loader.statistics.listening)
    entry = loader.secretary_for(tenant.domain_uuid, "8000")
    outage.begin()
    wait_for(lambda: not loader.statistics.listening)
    loader.invalidate()
    assert loader.secretary_for(tenant.domain_uuid, "8000") is entry
    with pytest.raises(DatabaseUnavailable):
        loader.secretary_for(tenant.domain_uuid, "8001")
    outage.end()
    outage.database.execute("update v_voice_secretaries_realtime set language = 'pt-BR'")
    wait_for(lambda: loader.secretary_for(tenant.domain_uuid, "8000").secretary.language == "pt-BR")
    assert loader.secretary_for(tenant.domain_uuid, "8001") is None
    loader.stop()
    pool.close()


def test_the_same_extension_of_two_domains_is_two_secretaries(database, source):
    tenants = [database.seed(provider=LOCAL, secretary_name=name) for name in ("Ana", "Bia")]
    names = [source.load(t.domain_uuid, "8000").secretary.secretary_name for t in tenants]
    assert names == ["Ana", "Bia"]


def test_disabled_secretaries_do_not_answer(database, source):
    tenant = database.seed(provider=LOCAL, enabled=False)
    assert source.load(tenant.domain_uuid, "8000") is None


def add_provider(database, tenant, **columns: object) -> None:
    columns = {"domain_uuid": tenant.domain_uuid, "realtime_provider": "gemini", **columns}
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    sql = f"insert into v_voice_realtime_providers ({names}) values ({marks})"
    database.execute(sql, *columns.values())


def test_the_fail_over_order_is_own_first_then_by_priority(database, source):
    tenant = database.seed(provider=LOCAL)
    url = "wss://gateway.example/"
    add_provider(database, tenant, provider_label="last", base_url=url, priority=9)
    add_provider(database, tenant, provider_label="next", base_url=url, priority=2)
    add_provider(database, tenant, provider_label="off", base_url=url, enabled=False)
    add_provider(database, tenant, provider_label="broken", base_url="x", priority=1)
    add_provider(database, tenant, provider_label="keyless", priority=1)
    entry = source.load(tenant.domain_uuid, "8000")
    assert [access.config.provider_label for access in entry.providers] == ["demo", "next", "last"]
    assert len(entry.warnings) == 2
    assert "provider 'broken': base_url" in entry.warnings[0]
    assert "provider 'keyless': credential: is missing" in entry.warnings[1]


def test_without_a_named_provider_the_first_of_its_kind_is_taken(database, source):
    tenant = database.seed(
        provider=LOCAL, voice_realtime_provider_uuid=None, realtime_provider="gemini"
    )
    url = "wss://gateway.example/"
    add_provider(database, tenant, provider_label="second", base_url=url, priority=5)
    add_provider(database, tenant, provider_label="first", base_url=url, priority=4)
    entry = source.load(tenant.domain_uuid, "8000")
    labels = [access.config.provider_label for access in entry.providers]
    assert labels == ["first", "second", "demo"]


def test_the_operator_s_provider_serves_who_has_none(database, pool, secret_store):
    tenant = database.seed(provider=LOCAL, voice_realtime_provider_uuid=None)
    database.execute("delete from v_voice_realtime_providers")
    with pytest.raises(ConfigError, match="no enabled provider openai"):
        ConfigSource(pool, secret_store).load(tenant.domain_uuid, "8000")
    config = RealtimeProviderConfig(
        "", "", "openai", "operator", None, None, {}, None, None, {}, 0, None, True
    )
    default = ProviderAccess(config, Secret("sk-operator"))
    source = ConfigSource(pool, secret_store, default_provider=default)
    assert source.load(tenant.domain_uuid, "8000").providers == (default,)


def test_sealed_keys_are_opened_and_never_shown(database, source, secret_store):
    tenant = database.seed(provider=LOCAL)
    sealed = secret_store.keys.seal(tenant.domain_uuid, "sk-very-secret")
    database.execute("update v_voice_realtime_providers set credential = %s", sealed)
    entry = source.load(tenant.domain_uuid, "8000")
    assert entry.providers[0].api_key.reveal() == "sk-very-secret"
    assert "sk-very-secret" not in repr(entry) and sealed not in repr(entry)


def test_a_tenant_cannot_have_the_operator_s_key_sent_elsewhere(
    database, pool, secret_store, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    evil = "wss://me:hidden@evil.example/?key=hidden"
    provider = DemoProvider(base_url=evil, credential="env:OPENAI_API_KEY")
    tenant = database.seed(provider=provider)
    source = ConfigSource(pool, secret_store)
    with pytest.raises(ConfigError, match=r"a key of the operator is not sent to evil") as refused:
        source.load(tenant.domain_uuid, "8000")
    assert "hidden" not in str(refused.value)
    database.execute("update v_voice_realtime_providers set base_url = null")
    entry = source.load(tenant.domain_uuid, "8000")
    assert entry.providers[0].api_key.reveal() == "sk-operator"
    database.execute("update v_voice_realtime_providers set base_url = %s", evil)
    trusting = ConfigSource(pool, secret_store, trusted_base_urls=[evil])
    assert isinstance(trusting.load(tenant.domain_uuid, "8000"), RouteEntry)


def test_every_wrong_field_of_all_rows_is_named_and_costs_itself(database, source):
    tenant = database.seed(provider=LOCAL, language="pt_BR", functions_config=[{"name": "a"}])
    database.execute(
        """insert into v_voice_realtime_settings (domain_uuid, time_zone)
           values (%s, 'Mars/Olympus')""",
        tenant.domain_uuid,
    )
    entry = source.load(tenant.domain_uuid, "8000")
    fields = [warning.split(": ", 1)[1].split()[0] for warning in entry.warnings]
    assert fields == ["language:", "functions_config:", "time_zone"]
    database.execute(
        "update v_voice_realtime_providers set credential = 'env:PATH', base_url = 'x'"
    )
    with pytest.raises(ConfigError, match="provider 'demo': base_url must be a ws://"):
        source.load(tenant.domain_uuid, "8000")


FUSIONPBX_SETTINGS = """
create table v_domain_settings (
  domain_setting_uuid uuid primary key, domain_uuid uuid, domain_setting_category text,
  domain_setting_subcategory text, domain_setting_name text, domain_setting_value text,
  domain_setting_order numeric, domain_setting_enabled {flag}, domain_setting_description text);
create table v_default_settings (
  default_setting_uuid uuid primary key, app_uuid uuid, default_setting_category text,
  default_setting_subcategory text, default_setting_name text, default_setting_value text,
  default_setting_order numeric, default_setting_enabled {flag}, default_setting_description text)
"""


def set_zone(database, whose: str, zone: str, enabled: str, domain_uuid: str | None = None) -> None:
    columns = [f"{whose}_setting_{name}" for name in ("uuid", "category", "subcategory")]
    columns += [f"{whose}_setting_{name}" for name in ("name", "value", "enabled")]
    values = [str(uuid.uuid4()), "domain", "time_zone", "name", zone, enabled]
    if domain_uuid is not None:
        columns, values = [*columns, "domain_uuid"], [*values, domain_uuid]
    marks = ", ".join(["%s"] * len(values))
    database.execute(
        f"insert into v_{whose}_settings ({', '.join(columns)}) values ({marks})", *values
    )


@pytest.mark.parametrize("flag", ["boolean", "text"])
def test_the_zone_is_the_secretary_s_the_domain_s_fusionpbx_s_then_utc(database, source, flag):
    tenant = database.seed(provider=LOCAL, business_hours={"mon": [["08:00", "18:00"]]})
    other = database.seed(provider=LOCAL)
    mine = tenant.domain_uuid

    def zone() -> str:
        entry = source.load(mine, "8000")
        assert bool(entry.warnings) is (entry.tenant.time_zone == "UTC")
        return entry.secretary.time_zone or entry.tenant.time_zone

    assert zone() == "UTC"
    assert "its hours are taken as UTC" in source.load(mine, "8000").warnings[0]
    database.execute(FUSIONPBX_SETTINGS.format(flag=flag))
    assert zone() == "UTC"
    set_zone(database, "default", "Asia/Tokyo", "false")
    set_zone(database, "domain", "Asia/Tokyo", "true", other.domain_uuid)
    assert zone() == "UTC"
    set_zone(database, "default", "America/Recife", "true")
    assert zone() == "America/Recife"
    set_zone(database, "domain", "America/Manaus", "true", mine)
    assert zone() == source.load_tenant(mine).time_zone == "America/Manaus"
    database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, time_zone) values (%s, %s)",
        mine,
        "America/Bahia",
    )
    assert zone() == "America/Bahia"
    database.execute("update v_voice_secretaries_realtime set time_zone = 'America/Belem'")
    assert zone() == "America/Belem"
    database.execute("drop table v_domain_settings, v_default_settings")


def test_an_address_inside_a_row_s_settings_gets_no_key_and_is_not_used(
    database, pool, secret_store, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    tenant = database.seed(provider=DemoProvider(credential="env:OPENAI_API_KEY"))
    inside = {"base_url": "ws://127.0.0.1:55500/v1", "api_key": "sk-x", "headers": {"A": "b"}}
    database.execute("update v_voice_realtime_providers set provider_settings = %s", Json(inside))
    entry = ConfigSource(pool, secret_store).load(tenant.domain_uuid, "8000")
    assert [warning.split("'")[3] for warning in entry.warnings] == sorted(inside)
    protocol = provider_protocol(entry.providers[0])
    protocol.start(Conversation(PCMU_8K, PCMU_8K), 0.0)
    (opened,) = protocol.actions()
    endpoint = opened.target
    assert endpoint.url.startswith("wss://api.openai.com/v1/realtime")
    assert ("Authorization", "Bearer sk-operator") in endpoint.headers


def test_a_provider_inside_the_network_is_used_once_the_operator_names_it(
    database, pool, secret_store
):
    def load(*allowed: str) -> RouteEntry:
        found = {"inside.example": ["10.0.0.7"], "outside.example": ["203.0.114.7"]}
        source = ConfigSource(pool, secret_store, allowed_hosts=allowed, resolve=found.__getitem__)
        return source.load(tenant.domain_uuid, "8000")

    tenant = database.seed(provider=DemoProvider(base_url="wss://inside.example/"))
    with pytest.raises(ConfigError, match=r"base_url: inside\.example \(10\.0\.0\.7\) is not"):
        load("*")
    assert load("*", "inside.example").providers
    database.execute("update v_voice_realtime_providers set base_url = 'wss://outside.example/'")
    assert load("*").providers
    with pytest.raises(ConfigError, match=r"outside\.example is not a host of VOICE_AI_PROVIDER_"):
        load("inside.example")


def test_a_domain_is_found_by_its_name_when_only_one_has_it(database, source):
    one = database.seed(provider=LOCAL, name="pbx.example")
    assert source.find_domain("PBX.Example") == one.domain_uuid
    assert source.find_domain("nobody.example") is None
    database.seed(provider=LOCAL, name="PBX.example")
    assert source.find_domain("pbx.example") is None


def test_realtime_mode_without_a_realtime_row_is_said(database, source):
    tenant = database.seed(provider=LOCAL, extension="8001")
    database.execute(
        """insert into v_voice_secretaries
             (voice_secretary_uuid, domain_uuid, extension, processing_mode)
           values (gen_random_uuid(), %s, '8000', 'auto')""",
        tenant.domain_uuid,
    )
    with pytest.raises(ConfigError, match="set to auto without realtime settings"):
        source.load(tenant.domain_uuid, "8000")


def test_after_a_rotation_every_key_is_sealed_again(database, pool, secret_store, tmp_path):
    old = secret_store.keys
    tenants = [database.seed(provider=LOCAL) for _ in range(2)]
    for tenant, sealed in zip(
        tenants, [old.seal(tenants[0].domain_uuid, "sk-a"), "sealed:0000:AAAA"], strict=True
    ):
        database.execute(
            "update v_voice_realtime_providers set credential = %s where domain_uuid = %s",
            sealed,
            tenant.domain_uuid,
        )
    add_provider(database, tenants[0], provider_label="env", credential="env:OPENAI_API_KEY")
    database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, webhook_secret) values (%s, %s)",
        tenants[0].domain_uuid,
        old.seal(tenants[0].domain_uuid, "hook"),
    )
    new = old.rotate(tmp_path / "secret.key")
    report = reseal_all(pool, new)
    assert (report.resealed, report.current, len(report.problems)) == (2, 0, 1)
    assert f"domain {tenants[1].domain_uuid}, provider 'demo'" in report.problems[0]
    only_newest = SecretKeys([next(iter(new._keys.values()))])
    source = ConfigSource(pool, SecretStore(only_newest))
    entry = source.load(tenants[0].domain_uuid, "8000")
    assert entry.providers[0].api_key.reveal() == "sk-a"
    hook = source.load_tenant(tenants[0].domain_uuid).webhook_secret
    assert source.secret_store.open(tenants[0].domain_uuid, hook).reveal() == "hook"
    assert reseal_all(pool, new).current == 2


def test_a_silent_listener_proves_it_is_alive(database):
    with NotificationListener(database.dsn, "test_channel") as listener:
        assert listener.receive(0.01) == []
        database.execute("notify test_channel, 'a'")
        database.execute("notify test_channel, 'b'")
        heard: list[str] = []
        wait_for(lambda: heard.extend(listener.receive(0.01)) or len(heard) == 2)
        assert heard == ["a", "b"]
        database.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where application_name = 'voice-ai-listen' and datname = current_database()"""
        )
        with pytest.raises(DatabaseUnavailable):
            wait_for(lambda: listener.receive(0.01))


def test_a_server_that_says_nothing_any_more_ends_the_listening(database, monkeypatch):
    """The listener's greenlet then connects anew; it must not die of it."""
    monkeypatch.setattr("esl_controller.database.pool.CLIENT_GRACE_S", 0.1)
    with NotificationListener(database.dsn, "test_channel", answer_timeout_s=0.2) as listener:
        backend = listener._connection.get_backend_pid()
        os.kill(backend, signal.SIGSTOP)
        try:
            with pytest.raises(DatabaseUnavailable, match="no answer"):
                listener.receive(0.01)
        finally:
            os.kill(backend, signal.SIGCONT)
