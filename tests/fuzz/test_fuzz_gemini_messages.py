from __future__ import annotations

import random
from pathlib import Path

import pytest

from . import fuzz_gemini_messages
from .fuzz_gemini_messages import SEPARATOR
from .test_fuzz_openai_messages import damaged

FOLDER = Path(__file__).parents[1] / "wire" / "gemini"
CORPUS = {
    path.stem: [line[2:] for line in path.read_bytes().splitlines() if line[:2] in (b"< ", b"> ")]
    for path in sorted(FOLDER.glob("*.txt"))
}


@pytest.mark.parametrize("name", CORPUS)
def test_corpus(name: str) -> None:
    fuzz_gemini_messages.test_one_input(SEPARATOR.join(CORPUS[name]))


@pytest.mark.parametrize("name", CORPUS)
def test_damaged(name: str) -> None:
    """Values replaced inside messages that are otherwise sound."""
    dice = random.Random(name)
    for _ in range(15):
        lines = [damaged(line, dice) for line in CORPUS[name]]
        fuzz_gemini_messages.test_one_input(SEPARATOR.join(lines))
