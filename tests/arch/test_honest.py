"""What is declared is used: a setting, column, code, event or counter nobody reads is a lie.

Looked at as source, not run: for each thing there is a place where the program reads it (or, for
what is recorded or told, makes it). Names alone prove nothing, there is more than one `model`; so a
reading counts where its object is known by its name or its annotation.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bridge.ports import EndCause
from bridge.session.floor_states import FloorEvent
from bridge.session.states import SessionEvent
from esl_controller.calls.states import CallEvent
from esl_controller.database.models import (
    UNUSED_COLUMNS,
    ConversationRealtime,
    FunctionCallRecord,
    RealtimeProviderConfig,
    SecretaryRealtime,
    TenantSettings,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.routes.places import Refusal
from esl_controller.routes.routing import Outcome
from esl_controller.settings.table import Settings, every_setting
from esl_controller.telemetry import catalogue
from esl_controller.telemetry.catalogue import ErrorCode, Metric
from tests.arch.tree import PACKAGES, ROOT, sources

Node = TypeVar("Node", bound=ast.AST)
NO_PART_OF_THE_SERVICE = ("simulator", "demo.py", "columns")


@dataclass
class Source:
    """One module, with what its names stand for."""

    path: Path
    tree: ast.Module

    def __post_init__(self) -> None:
        self._nodes: dict[type[ast.AST], list[Any]] = defaultdict(list)
        for node in ast.walk(self.tree):
            self._nodes[type(node)].append(node)

    def nodes(self, kind: type[Node]) -> list[Node]:
        """Those of one kind, in order."""
        return self._nodes[kind]

    def reads(self, names: Iterable[str], kinds: Iterable[str]) -> Iterator[str]:
        """Attributes read of objects that are called one of `names` or are of one of `kinds`."""
        wanted = set(names)
        known = wanted | set(self._aliases(wanted)) | set(self._annotated(set(kinds)))
        for _ in range(2):
            known |= set(self._handed_over(known))
        for node in self.nodes(ast.Attribute):
            if isinstance(node.ctx, ast.Load):
                owner = _last_name(node.value)
                if owner in known:
                    yield node.attr

    def conditions(self) -> Iterator[str]:
        """Words of a repository's statements. Its column lists are not written out in them."""
        if self.path.parent.name == "repository":
            for node in self.nodes(ast.Constant):
                if isinstance(node.value, str):
                    yield from re.findall(r"\w+", node.value.partition(" where ")[2])

    def members(self, kind: str) -> Iterator[str]:
        """Members named of an enumeration, also under a short name for it."""
        known = {kind, *self._handed_over({kind}), *self._aliases({kind}), *self._short_for(kind)}
        for node in self.nodes(ast.Attribute):
            if _last_name(node.value) in known:
                yield node.attr

    def _short_for(self, kind: str) -> Iterator[str]:
        """`_S, _E = TurnState, FloorEvent`."""
        for node in self.nodes(ast.Assign):
            if isinstance(node.value, ast.Tuple):
                for target in node.targets:
                    if isinstance(target, ast.Tuple):
                        for one, value in zip(target.elts, node.value.elts, strict=True):
                            if _last_name(value) == kind:
                                yield _last_name(one)

    def given(self, kind: str) -> Iterator[str]:
        """Fields given to a record when it is made, or changed; `Kind.*` for `**` of whatever."""
        for node in self.nodes(ast.Call):
            if _last_name(node.func) in (kind, "replace"):
                for keyword in node.keywords:
                    yield from [keyword.arg] if keyword.arg else self._unpacked(keyword.value, kind)

    def _unpacked(self, value: ast.expr, kind: str) -> Iterator[str]:
        """`**_said(ending)`: the names in the dictionary that this module's `_said` returns."""
        yield f"{kind}.*"
        if isinstance(value, ast.Call):
            for node in self.nodes(ast.FunctionDef):
                if node.name == _last_name(value):
                    yield from _names_of_dictionary(node)

    def _aliases(self, names: set[str]) -> Iterator[str]:
        """`at = settings.freeswitch`, and the like in pairs."""
        for node in self.nodes(ast.Assign):
            if len(node.targets) != 1:
                continue
            target, value = node.targets[0], node.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            for one, stands_for in pairs:
                if isinstance(stands_for, ast.Attribute) and stands_for.attr in names:
                    yield _last_name(one)

    def _handed_over(self, known: set[str]) -> Iterator[str]:
        """`self._settings = settings`, and what that is called later."""
        for node in self.nodes(ast.Assign):
            if _last_name(node.value) in known:
                yield from (_last_name(target) for target in node.targets)

    def _annotated(self, kinds: set[str]) -> Iterator[str]:
        return (name for name, words in self._annotations if kinds & words)

    @cached_property
    def _annotations(self) -> list[tuple[str, set[str]]]:
        """Names, and the words of what they are annotated with."""
        arguments = [
            (node.arg, set(_words(node.annotation)))
            for node in self.nodes(ast.arg)
            if node.annotation is not None
        ]
        assigned = self.nodes(ast.AnnAssign)
        return arguments + [
            (_last_name(node.target), set(_words(node.annotation))) for node in assigned
        ]


