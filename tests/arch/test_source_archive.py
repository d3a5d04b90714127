"""The source archive of a release holds the whole repository."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
BY_ITSELF = {"README.md", "setup.cfg", "setup.py", "MANIFEST.in", "esl_controller", "bridge"}
"""What setuptools puts there: its own files, and the packages."""


def test_the_source_archive_holds_everything() -> None:
    """`make test`, `make bench` and `make docs-site` are for who has the archive, too."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines()]
    named = {name for line in lines if line[:1] in (["include"], ["graft"]) for name in line[1:]}
    there = {
        path.name
        for path in ROOT.iterdir()
        if path.name not in (".git", "PKG-INFO")
        and not any(fnmatch(path.name, pattern) for pattern in ignored)
    }
    assert there - BY_ITSELF - named == set()
