"""From a provider's name and its row in the settings to its protocol object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Protocol, get_type_hints

import msgspec

from bridge.errors import BridgeError
from bridge.providers.base import ProviderProtocol
from bridge.providers.elevenlabs.agent import ElevenLabsAgent
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.providers.gemini.config import GeminiLiveConfig
from bridge.providers.gemini.live import GeminiLive
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import Pipeline


class ProviderConfigError(BridgeError):
    """A provider row cannot be used; `problems` names every wrong field, never its value."""

    def __init__(self, name: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{name}: {'; '.join(problems)}")
        self.problems = problems


class ProviderConfig(Protocol):
    """What a provider's frozen configuration class offers besides its fields."""

    def problems(self) -> list[str]:
        """Everything wrong with the values, one sentence each."""


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """A provider by name: its configuration class and how to make its protocol object."""

    config: type[Any]
    make: Callable[[Any], ProviderProtocol]
    vendor: str
    """Who is paid, as in the price list; of a pipeline, its language model's."""
    tenants_own: frozenset[str] = frozenset()
    """Fields that a tenant may set although they are named like an account or an address."""


PROVIDERS: dict[str, ProviderKind] = {
    "elevenlabs_agent": ProviderKind(ElevenLabsConfig, ElevenLabsAgent, "elevenlabs"),
    "gemini_live": ProviderKind(GeminiLiveConfig, GeminiLive, "gemini", frozenset({"project"})),
    "openai_realtime": ProviderKind(OpenAIRealtimeConfig, OpenAIRealtime, "openai"),
    "pipeline": ProviderKind(PipelineConfig, Pipeline, "groq", frozenset({"stt_url"})),
}


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


def _convert(config: type[Any], row: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """Fields that fit, and what is wrong with the others; a required one gets a stand-in."""
    hints = get_type_hints(config)
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
