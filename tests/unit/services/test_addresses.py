"""Where a tenant's systems may be: judged before anything is sent, and again as it is connected."""

from __future__ import annotations

import socket

import pytest

from bridge.wire import dialling
from esl_controller.services.http import ServiceFailed, ServiceHttp
from esl_controller.tenants.hosts import ServiceHosts

TENANT = "11111111-1111-1111-1111-111111111111"


class NameServer:
    """A made-up resolver."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append(host)
        return self.addresses


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses a connection was tried to: nobody listens anywhere."""
    tried: list[str] = []

    def refuse(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    monkeypatch.setattr(dialling, "look_up", NameServer())
    return tried


def failure(
    url: str, *found: str, hosts: tuple[str, ...] = ("*",), tenants: tuple[str, ...] = ("*",)
) -> ServiceFailed:
    http = ServiceHttp(lambda _: tenants, ServiceHosts(hosts), resolve=NameServer(*found))
    with pytest.raises(ServiceFailed) as caught:
        http.request("GET", url, domain_uuid=TENANT, timeout_s=1.0)
    return caught.value


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.8", "198.18.0.1", "::1", "::",
        "fe80::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "2002:a00:1::", "64:ff9b:1::a00:1", "::a00:1",
        "fec0::1",
    ],
)  # fmt: skip
def test_a_public_name_that_leads_inside_is_never_connected(
    address: str, connected: list[str]
) -> None:
    failed = failure("https://crm.example/", address)
    assert (failed.reason, failed.may_have_arrived) == ("refused", False)
    assert failed.words.startswith(f"crm.example ({address}) is not a public address")
    beside = failure("https://crm.example/", "203.0.114.7", address)  # one is one too many
    assert beside.reason == "refused"
    literal = f"[{address}]" if ":" in address else address
    assert failure(f"https://{literal}/", address).reason == "refused"
    assert connected == []


@pytest.mark.parametrize(
    "host", ["localhost", "db.internal", "printer", "127.1", "0x7f.1", "2130706433", "017700000001"]
)
def test_names_of_ones_own_are_refused_without_asking(host: str) -> None:
    names = NameServer("203.0.114.7")
    http = ServiceHttp(lambda _: ["*"], ServiceHosts(), resolve=names)
    with pytest.raises(ServiceFailed, match="is not a public address"):
        http.request("GET", f"http://{host}/", domain_uuid=TENANT, timeout_s=1.0)
    assert names.asked == []


def test_what_was_judged_is_what_is_connected(connected: list[str]) -> None:
    names = NameServer("203.0.114.7", "203.0.114.8")
    http = ServiceHttp(lambda _: ["*"], ServiceHosts(), resolve=names)
    with pytest.raises(ServiceFailed) as caught:
        http.request("GET", "https://crm.example/", domain_uuid=TENANT, timeout_s=1.0)
    assert caught.value.reason == "unreachable"
    assert connected == ["203.0.114.7", "203.0.114.8"]
    assert names.asked == ["crm.example"]  # once: the name is not asked for again


def test_the_tenant_s_list_is_asked_of_that_tenant_alone() -> None:
    lists = {TENANT: ["crm.example:8443"]}
    http = ServiceHttp(lambda domain: lists.get(domain, ()), ServiceHosts())
    http.require_allowed("https://CRM.example.:8443/x", TENANT)
    for domain, url in (
        (TENANT, "https://crm.example/x"),
        (TENANT, "https://crm.example.evil.example:8443/"),
        ("2" * 36, "https://crm.example:8443/x"),
    ):
        with pytest.raises(ServiceFailed, match="allowed_tool_hosts"):
            http.require_allowed(url, domain)


def test_a_tenant_names_hosts_within_what_the_operator_allows() -> None:
    for hosts, tenants, why in (
        (("*",), (), "is not among the tenant's allowed_tool_hosts"),
        (("*.shop.example",), ("*",), "is not a host of VOICE_AI_SERVICES_ALLOWED_HOSTS"),
        (("*",), ("10.0.0.0/8",), "VOICE_AI_SERVICES_ALLOWED_HOSTS must name it"),
        ((), ("*",), "is not a host of VOICE_AI_SERVICES_ALLOWED_HOSTS"),
    ):
        url = "http://10.1.2.3/" if "10.0.0.0/8" in tenants else "https://crm.example/"
        assert why in failure(url, "203.0.114.7", hosts=hosts, tenants=tenants).words
    inside = ServiceHttp(lambda _: ["10.0.0.0/8"], ServiceHosts(["*", "10.1.0.0/16"]))
    inside.require_allowed("http://10.1.2.3/", TENANT)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://crm.example/", "file:///etc/passwd", "//crm.example/", "https://", "https:///x",
        "https://user:pass@crm.example/", "https://crm.example\\@127.0.0.1/", "https://crm.example:0/",
        "https://crm.example:99999/", "https://crm.exa mple/", "https://crm.example/\r\nX: y",
        "https://crm.example/\x00", "https://[::1/", "https://[fe80::1%25eth0]/", "https://crm.éxample/",
        "gopher://127.0.0.1:25/_x", "https://127.0.0.1#@crm.example/", "https://127.0.0.1?@crm.example/",
        "https://127.0.0.1;crm.example/", "https://crm.example%2f@127.0.0.1/",
        "https://" + "a" * 5000,
    ],
)  # fmt: skip
def test_addresses_that_two_readers_could_read_in_two_ways_go_nowhere(
    url: str, connected: list[str]
) -> None:
    failed = failure(url, "203.0.114.7")
    assert failed.reason == "refused"
    assert "pass" not in failed.words  # an address may hold a key
    assert connected == []
