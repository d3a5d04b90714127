"""What is shipped is what was tried: locks, licences, the version, fragments of changes."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from esl_controller import __version__
from tests.arch.tree import ROOT, setup_cfg


def _supply() -> ModuleType:
    spec = importlib.util.spec_from_file_location("supply", ROOT / "deploy" / "supply.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules["supply"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


supply = _supply()
LOCKED = {
    name: set(supply.pinned((supply.LOCKS / f"{name}.txt").read_text("utf-8")))
    for name in supply.EXTRAS
}


def wanted(name: str) -> list[Requirement]:
    config = setup_cfg()
    lines = config["options"]["install_requires"]
    if name != "service":
        lines += "\n" + config["options.extras_require"][name]
    return [Requirement(line) for line in lines.splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize("name", supply.EXTRAS)
def test_a_lock_holds_what_setup_cfg_wants(name: str) -> None:
    """A requirement that was added or moved without `make lock` would fail on the host."""
    for requirement in wanted(name):
        versions = [
            one.version for one in LOCKED[name] if one.name == supply.normal(requirement.name)
        ]
        assert versions, requirement
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_every_extra_an_operator_may_want_has_a_lock() -> None:
    extras = set(setup_cfg()["options.extras_require"])
    assert extras - {"bench", "compiled", "demo", "dev"} == set(supply.EXTRAS) - {"service"}


@pytest.mark.parametrize("name", ["build", *supply.EXTRAS])
def test_every_package_of_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (supply.LOCKS / f"{name}.txt").read_text("utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


def test_the_extras_agree_with_the_service() -> None:
    service = {one.name: one.version for one in LOCKED["service"]}
    for name, packages in LOCKED.items():
        theirs = {one.name: one.version for one in packages if one.name in service}
        assert {key: service[key] for key in theirs} == theirs, name


def test_the_licences_are_those_of_the_locks_and_none_binds_the_service() -> None:
    page = supply.LICENCES.read_text("utf-8")
    rows = {
        supply.Package(*found)
        for found in re.findall(r"^\| (\S+) \| (\d\S*) \| (.+) \|$", page, re.M)
    }
    assert {(one.name, one.version) for one in rows} == {
        (one.name, one.version) for packages in LOCKED.values() for one in packages
    }
    service = {(one.name, one.version) for one in LOCKED["service"] | LOCKED["mcp"]}
    ours = [one for one in rows if (one.name, one.version) in service]
    # LGPL (psycopg2, soxr) is fine for what is loaded at run time; GPL and AGPL would be ours.
    bound = [one for one in ours if re.search(r"(?<![L])\bA?GPL|Affero", one.licence)]
    assert bound == []


def test_what_other_systems_install_is_left_out() -> None:
    lock = (
        "one==1 ; sys_platform == 'win32' \\\n    --hash=sha256:aa\n"
        "two==2 ; python_full_version >= '3.13' \\\n    --hash=sha256:bb\n"
    )
    assert supply.for_linux(lock) == lock[lock.index("two") :]


def test_a_release_tells_its_own_changes_alone() -> None:
    changelog = "# Changes\n\n## 0.2.0, 2027-01-01\n\n- New.\n\n## 0.1.0, 2026-12-01\n\n- Old.\n"
    assert supply.changes("0.2.0", changelog) == "- New."
    assert supply.changes("0.1.0", changelog) == "- Old."
    with pytest.raises(ValueError, match=r"0\.3\.0"):
        supply.changes("0.3.0", changelog)


def test_the_version_stands_in_one_place() -> None:
    app = (ROOT / "fusionpbx_app" / "voice_secretary" / "app_config.php").read_text("utf-8")
    assert f"['version'] = '{__version__}';" in app
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert supply.changes(__version__, changelog)


def test_fragments_have_a_kind_and_say_something() -> None:
    kinds = re.findall(r'^directory = "(\w+)"$', (ROOT / "towncrier.toml").read_text("utf-8"), re.M)
    for path in (ROOT / "changelog.d").iterdir():
        if path.name != "README.md":
            assert re.fullmatch(rf"[\w-]+\.({'|'.join(kinds)})\.md", path.name), path.name
            assert path.read_text("utf-8").strip(), path.name
