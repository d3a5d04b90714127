"""Reads a table of TOML by its rules, and notes everything that is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from esl_controller.tenants.checks import did_you_mean

MAX_TEXT = 4000


class Table:
    """One table; what is asked of it is known, and what is left over is a mistake."""

    def __init__(self, values: Any, path: str, problems: list[str]) -> None:
        self.path = path
        self._problems = problems
        self._values: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
        self._known: set[str] = set()
        if not isinstance(values, Mapping):
            self.wrong("", "must be a table")

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def wrong(self, name: str, why: str) -> None:
        """Note a mistake."""
        where = ".".join(filter(None, (self.path, name)))
        self._problems.append(f"{where}: {why}" if where else why)

    def text(self, name: str, default: str = "", *, needed: bool = False) -> str:
        """A string."""
        value = self._value(name)
        if value is None:
            if needed:
                self.wrong(name, "is missing")
            return default
        if isinstance(value, str) and 1 <= len(value) <= MAX_TEXT:
            return value
        self.wrong(name, f"must be 1 to {MAX_TEXT} characters of text")
        return default

    def seconds(self, name: str, most: float = 3600.0) -> float | None:
        """A number above 0."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most:
            return float(value)
        self.wrong(name, f"must be a number of seconds, above 0 and at most {most:g}")
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings, or one of them."""
        value = self._value(name)
        found = [value] if isinstance(value, str) else value or []
        if isinstance(found, list) and all(isinstance(one, str) and one for one in found):
            return tuple(found)
        self.wrong(name, "must be text, or a list of texts")
        return ()

    def values(self, name: str) -> Mapping[str, Any]:
        """A table of anything."""
        value = self._value(name)
        if value is None or isinstance(value, Mapping):
            return value or {}
        self.wrong(name, "must be a table")
        return {}

    def table(self, name: str) -> Table:
        """A table by rules of its own."""
        value = self._value(name)
        return Table({} if value is None else value, self._at(name), self._problems)

    def tables(self, name: str) -> Sequence[Table]:
        """A list of them."""
        value = self._value(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.wrong(name, "must be a list of tables")
            return ()
        return [
            Table(one, f"{self._at(name)}[{number}]", self._problems)
            for number, one in enumerate(value, 1)
        ]

    def done(self) -> None:
        """Name what nobody asked for."""
        for name in self._values.keys() - self._known:
            self.wrong(str(name), f"is not known here{did_you_mean(str(name), self._known)}")

    def _value(self, name: str) -> Any:
        self._known.add(name)
        return self._values.get(name)

    def _at(self, name: str) -> str:
        return ".".join(filter(None, (self.path, name)))
