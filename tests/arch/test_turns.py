"""Long work is cut where the sound of other calls goes first."""

from __future__ import annotations

import ast

from tests.arch.tree import PACKAGES, ROOT, sources


def no_turn_for_others(source: str) -> list[int]:
    """Lines that call `sleep(0)`, which lets no socket and no timer have its turn."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if ast.unparse(call).rpartition(".")[2] == "sleep(0)"]


def test_work_is_cut_by_others_first() -> None:
    found = {
        str(path.relative_to(ROOT)): lines
        for path in sources(*PACKAGES)
        if "simulator" not in path.parts and (lines := no_turn_for_others(path.read_text("utf-8")))
    }
    assert found == {}, "use bridge.wire.turns.others_first"


def test_it_would_be_found() -> None:
    assert no_turn_for_others(
        "import gevent\nwork(lambda: gevent.sleep(0))\ngevent.sleep(0.1)"
    ) == [2]
