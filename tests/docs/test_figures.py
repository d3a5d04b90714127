"""Figures and lists in the pages that can be had from the program are as it has them now."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from bridge.errors import RemoteProtocolError
from bridge.wire import frames
from esl_controller.money.price_file import price_list
from esl_controller.web.api.catalogue import call_cost
from tests.docs import pages
from tests.docs.pages import DOCS, ROOT


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


@pytest.mark.parametrize(
    ("page", "heading"), [("monitoring.md", "panel"), ("pt-BR/monitoramento.md", "quadro")]
)
def test_panels_that_are_named_are_on_the_dashboard(page: str, heading: str) -> None:
    board = json.loads((ROOT / "deploy/dashboards/prometheus.json").read_text())
    titles = {panel["title"] for panel in board["panels"]}
    (table,) = [one for one in pages.tables(DOCS / page) if one[0][0] == heading]
    named = [title for row in table[1:] for title in re.split(r", (?=[A-Z])", row[0])]
    assert len(named) > 8
    assert set(named) - titles == set()


PROTOCOL = DOCS / "media-protocol.md"


def column(path: Path, heading: str) -> list[set[str]]:
    """Words in code of the first column of each table with that heading."""
    found = [table for table in pages.tables(path) if table[0][0] == heading]
    return [
        {name for row in table[1:] for name in re.findall(r"`(\w+)`", row[0])} for table in found
    ]


def test_the_browsers_events_are_those_that_are_told() -> None:
    folder = ROOT / "esl_controller/web/talk"
    code = "".join(path.read_text() for path in folder.glob("*.py"))
    code += (ROOT / "bridge/playout/browser.py").read_text()
    told = re.findall(r'_say\(\s*"(\w+)"|"event":"(\w+)"', code)
    assert column(PROTOCOL, "`event`") == [{one or other for one, other in told}]


def test_close_codes_are_those_that_are_sent() -> None:
    (codes,) = [table for table in pages.tables(PROTOCOL) if table[0][0] == "code"]
    sources = [*(ROOT / "bridge/wire").glob("*.py"), ROOT / "bridge/server.py"]
    code = "".join(path.read_text() for path in sources)
    named = re.findall(r"close_code=(\w+)|\.close\(frames\.(\w+)", code)
    sent = {getattr(frames, one or other) for one, other in named}
    sent |= {frames.NORMAL, RemoteProtocolError("").close_code}
    assert {int(row[0]) for row in codes[1:]} == sent


def test_answers_to_a_handshake_are_those_of_the_code() -> None:
    sources = ("bridge/routes.py", "bridge/session_manager.py", "bridge/server.py")
    code = "".join((ROOT / name).read_text() for name in sources)
    code += (ROOT / "esl_controller/web/talk/door.py").read_text()
    given = {int(status) for status in re.findall(r"(?:Refusal\(|status = )(\d{3})", code)}
    tables = [table for table in pages.tables(PROTOCOL) if table[0][0] == "answer"]
    cells = [row[0] for table in tables for row in table[1:]]
    named = {int(status) for cell in cells for status in re.findall(r"\d{3}", cell)}
    assert named == (given - {503}) | {101}
