"""Figures in the pages that the program can compute are as it computes them now."""

from __future__ import annotations

from datetime import date

import pytest

from esl_controller.money.price_file import price_list
from esl_controller.web.api.catalogue import call_cost
from tests.docs import pages
from tests.docs.pages import DOCS


@pytest.mark.parametrize("page", ["costs.md", "pt-BR/custos.md"])
def test_estimates_are_those_of_the_price_list(page: str) -> None:
    estimates = next(pages.tables(DOCS / page))[1:]
    prices = price_list("")
    assert len(estimates) == 4
    for model, *told in estimates:
        name = model.split("`")[1]
        kind = {"agents": "elevenlabs"}.get(name, "gemini" if "gemini" in name else "openai")
        price = prices.find(kind, name, date(2026, 11, 30))
        assert price is not None
        costs = [call_cost(price, minutes, 50) / minutes for minutes in (1, 3, 10)]
        assert told == [f"{cost:.3f}" for cost in costs], name
