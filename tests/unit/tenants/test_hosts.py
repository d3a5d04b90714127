"""Where a tenant's provider may be, and whose key may go there. Nothing is looked up or sent."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from esl_controller.database.models import RealtimeProviderConfig
from esl_controller.tenants.hosts import (
    HostRefused,
    ProviderHosts,
    connections,
    dialled_host,
)
from esl_controller.tenants.providers import spoken_kinds, tenant_settings

ROW = RealtimeProviderConfig(
    voice_realtime_provider_uuid="",
    domain_uuid="",
    realtime_provider="openai",
    provider_label="main",
    base_url=None,
    credential="sealed:x",
    headers={},
    model=None,
    default_voice_id=None,
    provider_settings={},
    priority=1,
    max_concurrent_calls=None,
    enabled=True,
)


def row(base_url: str | None, **fields: Any) -> RealtimeProviderConfig:
    return dataclasses.replace(ROW, base_url=base_url, **fields)


def refused(hosts: ProviderHosts, url: str, *found: str) -> str:
    with pytest.raises(HostRefused) as caught:
        hosts.require_address(row(url), found)
    return str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0x7f000001", "0x7f.1", "2130706433", "0.0.0.0", "10.1.2.3",
        "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "[::1]", "[::]",
        "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "localhost", "LOCALHOST.", "api.localhost", "printer", "nas.local", "db.internal",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused_until_it_is_named(host: str) -> None:
    assert "is not a public address" in refused(ProviderHosts(), f"wss://{host}/v1")


@pytest.mark.parametrize("host", ["gateway.example", "8.8.8.8", "[2001:4860:4860::8888]"])
def test_what_is_public_may_be_connected(host: str) -> None:
    ProviderHosts().require_address(row(f"wss://{host}/v1"))


def test_a_public_name_that_leads_inside_is_refused() -> None:
    said = refused(ProviderHosts(), "wss://evil.example/", "203.0.114.9", "10.0.0.1")
    assert said.startswith("evil.example (10.0.0.1) is not a public address")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1", "ws://127.0.0.1:55500/v1"),
        ("127.0.0.1:55500", "ws://127.0.0.1:55500/v1"),
        ("127.0.0.0/8", "ws://127.9.9.9/v1"),
        ("localhost", "ws://LOCALHOST/v1"),
        ("[::1]:8000", "ws://[::1]:8000/v1"),
        ("::1", "ws://[::1]:9/v1"),
        ("*.lan.example", "wss://a.lan.example/v1"),
        ("gateway", "wss://gateway/v1"),
    ],
)
def test_what_the_operator_names_may_be_connected(entry: str, url: str) -> None:
    ProviderHosts([entry]).require_address(row(url), ["10.0.0.1"])


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1:55500", "ws://127.0.0.1:5432/"),
        ("*.lan.example", "wss://lan.example/"),
        ("*.lan.example", "wss://evil-lan.example/"),
        ("gateway.example", "wss://gateway.example.evil.example/"),
    ],
)
def test_with_a_list_only_what_is_on_it(entry: str, url: str) -> None:
    said = refused(ProviderHosts([entry]), url)
    assert "is not a host of VOICE_AI_PROVIDER_ALLOWED_HOSTS" in said


def test_the_operator_s_own_address_needs_no_naming() -> None:
    hosts = ProviderHosts([], ["ws://10.0.0.5:8000/v1/realtime"])
    hosts.require_address(row("ws://10.0.0.5:8000/other"))
    assert hosts.needs_look_up(row("ws://10.0.0.5:8000/other")) is False
    assert "10.0.0.5 is not a host" in refused(hosts, "ws://10.0.0.5:8001/")


@pytest.mark.parametrize("credential", ["env:OPENAI_API_KEY", "file:/keys/openai"])
@pytest.mark.parametrize(
    "url", ["wss://evil.example/v1", "ws://127.0.0.1:1/", "ws://api.openai.com/"]
)
def test_the_operator_s_key_goes_to_the_provider_alone(credential: str, url: str) -> None:
    hosts = ProviderHosts(["*", "127.0.0.1"])
    with pytest.raises(HostRefused, match="a key of the operator is not sent to"):
        hosts.require_key_may_go(row(url, credential=credential))
    hosts.require_key_may_go(row(None, credential=credential))
    hosts.require_key_may_go(row("wss://api.openai.com/v1", credential=credential))
    trusting = ProviderHosts((), ["wss://gateway.example/v1/realtime"])
    trusting.require_key_may_go(row("wss://gateway.example/v1", credential=credential))


@pytest.mark.parametrize(
    ("kind", "variable", "url", "may"),
    [
        ("openai", "OPENAI_API_KEY", None, True),
        ("elevenlabs", "OPENAI_API_KEY", None, False),
        ("gemini", "OPENAI_API_KEY", None, False),
        ("gemini", "GOOGLE_API_KEY", None, True),
        ("openai", "GEMINI_API_KEY", "wss://api.openai.com/v1", False),
        ("elevenlabs", "ELEVENLABS_API_KEY", "wss://api.openai.com/v1", False),
        ("gemini", "OF_OUR_OWN", None, True),
        ("custom", "GROQ_API_KEY", None, True),
        ("custom", "ELEVENLABS_API_KEY", None, False),
    ],
)
def test_a_vendor_s_usual_variable_goes_to_no_other_vendor(
    kind: str, variable: str, url: str | None, may: bool
) -> None:
    hosts = ProviderHosts((), ["wss://api.openai.com/v1/realtime"])
    wanted = row(url, realtime_provider=kind, credential=f"env:{variable}")
    if may:
        hosts.require_key_may_go(wanted)
        return
    with pytest.raises(HostRefused, match=f"{variable} is another provider's key"):
        hosts.require_key_may_go(wanted)


@pytest.mark.parametrize("secret", [{}, {"credential": None, "headers": {"X-Key": "secret"}}])
def test_nothing_secret_goes_in_clear(secret: dict[str, Any]) -> None:
    hosts = ProviderHosts()
    for url in ("ws://gateway.example/", "http://gateway.example/"):
        with pytest.raises(HostRefused, match="over wss:// alone, not in clear to gateway"):
            hosts.require_key_may_go(row(url, **secret))
    hosts.require_key_may_go(row("https://gateway.example/", **secret))
    hosts.require_key_may_go(row("ws://127.0.0.1:9/", **secret))
    hosts.require_key_may_go(row("ws://gateway.example/", credential=None))


def test_a_refusal_shows_the_host_alone() -> None:
    said = refused(ProviderHosts([]), "wss://me:hidden@evil.example/?key=hidden")
    assert "evil.example" in said
    assert "hidden" not in said


def test_settings_of_a_row_carry_no_key_header_or_address() -> None:
    given = {
        "base_url": "ws://127.0.0.1:55500/v1",
        "api_key": "sk-clear",
        "headers": {"Authorization": "x"},
        "api_shape": "beta",
        "sesion_limit_s": 60,
    }
    used, warnings = tenant_settings(row(None, provider_settings=given))
    assert used == {"api_shape": "beta"}
    assert warnings[-1] == (
        "provider 'main': provider_settings: 'sesion_limit_s' is no setting of it and is left out; "
        "did you mean session_limit_s?"
    )
    assert [text.split("'")[3] for text in warnings[:-1]] == ["api_key", "base_url", "headers"]
    assert "sk-clear" not in str(warnings)


def test_a_wrong_setting_costs_itself() -> None:
    given = {
        "voice": "cedar",
        "vad_threshold": "high",
        "api_shape": "gamma",
        "going_away_s": 9000,
        "max_output_tokens": 500,
    }
    used, warnings = tenant_settings(row(None, provider_settings=given))
    assert used.keys() < given.keys()
    assert "vad_threshold: Expected `float | null`, got `str`; it is left out" in warnings[0]
    assert any("api_shape: must be one of ga, beta" in text for text in warnings)
    assert any("session_limit_s: must be larger than going_away_s" in text for text in warnings)


@pytest.mark.parametrize("kind", spoken_kinds())
def test_no_kind_of_provider_takes_a_key_or_an_address_from_a_row_s_settings(kind: str) -> None:
    names = spoken_kinds()[kind]
    assert names
    assert not names & {"api_key", "headers", "base_url", "organization", "vendor", "url"}
    assert not [name for name in names if name.endswith(("_key", "_token"))]
    # The one other address a row may name is judged as its `base_url` is.
    assert [name for name in names if name.endswith("_url")] == ["stt_url"] * (kind == "custom")


def test_openai_s_row_may_say_how_it_listens_and_speaks() -> None:
    assert spoken_kinds()["openai"] >= {
        "voice", "speed", "turn_detection", "vad_threshold", "create_response", "noise_reduction",
        "transcription_prompt", "tool_choice", "max_output_tokens", "api_shape", "session_limit_s",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("allowed", "host", "address", "may"),
    [
        (["*"], "gateway.example", "203.0.114.7", True),
        (["*"], "gateway.example", "10.0.0.7", False),
        (["*"], "gateway.example", "127.0.0.1", False),
        (["*"], "gateway.example", "::ffff:127.0.0.1", False),
        (["*"], "gateway.example", "169.254.169.254", False),
        (["*", "gateway.example"], "gateway.example", "10.0.0.7", True),
        (["*", "Gateway.example"], "gateway.example.", "10.0.0.7", True),
        (["*", "10.0.0.0/8"], "gateway.example", "10.0.0.7", True),
        (["*", "10.0.0.7:443"], "gateway.example", "10.0.0.7", True),
        (["*", "10.0.0.7:80"], "gateway.example", "10.0.0.7", False),
        (["*"], "api.openai.com", "10.0.0.7", True),  # an operator's own DNS may lead to a gateway
        (["*"], "operator.example", "127.0.0.1", True),
    ],
)
def test_where_a_name_leads_is_judged_again_when_it_is_connected(
    allowed: list[str], host: str, address: str, may: bool
) -> None:
    hosts = ProviderHosts(allowed, ["wss://operator.example/v1"])
    why = hosts.refusal(host, 443, address)
    assert why == "" if may else why.startswith(f"{host} ({address}) is not a public address")


def test_the_host_that_is_dialled() -> None:
    assert dialled_host(row(None)) == "api.openai.com"
    assert dialled_host(row(None, realtime_provider="custom")) == "api.groq.com"
    assert dialled_host(row("wss://A.example./v1")) == "a.example"


def test_the_pipeline_hears_at_an_address_that_is_judged_too() -> None:
    settings = {"stt_url": "ws://10.0.0.5:8080"}
    both = connections(row(None, realtime_provider="custom", provider_settings=settings))
    assert [dialled_host(one) for one in both] == ["api.groq.com", "10.0.0.5"]
    with pytest.raises(HostRefused):
        ProviderHosts().require_address(both[1])
    with pytest.raises(HostRefused):
        ProviderHosts(["10.0.0.5"]).require_key_may_go(both[1])
    assert connections(row(None)) == (row(None),)


def test_the_operators_key_goes_to_the_pipelines_own_hosts_alone() -> None:
    fields: dict[str, Any] = {"realtime_provider": "custom", "credential": "file:/k/pipeline"}
    for one in connections(row(None, **fields)):
        ProviderHosts().require_key_may_go(one)
    elsewhere = row(None, **fields, provider_settings={"stt_url": "wss://stt.example"})
    with pytest.raises(HostRefused):
        ProviderHosts().require_key_may_go(connections(elsewhere)[1])
