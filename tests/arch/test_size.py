"""Nothing grows out of sight."""

from __future__ import annotations

from tests.arch.tree import PACKAGES, ROOT, sources

MAX_LINES = 400
"""A longer file holds a second responsibility."""


def test_no_file_is_longer_than_can_be_seen() -> None:
    roots = (*PACKAGES, "tests", "bench", "lua", "fusionpbx_app")
    files = sources(*roots, suffixes=(".py", ".lua", ".php"))
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in files
    }
    assert len(lengths) > 100
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}
