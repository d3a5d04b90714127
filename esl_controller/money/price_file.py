"""The operator's own price list: a JSON file, read once at start, over the built-in list."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bridge.providers.registry import VENDORS
from esl_controller.money.prices import PRICES, Price, PriceList
from esl_controller.settings.table import Settings

MAX_FILE_BYTES = 1_000_000
MAX_PRICE_USD = 10_000
_MAX_SHOWN = 80
KNOWN_PROVIDERS = VENDORS
"""Who usage may be of: a price of anybody else would never be looked at."""


class PriceProblem(NamedTuple):
    """One thing wrong with an operator's price list."""

    place: str
    """File, entry (numbered from 1) and field, as far as they are known."""
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.place} = {self.value}: allowed is {self.allowed}"


class PriceListError(ValueError):
    """An operator's price list cannot be used; `problems` names everything at once."""

    def __init__(self, problems: Iterable[PriceProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def price_list(price_file: str) -> PriceList:
    """The prices to count with: the built-in ones, under those of `price_file` if it is not empty.

    Raises PriceListError.
    """
    return PriceList(PRICES, read_prices(price_file) if price_file else ())


def price_problems(settings: Settings) -> tuple[PriceProblem, ...]:
    """What is wrong with the price list that the settings name."""
    try:
        price_list(settings.storage.price_file)
    except PriceListError as error:
        return error.problems
    return ()


def read_prices(price_file: str) -> list[Price]:
    """Read an operator's file; raises PriceListError with everything that is wrong in it."""
    try:
        with Path(price_file).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: no name of a file at all
        words = getattr(error, "strerror", None) or str(error)
        problem = PriceProblem(price_file, words, "a price list to read")
        raise PriceListError([problem]) from error
    if len(content) > MAX_FILE_BYTES:
        problem = PriceProblem(price_file, "(longer)", f"at most {MAX_FILE_BYTES} bytes")
        raise PriceListError([problem])
    return parse_prices(content, price_file)


def parse_prices(text: str | bytes, name: str = "prices") -> list[Price]:
    """Read a list called `name` in problems: a JSON list of objects with the fields of `Price`.

    Raises PriceListError with everything that is wrong.
    """
    try:
        entries = msgspec.json.decode(text, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem = PriceProblem(name, f"({error})", "a JSON list of objects")
        raise PriceListError([problem]) from error
    problems: list[PriceProblem] = []
    prices = {number: _parse_price(number, e, problems) for number, e in enumerate(entries, 1)}
    good = {number: price for number, price in prices.items() if price is not None}
    problems += _repeated(good)
    if problems:
        raise PriceListError(p._replace(place=f"{name}, {p.place}") for p in problems)
    return list(good.values())


def _parse_price(
    number: int, entry: Mapping[str, Any], problems: list[PriceProblem]
) -> Price | None:
    fields: dict[str, Any] = {}
    wrong = [
        PriceProblem(f"entry {number}, {name}", "(not there)", _ALLOWED[kind])
        for name, kind in _REQUIRED.items()
        if name not in entry
    ]
    for name, value in entry.items():
        try:
            fields[name] = _field(name, value)
        except ValueError as error:
            wrong.append(PriceProblem(f"entry {number}, {name}", _shown(value), str(error)))
    problems += wrong
    return None if wrong else Price(**fields)


def _field(name: str, value: Any) -> Any:
    """What is used of a field. Raises ValueError saying what is allowed."""
    kind = _KINDS.get(name)
    if kind is None:
        raise ValueError(f"one of {', '.join(_KINDS)}")
    exact = str(value) if kind is Decimal and isinstance(value, float) else value
    try:
        converted: Any = msgspec.convert(exact, kind, strict=kind is not Decimal)
    except msgspec.ValidationError as error:
        raise ValueError(_ALLOWED[kind]) from error
    if kind is Decimal and not (converted.is_finite() and 0 <= converted <= MAX_PRICE_USD):
        raise ValueError(_ALLOWED[kind])
    if kind is str and not converted:
        raise ValueError(_ALLOWED[kind])
    if name == "provider" and converted not in KNOWN_PROVIDERS:
        raise ValueError(f"one of {', '.join(KNOWN_PROVIDERS)}")
    return converted


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def _repeated(prices: Mapping[int, Price]) -> list[PriceProblem]:
    """Of two prices from the same day on nobody can tell which is meant."""
    first: dict[tuple[str, str, date], int] = {}
    found = []
    for number, price in prices.items():
        key = (price.provider, price.model, price.since)
        if first.setdefault(key, number) != number:
            day = price.since.isoformat()
            allowed = f"a day other than that of entry {first[key]} for the same model"
            found.append(PriceProblem(f"entry {number}, since", day, allowed))
    return found


_KINDS: dict[str, type] = typing.get_type_hints(Price)
_REQUIRED = {name: _KINDS[name] for name in ("provider", "model", "since")}
_ALLOWED: dict[type, str] = {
    str: "text, not empty",
    date: "a day written as 2026-08-01",
    Decimal: f"a number from 0 to {MAX_PRICE_USD}, in USD",
}
