"""Files of recordings are found in their own domain's folder alone."""

from pathlib import Path

import pytest

from esl_controller.calls.recording_plan import file_of
from esl_controller.record.recordings import Recordings, Stored


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "recordings"
    for name in ("a.example", "b.example"):
        (root / name / "archive").mkdir(parents=True)
        (root / name / "archive" / "call.wav").write_bytes(b"RIFF")
    (tmp_path / "secret").write_bytes(b"key")
    (root / "a.example" / "link.wav").symlink_to(tmp_path / "secret")
    (root / "a.example" / "loop.wav").symlink_to("loop.wav")
    return root


def test_a_recording_is_found(root: Path) -> None:
    stored = Stored(str(root / "a.example" / "archive"), "call.wav")
    assert Recordings(str(root)).find("a.example", stored) == root / "a.example/archive/call.wav"


@pytest.mark.parametrize(
    ("domain", "path", "name"),
    [
        ("a.example", "b.example/archive", "call.wav"),
        ("a.example", "a.example/archive", "../../b.example/archive/call.wav"),
        ("a.example", "a.example", "link.wav"),
        ("a.example", "a.example", "loop.wav"),
        ("a.example", "a.example", "archive"),
        ("a.example", "a.example/archive", "/etc/passwd"),
        ("a.example", "a.example", "x\0.wav"),
        ("a.example", "", "call.wav"),
        ("..", "..", "secret"),
        (".", "b.example/archive", "call.wav"),
        ("", "b.example/archive", "call.wav"),
    ],
)
def test_nothing_else_is(root: Path, domain: str, path: str, name: str) -> None:
    recordings = Recordings(str(root))
    stored = Stored(str(root / path), name)
    assert recordings.find(domain, stored) is None
    assert not recordings.remove(domain, stored)


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden", "", "a b"])
def test_a_domain_that_is_no_folder_is_not_recorded(name: str) -> None:
    from datetime import datetime

    with pytest.raises(ValueError, match="no name of a folder"):
        file_of("/recordings", name, "uuid", datetime(2026, 11, 30))
