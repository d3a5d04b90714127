"""A further provider is one folder and one word in the registry."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bridge.providers.registry import DESCRIPTORS, KINDS
from tests.arch.tree import PACKAGES, ROOT, imports, sources

FOLDERS = {
    path.parent.name: path.parent for path in (ROOT / "bridge/providers").glob("*/descriptor.py")
}
MAY_NAME_A_KIND = {
    "esl_controller/commands/demo.py": "which emulator it plays",
    "esl_controller/commands/demo_cast.py": "who plays in it",
    "esl_controller/rehearsal/cast.py": "who is emulated in a rehearsal",
    "esl_controller/database/repository/demo.py": "what it plays by itself",
    "bridge/providers/registry.py": "folders, which are called like it",
}
"""Modules that name a kind of provider, and why."""


def test_every_folder_has_a_descriptor_and_is_in_the_registry() -> None:
    packages = {path.parent.name for path in (ROOT / "bridge/providers").glob("*/__init__.py")}
    assert set(FOLDERS) == packages
    assert {one.spoken.config.__module__.split(".")[2] for one in DESCRIPTORS.values()} == packages


def _imported(path: Path) -> Iterator[str]:
    for node in imports(path):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def foreign_imports(root: Path) -> list[str]:
    """Imports of a provider's folder from outside it."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            for name in _imported(path):
                folder = name.removeprefix("bridge.providers.").partition(".")[0]
                own = path.parent.name == folder and path.parent.parent.name == "providers"
                if name.startswith("bridge.providers.") and folder in FOLDERS and not own:
                    found.append(f"{path.relative_to(root)}: {name}")
    return found


def test_nobody_but_the_registry_knows_a_provider(tmp_path: Path) -> None:
    assert foreign_imports(ROOT) == []
    session = tmp_path / "bridge/session/session.py"
    session.parent.mkdir(parents=True)
    session.write_text("from bridge.providers.openai import realtime\n")
    assert foreign_imports(tmp_path)[0].startswith("bridge/session/session.py: bridge.providers.")


def _words(path: Path) -> set[str]:
    """Texts of a module that are a word: neither a docstring nor a sentence."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_nothing_else_names_a_kind() -> None:
    """What a kind is like is asked of its descriptor, where the next one will be too."""
    named = {
        path.relative_to(ROOT).as_posix()
        for path in sources(*PACKAGES)
        if "simulator" not in path.parts and path.parent.parent.name != "providers"
        if _words(path) & {*KINDS}
    }
    assert named <= MAY_NAME_A_KIND.keys()


FIFTH = """
from bridge.providers.descriptor import Descriptor, Interface, Model, Spoken
from bridge.providers.fifth.config import FifthConfig, Fifth

DESCRIPTOR = Descriptor(
    kind="fifth",
    label="Fifth",
    spoken=Spoken(name="fifth", config=FifthConfig, make=Fifth, vendor="fifth",
                  wishes=lambda secretary: {"voice": secretary.voice_id}),
    interfaces=(Interface(protocol="fifth", formats=("pcmu",), features=()),),
    hosts={"base_url": "api.fifth.example"},
    key_variables={"": ("FIFTH_API_KEY",)},
    models=(Model(id="fifth-1", vendor="fifth", role="speech"),),
)
"""
CONFIG = """
from dataclasses import dataclass, field

from bridge.providers.descriptor import setting


class Fifth:
    def __init__(self, config):
        self.config = config


@dataclass(frozen=True, slots=True)
class FifthConfig:
    api_key: str = field(repr=False)
    headers: dict = field(default_factory=dict, repr=False)
    model: str = "fifth-1"
    voice: str | None = setting(None, "Its voice.")

    def problems(self):
        return []
"""
ASKED = """
from esl_controller.database.models import ProviderAccess
from esl_controller.settings.loader import load_settings
from esl_controller.settings.types import Secret
from esl_controller.telemetry.catalogue import CALLS
from esl_controller.tenants import rules
from esl_controller.tenants.hosts import OWN_HOSTS
from esl_controller.tenants.providers import provider_protocol, spoken_kinds
from esl_controller.web.api.registry import known_providers

row = {"voice_realtime_provider_uuid": "9d2b5a2e-4d1e-4f6e-8f9f-1a2b3c4d5e6f",
       "domain_uuid": "9d2b5a2e-4d1e-4f6e-8f9f-1a2b3c4d5e6f", "provider_label": "it",
       "realtime_provider": "fifth", "provider_settings": {"voice": "low"}, "headers": {},
       "credential": "sealed:1:x", "model": "fifth-1", "default_voice_id": None, "base_url": None,
       "priority": 1, "max_concurrent_calls": None, "enabled": True}
config = rules.provider(row)
protocol = provider_protocol(ProviderAccess(config, Secret("key")))
assert protocol.config.api_key == "key" and protocol.config.voice == "low"
assert OWN_HOSTS["fifth"] == "api.fifth.example"
assert "fifth" in CALLS.values[0] and spoken_kinds()["fifth"] == {"model", "voice"}
settings = load_settings({"VOICE_AI_PROVIDER_NAME": "fifth", "FIFTH_API_KEY": "k"})
assert settings.provider.api_key.reveal() == "k"
assert "FIFTH_API_KEY" in settings.provider.key_variables
(shown,) = [one for one in known_providers(None) if one.kind == "fifth"]
assert [field.name for field in shown.fields] == ["model", "voice"]
print("known everywhere")
"""


def test_a_fifth_provider_is_one_folder_and_one_word(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=_no_bytecode, symlinks=False)
    folder = tmp_path / "bridge/providers/fifth"
    folder.mkdir()
    for name, text in {"__init__": "", "config": CONFIG, "descriptor": FIFTH}.items():
        (folder / f"{name}.py").write_text(text)
    registry = tmp_path / "bridge/providers/registry.py"
    text = registry.read_text("utf-8")
    assert text.count('"pipeline")') == 1
    registry.write_text(text.replace('"pipeline")', '"pipeline", "fifth")'))
    run = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert run.stdout == "known everywhere\n", run.stderr


def _no_bytecode(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("__pycache__", "sounds")]
