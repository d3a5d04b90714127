"""From a stored row to what is used: a wrong field costs itself, not the number. Pure.

Only a field without which no answer is possible, or whose default could cost money or privacy
that nobody agreed to, refuses the row. Everything wrong is named at once; which field does what
stands in the tables of `tenants.columns`, and from there in docs/secretary.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from esl_controller.database.functions import FunctionRow
from esl_controller.database.models import RealtimeProviderConfig, SecretaryRealtime, TenantSettings
from esl_controller.tenants import own_functions
from esl_controller.tenants.checks import PartlyWrong
from esl_controller.tenants.columns.column import Column, Use
from esl_controller.tenants.columns.function import FUNCTION
from esl_controller.tenants.columns.provider import PROVIDER
from esl_controller.tenants.columns.secretary import SECRETARY
from esl_controller.tenants.columns.tenant import TENANT

_T = TypeVar("_T")


class ConfigError(Exception):
    """A row cannot be used. `problems` has one line for each wrong field that is needed."""

    def __init__(self, problems: Sequence[str], warnings: Sequence[str] = ()) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        """What is wrong besides, and could be done without."""


def secretary(row: Mapping[str, Any], warnings: list[str] | None = None) -> SecretaryRealtime:
    """Read a row of `v_voice_secretaries_realtime`.

    Args:
        warnings: gets a sentence for each field that is wrong, or not used, and can be done
            without.

    Raises:
        ConfigError: no answer is possible with this row.
    """
    name = row.get("secretary_name") or row.get("secretary_realtime_uuid")
    return _read(SecretaryRealtime, SECRETARY, row, f"secretary {name!r}", warnings)


def provider(row: Mapping[str, Any], warnings: list[str] | None = None) -> RealtimeProviderConfig:
    """Read a row of `v_voice_realtime_providers`; as `secretary`."""
    name = row.get("provider_label") or row.get("voice_realtime_provider_uuid")
    return _read(RealtimeProviderConfig, PROVIDER, row, f"provider {name!r}", warnings)


def function(row: Mapping[str, Any], warnings: list[str] | None = None) -> FunctionRow:
    """Read a row of `v_voice_realtime_functions`; as `secretary`."""
    name = row.get("function_name") or row.get("voice_realtime_function_uuid")
    what = f"function {name!r:.60}"
    found = _read(FunctionRow, FUNCTION, row, what, warnings)
    if problems := [f"{what}: {one}" for one in own_functions.problems(found)]:
        raise ConfigError(problems)
    return found


def tenant(
    row: Mapping[str, Any],
    warnings: list[str] | None = None,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> TenantSettings:
    """Read a row of `v_voice_realtime_settings`; as `secretary`.

    Args:
        defaults: of this domain, over those of the table.
    """
    columns = dict(TENANT)
    for name, value in defaults.items():
        columns[name] = replace(columns[name], default=value)
    return _read(TenantSettings, columns, row, "realtime settings of the domain", warnings)


def _read(
    model: Callable[..., _T],
    columns: Mapping[str, Column],
    row: Mapping[str, Any],
    what: str,
    warnings: list[str] | None,
) -> _T:
    values: dict[str, Any] = {}
    problems: list[str] = []
    remarks: list[str] = []
    for name, column in columns.items():
        used, said = _field(name, column, row.get(name))
        if column.use is not Use.UNUSED:
            values[name] = used
        kept = problems if column.use is Use.NEEDED else remarks
        kept += [f"{what}: {one}" for one in said]
    if warnings is not None:
        warnings += remarks
    if problems:
        raise ConfigError(problems)
    return model(**values)


def _field(name: str, column: Column, stored: Any) -> tuple[Any, list[str]]:
    """What is used of a stored value, and what is wrong with it."""
    if column.use is Use.UNUSED:
        said = [f"{name} is not used by this version{column.because}"]
        return None, said if _is_set(column, stored) else []
    if stored is None or (stored == "" and column.default is None):
        stored = column.default
    if stored is None and column.use is not Use.NEEDED:
        return None, []
    if stored is None and column.may_be_empty:
        return None, []
    try:
        return column.rule.read(stored), []
    except PartlyWrong as error:
        return error.value, [f"{name}: {problem}" for problem in error.problems]
    except ValueError as error:
        used = column.when_wrong
        instead = "it is left out" if used in (None, "", [], {}) else f"{_shown(used)} is used"
        ending = "" if column.use is Use.NEEDED else f"; {instead}"
        read = None if used is None else column.rule.read(used)
        return read, [f"{name} {error}{ending}"]


def _is_set(column: Column, stored: Any) -> bool:
    """Whether somebody chose a value for a column nobody reads."""
    if stored is None or stored == "":
        return False
    try:
        return bool(column.rule.read(stored) != column.default)
    except ValueError:
        return True


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
