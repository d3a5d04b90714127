"""Which hosts a tenant's rows may be connected to, and which of them may have a key. Pure.

A row is a tenant's word. Its address is judged as it will be dialled, after all its settings are
laid together, and a key is opened for that address alone: an address the operator did not name
gets no key of his, a plain-text connection gets none at all, and what is not public is not reached
unless he named it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.models import RealtimeProviderConfig

ANY_PUBLIC = "*"
"""In a list of allowed hosts: every host on a public address."""

MAIN = "base_url"
"""The setting that says where a provider is; some have further ones for their stages."""
OWN_HOSTS: Mapping[str, str] = {
    kind if setting == MAIN else f"{kind} {setting}": host
    for kind, one in DESCRIPTORS.items()
    for setting, host in one.hosts.items()
}
"""Where a kind of provider is, or a stage of it, when a row names no address."""

_KINDS_BY_VARIABLE: Mapping[str, frozenset[str]] = {
    name: frozenset(
        kind
        for kind, other in DESCRIPTORS.items()
        if any(name in names for names in other.key_variables.values())
    )
    for one in DESCRIPTORS.values()
    for names in one.key_variables.values()
    for name in names
}
_NOT_PUBLIC_NAMES = ("localhost", "local", "internal", "home.arpa", "lan")
"""RFC 6761, 6762 and 8375, and what networks use at home; a name without a dot is one's own."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HostRefused(ValueError):
    """Not connected there, or not with a key; says why, and never more of the address than its
    host."""


class _Hosts:
    """The operator's word on where something of a tenant's may be.

    Args:
        allowed: host names, `*.example.com`, addresses, networks such as 10.1.0.0/16, each with
            `:port` where only one port is meant; `*` is every public host.
    """

    setting: str
    """The variable that holds the list."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = tuple(allowed)

    def _why_not(self, host: str, port: int, *found: str) -> str:
        """Why a host with these addresses must not be connected; empty: it may."""
        if self._is_named(host, port):
            return ""
        if ANY_PUBLIC not in self._allowed:
            return f"{host} is not a host of {self.setting}"
        return next(
            filter(None, (self._why_not_inside(host, port, at) for at in (host, *found))), ""
        )

    def _why_not_inside(self, host: str, port: int, address: str) -> str:
        if _is_public(address) or self._is_named(address, port):
            return ""
        whose = host if address == host else f"{host} ({address})"
        return f"{whose} is not a public address: {self.setting} must name it"

    def _is_named(self, host: str, port: int) -> bool:
        return any(_matches(entry, host, port) for entry in self._allowed if entry != ANY_PUBLIC)


class ServiceHosts(_Hosts):
    """Where tenants' own systems may be: what their functions, webhooks and errands reach.

    The operator says where they may be at all, a tenant (`allowed_tool_hosts`) which of these are
    its own.
    """

    setting = "VOICE_AI_SERVICES_ALLOWED_HOSTS"

    def __init__(self, allowed: Iterable[str] = (ANY_PUBLIC,)) -> None:
        super().__init__(allowed)

    def require(self, host: str, port: int, tenants: Iterable[str]) -> None:
        """Raise HostRefused for a host that is not both the operator's and the tenant's."""
        if not any(entry == ANY_PUBLIC or _matches(entry, host, port) for entry in tenants):
            raise HostRefused(f"{host} is not among the tenant's allowed_tool_hosts")
        if why := self._why_not(host, port):
            raise HostRefused(why)

    def refusal(self, host: str, port: int, address: str) -> str:
        """Why a connection to a host must not go to this address of it; empty: it may."""
        return self._why_not(host.rstrip(".").lower(), port, address)


class ProviderHosts(_Hosts):
    """Where tenants' providers may be.

    Args:
        trusted_urls: addresses that may have a key of the operator, besides the providers' own.
    """

    setting = "VOICE_AI_PROVIDER_ALLOWED_HOSTS"

    def __init__(
        self, allowed: Iterable[str] = (ANY_PUBLIC,), trusted_urls: Iterable[str] = ()
    ) -> None:
        super().__init__(allowed)
        self._trusted = {_origin(url) for url in trusted_urls}

    def require_address(self, config: RealtimeProviderConfig, found: Iterable[str] = ()) -> None:
        """Raise HostRefused when a row's provider may not be connected.

        `found` are the IP addresses its host name has, where it was looked up.
        """
        if config.base_url is None or _origin(config.base_url) in self._trusted:
            return
        _, host, port = _origin(config.base_url)
        if why := self._why_not(host, port, *found):
            raise HostRefused(why)

    def refusal(self, host: str, port: int, address: str) -> str:
        """Why a connection to a host must not go to this address of it; empty: it may.

        The settings were judged when they were read; since then the name may have come to lead
        elsewhere.
        """
        host = host.rstrip(".").lower()
        if (host, port) in {at[1:] for at in self._trusted} or host in OWN_HOSTS.values():
            return ""
        return "" if self._is_named(host, port) else self._why_not_inside(host, port, address)

    def require_key_may_go(self, config: RealtimeProviderConfig) -> None:
        """Raise HostRefused when the row's credential must not be sent to its address."""
        key = config.credential
        _require_own_variable(config, dialled_host(config) or "")
        if config.base_url is None:
            return
        scheme, host, _ = _origin(config.base_url)
        if key is not None and not key.startswith("sealed:") and not self._may_have_own(config):
            raise HostRefused(f"a key of the operator is not sent to {host}")
        if (key or config.headers) and scheme != "wss" and not is_loopback(host):
            raise HostRefused(f"keys and headers go over wss:// alone, not in clear to {host}")

    def _may_have_own(self, config: RealtimeProviderConfig) -> bool:
        """Whether the operator's own key may go to the row's address."""
        origin = _origin(config.base_url or "")
        own = OWN_HOSTS.get(config.realtime_provider)
        return origin in self._trusted or origin == ("wss", own, 443)

    def needs_look_up(self, config: RealtimeProviderConfig) -> bool:
        """Whether the addresses behind the row's host name decide."""
        if config.base_url is None or _origin(config.base_url) in self._trusted:
            return False
        _, host, port = _origin(config.base_url)
        return ANY_PUBLIC in self._allowed and _is_public(host) and not self._is_named(host, port)


