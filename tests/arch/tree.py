"""The project as the architecture tests see it."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bridge", "esl_controller")


def setup_cfg() -> configparser.ConfigParser:
    """The file that holds the import contracts."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    return config


def contract(name: str, key: str) -> list[str]:
    """A list in one import contract."""
    lines = setup_cfg()[f"importlinter:contract:{name}"][key].splitlines()
    given = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [one for line in given for one in ([line] if "*" not in line else _matching(line))]


def _matching(pattern: str) -> list[str]:
    """Modules that a pattern such as `bridge.providers.*.*` means."""
    found = ROOT.glob(pattern.replace(".", "/") + ".py")
    paths = (path.relative_to(ROOT).with_suffix("") for path in found if path.stem != "__init__")
    return sorted(".".join(path.parts) for path in paths)


def sources(*roots: str, suffixes: tuple[str, ...] = (".py",)) -> Iterator[Path]:
    """Files of the project below `roots`."""
    for root in roots:
        for path in sorted((ROOT / root).rglob("*")):
            if path.suffix in suffixes and "__pycache__" not in path.parts:
                yield path


def imports(path: Path) -> list[ast.stmt]:
    """Import statements anywhere in a file, but for `__future__`."""
    return [
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import)
        or (isinstance(node, ast.ImportFrom) and node.module != "__future__")
    ]
