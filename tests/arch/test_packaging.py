"""What is installed holds everything the program reads."""

from __future__ import annotations

import configparser

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
