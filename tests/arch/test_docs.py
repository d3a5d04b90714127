"""Pages made from the program are as the program is now, and the guides name what exists."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from esl_controller.settings.table import every_setting
from esl_controller.telemetry.catalogue import METRICS
from tests.arch.tree import PACKAGES, ROOT, sources

DOCS = ROOT / "docs"
GUIDES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
VARIABLE = re.compile(r"\bVOICE_AI_[A-Z0-9_]+[A-Z0-9]\b")
KNOWN = {row.variable for row in every_setting()} | {"VOICE_AI_CONFIG"}


def generator() -> ModuleType:
    if str(DOCS) not in sys.path:  # as it is for a program that is started there
        sys.path.insert(0, str(DOCS))
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = generator()


@pytest.mark.parametrize("name", GENERATOR.PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == GENERATOR.page(name), "run `make docs`"


def test_every_setting_and_metric_is_documented() -> None:
    settings, metrics = (DOCS / "settings.md").read_text(), (DOCS / "metrics.md").read_text()
    assert all(f"`{row.variable}`" in settings for row in every_setting())
    assert all(f"`{metric.name}`" in metrics for metric in METRICS)


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_guides_name_settings_that_exist(path: Path) -> None:
    assert set(VARIABLE.findall(path.read_text("utf-8"))) <= KNOWN


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_guides_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_metric_is_counted_somewhere() -> None:
    """A metric nobody sets would be a promise without a keeper."""
    code = "\n".join(
        path.read_text("utf-8") for path in sources(*PACKAGES) if path.name != "catalogue.py"
    )
    catalogue = (ROOT / "esl_controller/telemetry/catalogue.py").read_text("utf-8")
    names = re.findall(r"^([A-Z_]+) = _(?:counter|gauge|histogram)\(", catalogue, re.MULTILINE)
    assert len(names) == len(METRICS)
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []
