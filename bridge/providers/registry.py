"""Every kind of provider, by its descriptor; and from a row of settings to a protocol object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any, Protocol, get_type_hints
from urllib.parse import urlsplit

import msgspec

from bridge.errors import BridgeError
from bridge.providers.base import ProviderProtocol
from bridge.providers.descriptor import CHOICES, HELP, Descriptor, Interface, Spoken

_FOLDERS = ("openai", "elevenlabs", "gemini", "pipeline")
"""Beside this module, each with a `descriptor.py`: a further provider is one word here."""
_IMPORTED = (import_module(f"bridge.providers.{folder}.descriptor") for folder in _FOLDERS)
DESCRIPTORS: Mapping[str, Descriptor] = {
    module.DESCRIPTOR.kind: module.DESCRIPTOR for module in _IMPORTED
}
"""By kind: the word a tenant writes in `realtime_provider`."""
KINDS = tuple(DESCRIPTORS)
DEFAULT_KIND = KINDS[0]
PROVIDERS: dict[str, Spoken] = {one.spoken.name: one.spoken for one in DESCRIPTORS.values()}
"""What is spoken, by the protocol's name."""
VENDORS = tuple(
    dict.fromkeys([*KINDS, *(m.vendor for one in DESCRIPTORS.values() for m in one.models)])
)
"""Who may be paid; a kind's own name stands for servers of nobody known."""
NOBODY_KNOWN = "custom"


def vendor_at(url: str, unknown: str = NOBODY_KNOWN) -> str:
    """Who is paid for what is asked at an address, as in the price list; else `unknown`."""
    own = {one.hosts["base_url"]: one.spoken.vendor for one in DESCRIPTORS.values()}
    return own.get(urlsplit(url).hostname or "", unknown)


