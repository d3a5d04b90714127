"""What is installed holds everything the program reads."""

from __future__ import annotations

import configparser
import re
import subprocess

import pytest
from packaging.specifiers import SpecifierSet

from tests.arch.tree import PACKAGES, ROOT, setup_cfg


def patterns(config: configparser.ConfigParser, package: str) -> list[str]:
    return config["options.package_data"][package].split()


def test_every_file_beside_the_code_is_shipped() -> None:
    config = setup_cfg()
    for package in PACKAGES:
        base = ROOT / package
        shipped = {path for pattern in patterns(config, package) for path in base.glob(pattern)}
        # rglob does not follow the link to db/migrations.
        there = {
            path
            for root in (base, base / "database" / "migrations")
            for path in root.rglob("*")
            if path.is_file() and path.suffix not in {".py", ".pyc"}
        }
        assert {str(path.relative_to(ROOT)) for path in there - shipped} == set()


def test_every_pattern_finds_something() -> None:
    config = setup_cfg()
    for package in PACKAGES:
        for pattern in patterns(config, package):
            assert list((ROOT / package).glob(pattern)), pattern


def minors(config: configparser.ConfigParser) -> list[int]:
    """Of the Pythons a distribution names."""
    named = re.findall(r"Python :: 3\.(\d+)", config["metadata"]["classifiers"])
    return [int(one) for one in named]


def test_pythons_are_those_that_pip_takes() -> None:
    config = setup_cfg()
    takes = SpecifierSet(config["options"]["python_requires"])
    assert minors(config) == [one for one in range(40) if f"3.{one}" in takes]
    core = configparser.ConfigParser()
    core.read(ROOT / "compiled/setup.cfg", "utf-8")
    assert set(minors(config)) <= set(minors(core))


@pytest.mark.parametrize("path", ["Makefile", "deploy/service"])
def test_who_installs_asks_for_the_same_pythons(path: str) -> None:
    first, *_, last = minors(setup_cfg())
    text = (ROOT / path).read_text("utf-8")
    assert f"(3, {first}) <= sys.version_info < (3, {last + 1})" in text
    assert f"Python 3.{first} to 3.{last} is needed" in text


def test_the_quick_tests_are_of_those_that_always_run() -> None:
    """pytest takes the last `-m` alone, and what boots machines is not marked as slow."""
    (always,) = re.findall(r" -m '(.*)'", setup_cfg()["tool:pytest"]["addopts"])
    told = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.installed", "test-quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"-m 'not slow and {always}'" in told.stdout
