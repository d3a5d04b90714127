"""From a provider's name and its row in the settings to its protocol object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Protocol, get_type_hints

import msgspec

from bridge.errors import BridgeError
from bridge.providers.base import ProviderProtocol
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


PROVIDERS: dict[str, ProviderKind] = {
    "openai_realtime": ProviderKind(OpenAIRealtimeConfig, OpenAIRealtime, "openai"),
    "pipeline": ProviderKind(PipelineConfig, Pipeline, "groq"),
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
