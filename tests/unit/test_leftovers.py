"""A test run clears away what a killed one left, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.integration.leftovers import PREFIX, YOUNG_S, own_directory


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    left, young, others = (tmp_path / name for name in (f"{PREFIX}left", f"{PREFIX}young", "mine"))
    with own_directory(tmp_path) as running:
        for directory in (left, young, others):
            (directory / "data").mkdir(parents=True)
        long_ago = time.time() - 2 * YOUNG_S
        for directory in (left, running, others):
            os.utime(directory, (long_ago, long_ago))
        with own_directory(tmp_path) as next_one:
            assert set(tmp_path.iterdir()) == {running, young, others, next_one}
    assert set(tmp_path.iterdir()) == {young, others}