class ProviderConfigError(BridgeError):
    """A provider row cannot be used; `problems` names every wrong field, never its value."""

    def __init__(self, name: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{name}: {'; '.join(problems)}")
        self.problems = problems


class ProviderConfig(Protocol):
    """What a provider's frozen configuration class offers besides its fields."""

    def problems(self) -> list[str]:
        """Everything wrong with the values, one sentence each."""


ACCOUNT = frozenset({"api_key", "headers", "organization", "project", "vendor"})
"""Fields of configurations that say on whose account a provider is asked, and at whose prices."""


def row_settings(name: str) -> frozenset[str]:
    """Fields that a tenant's own words may set: not a key or header, an address, or whose account
    is used. What a configuration hides from its repr is taken for a secret."""
    kind = PROVIDERS[name]
    return kind.tenants_own | {
        entry.name
        for entry in fields(kind.config)
        if entry.repr and entry.name not in ACCOUNT and not entry.name.endswith("url")
    }


def reserved_settings(name: str) -> frozenset[str]:
    """Its other fields: never a tenant's own words."""
    return frozenset(entry.name for entry in fields(PROVIDERS[name].config)) - row_settings(name)


def usable_settings(
    name: str, given: Mapping[str, object], beside: Mapping[str, object]
) -> tuple[dict[str, object], tuple[str, ...]]:
    """What of `given` a provider takes, and what is wrong with the rest: `field: sentence`.

    `beside` are fields set elsewhere: they outrank it and are not judged here.
    """
    config, used = PROVIDERS[name].config, dict(given)
    said: list[str] = []
    without_any = set(_problems(config, beside))
    while found := [
        text for text in _problems(config, {**used, **beside}) if text not in without_any
    ]:
        wrong = {text.partition(":")[0] for text in found} & used.keys()
        for field_name in wrong or _to_blame(config, used, beside, found[0]) or set(used):
            del used[field_name]
        said += found
    return used, tuple(said)


def _to_blame(
    config: type[Any], used: Mapping[str, object], beside: Mapping[str, object], text: str
) -> set[str]:
    """Fields without which nothing is wrong with another, left at its default."""

    def without(name: str) -> dict[str, object]:
        return {key: used[key] for key in used if key != name} | dict(beside)

    return {name for name in used if text not in _problems(config, without(name))}


def _problems(config: type[Any], row: Mapping[str, object]) -> list[str]:
    try:
        read_config("", config, row)
    except ProviderConfigError as error:
        return list(error.problems)
    return []


def interface_of(kind: str, name: str) -> Interface | None:
    """The interface of a kind that is called `name`; None: there is none."""
    known = DESCRIPTORS.get(kind)
    found = [one for one in known.interfaces if one.name == name] if known else []
    return found[0] if found else None


def described_settings(name: str) -> list[tuple[str, str, tuple[str, ...], str]]:
    """Name, type, choices and meaning of each field that a tenant's own words may set."""
    kind = PROVIDERS[name]
    hints, allowed = _hints(kind.config), row_settings(name)
    return [
        (
            entry.name,
            _type_word(hints[entry.name]),
            entry.metadata.get(CHOICES, ()),
            entry.metadata.get(HELP, ""),
        )
        for entry in fields(kind.config)
        if entry.name in allowed
    ]


def _type_word(hint: Any) -> str:
    """`text` and the like, as the interface for pages names types."""
    found = msgspec.inspect.type_info(hint)
    if isinstance(found, msgspec.inspect.UnionType):
        found = next(one for one in found.types if not isinstance(one, msgspec.inspect.NoneType))
    return _TYPE_WORDS[type(found)]


_TYPE_WORDS: Mapping[type[Any], str] = {
    msgspec.inspect.BoolType: "boolean",
    msgspec.inspect.IntType: "integer",
    msgspec.inspect.FloatType: "number",
    msgspec.inspect.StrType: "text",
    msgspec.inspect.VarTupleType: "list",
    msgspec.inspect.CollectionType: "list",
    msgspec.inspect.ListType: "list",
    msgspec.inspect.DictType: "object",
}


def make_provider(name: str, row: Mapping[str, object]) -> ProviderProtocol:
    """A fresh protocol object for one session.

    Raises `ProviderConfigError` for an unknown name or a row with wrong fields.
    """
    kind = PROVIDERS.get(name)
    if kind is None:
        known = ", ".join(sorted(PROVIDERS))
        raise ProviderConfigError(name, (f"unknown provider; known are {known}",))
    return kind.make(read_config(name, kind.config, row))


def read_config(name: str, config: type[Any], row: Mapping[str, object]) -> Any:
    """`row` as an instance of the dataclass `config`.

    Raises `ProviderConfigError` with every unknown, missing and wrong field.
    """
    values, problems = _convert(config, row)
    reported = {problem.partition(":")[0] for problem in problems}
    made: ProviderConfig = config(**values)
    problems += [text for text in made.problems() if text.partition(":")[0] not in reported]
    if problems:
        raise ProviderConfigError(name, tuple(problems))
    return made


_HINTS: dict[type[Any], dict[str, Any]] = {}


def _hints(config: type[Any]) -> dict[str, Any]:
    """Types of the fields. Kept, since reading them compiles the text of each."""
    if config not in _HINTS:
        _HINTS[config] = get_type_hints(config)
    return _HINTS[config]


def _convert(config: type[Any], row: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """Fields that fit, and what is wrong with the others; a required one gets a stand-in."""
    hints = _hints(config)
    problems = [f"{key}: unknown field" for key in row if key not in hints]
    values: dict[str, Any] = {}
    for entry in fields(config):
        required = entry.default is MISSING and entry.default_factory is MISSING
        if required:
            values[entry.name] = hints[entry.name]()
        if entry.name not in row:
            if required:
                problems.append(f"{entry.name}: missing")
            continue
        try:
            values[entry.name] = msgspec.convert(row[entry.name], hints[entry.name])
        except msgspec.ValidationError as error:
            problems.append(f"{entry.name}: {error}")
    return values, problems
