"""Settings, columns, metrics, tables and events that the pages name are the program's."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from esl_controller.telemetry.catalogue import METRICS, Kind
from esl_controller.tenants.fields import (
    FUNCTION,
    PROVIDER,
    SECRETARY,
    TENANT,
    Field,
    Subject,
    parse_text,
)
from tests.arch.tree import ROOT
from tests.docs import judges, pages
from tests.docs.pages import GUIDES, PAGES

SOURCES = (
    "esl_controller",
    "bridge",
    "lua",
    "dialplan_xml",
    "deploy",
    "fusionpbx_app",
    "bench",
    "tests",
)
KINDS = {".py", ".sql", ".lua", ".xml", ".php", ".yml", ".toml", ".js", ".conf", ".cfg", ".json"}
OTHERS = {
    "app_defaults",  # a file FusionPBX looks for
    "app_defaults.php",
    "close_1008",  # made of a close code
    "close_3000",
    "http_404",
    "process_resident_memory_bytes",  # prometheus_client's own
    "jitterbuffer_msec",  # FreeSWITCH's
    "rtp_manual_rtp_bugs",
    "rtp_flush_read_buffer",
    "switch_rtp_set_flag",
    "shop_price",  # names of an example
    "shop_stock",
    "loja_estoque",
    "loja_preco",
    "pedido.json",
    "recording.offsets_ms",  # a field of an answer's field
}
_SETTING = re.compile(r"\bVOICE_AI_[A-Z0-9_]+[A-Z0-9]\b")
_SNAKE = re.compile(r"(?<![\w./@-])[a-z]+(?:_[a-z0-9]+)+(?![\w/-])")
_METRIC = re.compile(r"\bvoice_ai_realtime_[a-z_]+[a-z]\b")
_EVENT = re.compile(r"[a-z_]+\.[a-z_]+")


@cache
def source() -> str:
    """The program's own text, that of its tests' files with it."""
    files = [
        path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.suffix in KINDS
    ]
    return "\n".join(
        path.read_text("utf-8", "ignore") for path in files if "tests/docs" not in str(path)
    )


@cache
def words() -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z]\w*", source())) | {Path(name).stem for name in files()}


@cache
def files() -> frozenset[str]:
    """Names of the program's files."""
    return frozenset(path.name for folder in SOURCES for path in (ROOT / folder).rglob("*"))


@cache
def series() -> frozenset[str]:
    """Names of metrics, of what Prometheus makes of them, and both without what all begin with."""
    ends = {Kind.HISTOGRAM: ("", "_bucket", "_count", "_sum")}
    full = {metric.name + end for metric in METRICS for end in ends.get(metric.kind, ("",))}
    short = {name.removeprefix("voice_ai_realtime_") for name in full}
    bare = {name.removesuffix("_total").removesuffix("_seconds") for name in short}
    return frozenset(full | short | bare)


@cache
def columns() -> dict[str, tuple[Subject, Field]]:
    """Every column, a secretary's before others of the same name."""
    subjects = (FUNCTION, TENANT, PROVIDER, SECRETARY)
    return {field.name: (subject, field) for subject in subjects for field in subject.fields()}


@cache
def is_known(name: str) -> bool:
    if name in words() or name in series() or name in OTHERS:
        return True
    return any(word.startswith(name) or word.endswith(name) for word in words())


@pytest.mark.parametrize("path", PAGES, ids=pages.name)
def test_settings_and_metrics_exist(path: Path) -> None:
    if path.name == "CHANGELOG.md":
        return  # tells of those that were
    text = pages.text(path)
    assert set(_SETTING.findall(text)) - judges.VARIABLES == set()
    named = {name for name in _METRIC.findall(text) if not text.count(f"{name}_…")}
    assert named - series() == set()


def test_what_watches_asks_for_metrics_there_are() -> None:
    watching = [*(ROOT / "deploy").rglob("*.yml"), *(ROOT / "deploy/kubernetes").glob("*.yaml")]
    watching += [ROOT / "deploy/dashboards/prometheus.json"]
    asked = {name for path in watching for name in _METRIC.findall(path.read_text())}
    assert len(asked) > 30
    assert asked - series() == set()


@pytest.mark.parametrize("path", GUIDES, ids=pages.name)
def test_words_of_the_program_exist(path: Path) -> None:
    found = {name for span in pages.spans(path) for name in _SNAKE.findall(span)}
    assert {name for name in found if not is_known(name)} == set()


@pytest.mark.parametrize("path", GUIDES, ids=pages.name)
def test_events_and_files_exist(path: Path) -> None:
    found = {span for span in pages.spans(path) if _EVENT.fullmatch(span)}
    known = files() | OTHERS
    assert {name for name in found if name not in known and name not in source()} == set()


@pytest.mark.parametrize("path", GUIDES, ids=pages.name)
def test_values_of_columns_are_allowed(path: Path) -> None:
    """`transfer_mode = announced` and the like, as the command line would take them."""
    wrong = []
    for span in pages.spans(path):
        found = re.fullmatch(r"([a-z_]+) ?= ?([^=…]+)", span)
        if found and found[1] in columns():
            subject, field = columns()[found[1]]
            try:
                subject.read(field.name, parse_text(field, found[2].strip("'\"")))
            except ValueError as error:
                wrong.append((span, str(error)))
    assert wrong == []


@pytest.mark.parametrize("path", GUIDES, ids=pages.name)
def test_lines_of_doctor_exist(path: Path) -> None:
    """What is named as *line* of `doctor`."""
    named = re.findall(r"\*([^*\n|]+)\* (?:of|do) `doctor`", pages.text(path))
    code = "".join(file.read_text() for file in (ROOT / "esl_controller/doctor").glob("*.py"))
    assert [line for line in named if f'"{line}' not in code] == []


def test_a_wrong_name_is_found() -> None:
    assert not is_known("transfer_rulez")
    assert not is_known("late_framez_total")
    assert is_known("transfer_rules")
