"""Who may import whom: the contracts of setup.cfg hold, and each bites when it is broken."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.arch.tree import PACKAGES, ROOT, contract, imports, setup_cfg, sources

OFFENCES = {
    "bridge-stands-alone": ("bridge/ports.py", "import esl_controller.database.models"),
    "pure": (
        "bridge/session/floor.py",
        "import bridge.playout.pacer_timer",
    ),  # at second hand: it reads the time
    "simulator-is-no-part-of-the-service": (
        "esl_controller/web/pages.py",
        "import esl_controller.simulator.speech",
    ),
    "app-joins": ("esl_controller/calls/call.py", "import esl_controller.app"),
    "interface": ("esl_controller/web/pages.py", "import esl_controller.web.api.routing"),
    "layers": ("esl_controller/esl/server.py", "import esl_controller.calls.call"),
    "bridge-layers": ("bridge/wire/frames.py", "import bridge.session.floor"),
    "database": ("esl_controller/record/journal.py", "import psycopg2"),
    "websocket-server": ("esl_controller/web/pages.py", "import geventwebsocket"),
    "websocket-client": ("bridge/session/session.py", "import websocket"),
    "http-client": ("bridge/providers/host.py", "import urllib3"),
    "websockets": ("bridge/server.py", "import websockets"),
    "greenswitch": ("esl_controller/calls/call.py", "import greenswitch"),
    "compiled-core": ("bridge/audio/resampler.py", "import voice_ai_switch_core"),
    "sealed-keys": ("esl_controller/web/pages.py", "import nacl.public"),
    "mcp": ("esl_controller/services/mcp.py", "import mcp"),
}
"""Contract, and a line in a module that breaks it."""


def lint_imports(directory: Path) -> dict[str, bool]:
    """Names of contracts, and whether they are kept."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60)
    found = re.findall(r"^(.*) (KEPT|BROKEN)\b", run.stdout, re.MULTILINE)
    assert found, run.stdout + run.stderr
    return {name: state == "KEPT" for name, state in found}


def names() -> dict[str, str]:
    """Key of each contract in setup.cfg, and its name."""
    config, prefix = setup_cfg(), "importlinter:contract:"
    return {
        section.removeprefix(prefix): config[section]["name"]
        for section in config.sections()
        if section.startswith(prefix)
    }


def test_every_contract_holds() -> None:
    assert lint_imports(ROOT) == dict.fromkeys(names().values(), True)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """The contracts in a copy of the project where each is broken by one line."""
    copy = tmp_path_factory.mktemp("broken")
    shutil.copy(ROOT / "setup.cfg", copy)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("*.pyc"))
    for file, line in OFFENCES.values():
        with (copy / file).open("a") as module:
            module.write(f"\n{line}\n")
    return lint_imports(copy)


@pytest.mark.parametrize("key", names())
def test_every_contract_bites(broken: dict[str, bool], key: str) -> None:
    assert key in OFFENCES, "say in OFFENCES how this contract can be broken"
    assert broken[names()[key]] is False


def test_of_the_programs_beside_the_service_only_the_pages_know_the_interface() -> None:
    """docs/generate.py writes docs/api.md from it; measurements go in by the front door."""
    importers = {
        path.relative_to(ROOT).as_posix()
        for path in sources("docs", "bench")
        for node in imports(path)
        if "esl_controller.web.api" in ast.unparse(node)
    }
    assert importers == {"docs/generate.py"}


def test_every_pure_module_is_under_the_contract() -> None:
    """A module of the bridge or the Event Socket that is pure by nature stays pure by rule."""
    graph = grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)
    graph.remove_import(importer="bridge.audio.soxr_stage", imported="os")
    forbidden = [name for name in contract("pure", "forbidden_modules") if name in graph.modules]
    ours = {n for n in graph.modules if n.startswith(("bridge.", "esl_controller.esl."))}
    pure = {
        name
        for name in ours
        if not graph.find_children(name)
        and not any(graph.chain_exists(importer=name, imported=other) for other in forbidden)
    }
    assert pure - set(contract("pure", "source_modules")) == set(), "add these to setup.cfg"


def test_package_files_import_nothing() -> None:
    """Importing one module must not bring in its whole neighbourhood."""
    packages = [path for path in sources(*PACKAGES, "tests") if path.name == "__init__.py"]
    assert len(packages) > 10
    assert [path for path in packages if imports(path)] == []