def _require_own_variable(config: RealtimeProviderConfig, host: str) -> None:
    """Raise HostRefused where one vendor would be sent what another's tools call their key."""
    source, _, name = (config.credential or "").partition(":")
    kinds = _KINDS_BY_VARIABLE.get(name, frozenset()) if source == "env" else frozenset()
    theirs = {own for kind in kinds for own in DESCRIPTORS[kind].hosts.values()}
    if kinds and host in OWN_HOSTS.values() and host not in theirs:
        raise HostRefused(f"{name} is another provider's key and is not sent to {host}")


def connections(config: RealtimeProviderConfig) -> tuple[RealtimeProviderConfig, ...]:
    """The row, once for each address its provider is reached at, which is its `base_url`.

    A pipeline hears elsewhere than it thinks; headers are for its main address alone.
    """
    kind, stages = config.realtime_provider, address_settings(config)
    return (
        config,
        *(
            replace(
                config,
                realtime_provider=f"{kind} {setting}",
                base_url=config.provider_settings.get(setting),
                headers={},
            )
            for setting in stages
        ),
    )


def address_settings(config: RealtimeProviderConfig) -> list[str]:
    """Names of `provider_settings` that are addresses of stages."""
    known = DESCRIPTORS.get(config.realtime_provider)
    return [setting for setting in known.hosts if setting != MAIN] if known else []


def dialled_host(config: RealtimeProviderConfig) -> str | None:
    """The host a row's provider is reached at; None: it has none."""
    if config.base_url is None:
        return OWN_HOSTS.get(config.realtime_provider)
    return _origin(config.base_url)[1]


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme (ws or wss), host and port of an address that `checks.URL` has let pass."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    host = (parts.hostname or "").rstrip(".").lower()
    return scheme, host, parts.port or (443 if scheme == "wss" else 80)


def _matches(entry: str, host: str, port: int) -> bool:
    network, address = _network(entry), _address(host)
    if network is not None:
        return address is not None and address in network
    name, only_port = _split(entry)
    if only_port is not None and only_port != port:
        return False
    named = _address(name)
    if named is not None:
        return named == address
    if name.startswith("*."):
        return host.endswith(name[1:])
    return host == name


def _split(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry; brackets around an IPv6 address with a port."""
    host, colon, port = entry.lower().rpartition(":")
    if colon and port.isdigit() and not (":" in host and not host.startswith("[")):
        return host.strip("[]"), int(port)
    return entry.lower().strip("[]"), None


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        return None


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as far as its name tells."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_public(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return _is_public_address(address)
    labels = host.split(".")
    if len(labels) == 1 or any(host.endswith(f".{name}") for name in _NOT_PUBLIC_NAMES):
        return False
    # 127.1, 0x7f.1 and 2130706433 are addresses to the C library (inet_aton(3)), not to us.
    return not (labels[-1].isdigit() or labels[-1].startswith("0x"))


def _is_public_address(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        behind = address.ipv4_mapped or address.sixtofour or _behind_nat64(address)
        if behind is not None:
            return _is_public_address(behind)
    inside = any(address in one for one in _NOT_PUBLIC if one.version == address.version)
    return address.is_global and not address.is_multicast and not inside


def _behind_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """RFC 6052: the IPv4 address in the well-known prefix."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(one) for one in ("192.0.0.0/24", "::/96", "64:ff9b:1::/48", "fec0::/10")
)
"""RFC 6890, 4291 (2.5.5.1, 2.5.7) and 8215: public to some versions of Python."""
