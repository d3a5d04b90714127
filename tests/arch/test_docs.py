"""Pages made from the program are as the program is now; the guides are tested in `tests/docs`."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType

import pytest

from esl_controller.settings.table import every_setting
from esl_controller.telemetry.catalogue import METRICS
from tests.arch.tree import PACKAGES, ROOT, sources

DOCS = ROOT / "docs"


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


def test_every_metric_is_counted_somewhere() -> None:
    """A metric nobody sets would be a promise without a keeper."""
    said = {
        word
        for path in sources(*PACKAGES)
        if path.name != "catalogue.py"
        for word in re.findall(r"\w+", path.read_text("utf-8"))
    }
    catalogue = (ROOT / "esl_controller/telemetry/catalogue.py").read_text("utf-8")
    names = re.findall(r"^([A-Z_]+) = _(?:counter|gauge|histogram)\(", catalogue, re.MULTILINE)
    assert len(names) == len(METRICS)
    assert [name for name in names if name not in said] == []