def _names_of_dictionary(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            for key in node.value.keys:
                if isinstance(key, ast.Constant):
                    yield str(key.value)


def _words(annotation: ast.expr) -> Iterator[str]:
    return (n.id for n in ast.walk(annotation) if isinstance(n, ast.Name))


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _sources() -> list[Source]:
    return [
        Source(path, ast.parse(path.read_text("utf-8")))
        for path in sources(*PACKAGES)
        if not set(NO_PART_OF_THE_SERVICE) & set(path.relative_to(ROOT).parts)
    ]


SOURCES = _sources()


def unread_settings(found: list[Source]) -> list[str]:
    groups = {name: type(getattr(Settings(), name)).__name__ for name in Settings.__annotations__}
    read = {
        (group, name)
        for group, kind in groups.items()
        for source in found
        if source.path.name != "table.py"
        for name in source.reads([group], [kind])
    }
    return [row.variable for row in every_setting() if (row.group, row.name) not in read]


READ: Mapping[type, tuple[str, ...]] = {
    SecretaryRealtime: ("secretary",),
    RealtimeProviderConfig: ("config",),
    TenantSettings: ("tenant",),
}
"""What a row of settings is called where it is read."""
WRITTEN = (ConversationRealtime, Turn, FunctionCallRecord, TransferRecord, UsageRecord)

COUNTED = (Turn, UsageRecord)
"""Some of their fields come all at once, from a record with fields of the same names."""
BY_STATEMENT = {"summary", "summary_fields"}
"""Written after the call, by a statement of their own (`conversations.keep_summary`)."""


def unread_columns(model: type, found: list[Source]) -> list[str]:
    read = {name for source in found for name in source.reads(READ[model], [model.__name__])}
    read |= {word for source in found for word in source.conditions()}
    return [field.name for field in dataclasses.fields(model) if field.name not in read]


def unwritten_columns(model: type, found: list[Source]) -> list[str]:
    given = {name for source in found for name in source.given(model.__name__)}
    if f"{model.__name__}.*" in given and model in COUNTED:
        return []
    return [field.name for field in dataclasses.fields(model) if field.name not in given]


TOLD: tuple[type[enum.Enum], ...] = (
    ErrorCode,
    Outcome,
    EndCause,
    Refusal,
    CallEvent,
    SessionEvent,
    FloorEvent,
)
"""Codes and events somebody must tell: being in a table is not enough."""


def untold(kind: type[enum.Enum], found: list[Source]) -> list[str]:
    home = kind.__module__.rpartition(".")[2] + ".py"
    told = {
        name
        for source in found
        if source.path.name != home or kind not in (CallEvent, SessionEvent, FloorEvent)
        for name in source.members(kind.__name__)
    }
    return [member.name for member in kind if member.name not in told]


STATISTICS = {
    "bridge.server": "ServerCounters",
    "esl_controller.esl.server": "ServerStats",
}


def uncounted(module: str, kind: str, found: list[Source]) -> list[str]:
    """Counters that are raised and never looked at."""
    home = ROOT / Path(*module.split(".")).with_suffix(".py")
    looked_at = {
        node.attr
        for source in found
        if source.path != home
        for node in source.nodes(ast.Attribute)
        if isinstance(node.ctx, ast.Load)
    }
    fields = dataclasses.fields(getattr(importlib.import_module(module), kind))
    return [field.name for field in fields if field.name not in looked_at]


def test_every_setting_is_read() -> None:
    assert unread_settings(SOURCES) == []


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_every_column_of_settings_is_read(model: type) -> None:
    assert unread_columns(model, SOURCES) == []


@pytest.mark.parametrize("model", WRITTEN, ids=lambda model: model.__name__)
def test_every_column_of_records_is_written(model: type) -> None:
    assert set(unwritten_columns(model, SOURCES)) <= BY_STATEMENT


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_every_code_and_event_is_told(kind: type[enum.Enum]) -> None:
    assert untold(kind, SOURCES) == []


@pytest.mark.parametrize("module", STATISTICS)
def test_every_count_is_looked_at(module: str) -> None:
    assert uncounted(module, STATISTICS[module], SOURCES) == []


def unset_metrics(found: list[Source]) -> list[str]:
    """Metrics of the catalogue that nothing counts, sets or observes."""
    used = {
        node.attr
        for source in found
        if source.path.name != "catalogue.py"
        for node in source.nodes(ast.Attribute)
        if _last_name(node.value) in ("m", "catalogue")
    }
    used |= {
        alias.name
        for source in found
        for node in source.nodes(ast.ImportFrom)
        if node.module == catalogue.__name__
        for alias in node.names
    }
    return [
        name
        for name, value in vars(catalogue).items()
        if isinstance(value, Metric) and name not in used
    ]


def test_every_metric_is_set() -> None:
    assert unset_metrics(SOURCES) == []
    assert "CALLS" in unset_metrics([])


def test_no_column_is_both_used_and_not() -> None:
    for model, names in UNUSED_COLUMNS.items():
        assert {field.name for field in dataclasses.fields(model)}.isdisjoint(names)


PLANTED = """
from esl_controller.database.models import SecretaryRealtime

def plan(secretary: SecretaryRealtime, config, timeouts, stats) -> None:
    timeouts.tool_s, secretary.voice_id, ErrorCode.WEBSOCKET
    config.base_url, other.barge_in, config.silence_s
    stats.failed_calls += 1
"""


def test_what_nobody_reads_would_be_found() -> None:
    """A name read of something else, or only ever written, is no reading."""
    planted = [Source(ROOT / "planted.py", ast.parse(PLANTED))]
    unread = unread_settings(planted)
    assert "VOICE_AI_TIMEOUTS_TOOL_S" not in unread
    assert "VOICE_AI_PROVIDER_BASE_URL" in unread
    columns = unread_columns(SecretaryRealtime, planted)
    assert "voice_id" not in columns
    assert "barge_in" in columns
    assert "base_url" not in unread_columns(RealtimeProviderConfig, planted)
    assert "WEBSOCKET" not in untold(ErrorCode, planted)
    assert "RATE_LIMIT" in untold(ErrorCode, planted)
    assert "failed_calls" in uncounted("esl_controller.esl.server", "ServerStats", planted)
    assert unwritten_columns(TransferRecord, planted) == [
        field.name for field in dataclasses.fields(TransferRecord)
    ]
