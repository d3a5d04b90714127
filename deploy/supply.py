"""What we ship, and what it is made of: locks, licences, and the files of a release.

    make lock       deploy/locks/*.txt (versions and hashes) and docs/licences.md
    make release    build/release/: wheel, source, bill of materials, checksums, page

It runs in an environment of its own (`.venv-release`), never on a host that answers calls.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "deploy" / "locks"
LICENCES = ROOT / "docs" / "licences.md"
OUT = ROOT / "build" / "release"
TOOLS = Path(sys.executable).parent

EXTRAS = {
    "service": "the workers",
    "mcp": "the process that speaks with tenants' MCP servers",
    "speech": "the speech process",
    "turns": "the speech process: the turn model",
    "whisper": "the speech process: hearing other languages than English",
}
"""Each lock and what runs it; all but `service` are extras of setup.cfg and come on top of it."""
TOLD_ELSEWHERE = {
    "audioop-lts": "PSF-2.0",  # its LICENSE; only Python 3.13 installs it
    "gevent-websocket": "Apache-2.0",  # its LICENSE; the metadata holds the author's name there
}
"""Licences that the metadata of what is installed here does not tell."""
BUILD = ("setuptools>=80,<81", "wheel")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")


@dataclass(frozen=True, order=True)
class Package:
    """One package that is installed."""

    name: str
    version: str
    licence: str = ""


def normal(name: str) -> str:
    """A package's name in the one spelling that index and locks share (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(text: str) -> Iterator[Package]:
    """The packages of a lock; a package may stand twice, for different versions of Python."""
    for line in text.splitlines():
        found = _PINNED.match(line)
        if found:
            yield Package(normal(found[1]), found[2])


def for_linux(lock: str) -> str:
    """A lock without what only other systems install."""
    from packaging.requirements import Requirement

    pythons = [
        {"python_version": v, "python_full_version": f"{v}.0", "sys_platform": "linux"}
        for v in ("3.11", "3.12", "3.13")
    ]
    kept = []
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.M):
        marker = block and Requirement(block.partition("\\")[0]).marker
        if not marker or any(marker.evaluate(python) for python in pythons):
            kept.append(block)
    return "".join(kept)


def changes(version: str, changelog: str) -> str:
    """The section of a version, without its heading.

    Raises:
        ValueError: the changelog has no such section.
    """
    wanted = re.search(rf"^## {re.escape(version)}\b.*?\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if wanted is None:
        raise ValueError(f"CHANGELOG.md has no section for {version}")
    return wanted[1].strip()


def licences_page(by_lock: dict[str, Iterable[Package]]) -> str:
    """The text of docs/licences.md; a package is told where it is installed first."""
    lines = [
        "# Licences of what is installed",
        "",
        "Made by `make lock` from the packages' own metadata. The program itself is under the MIT",
        "licence. What is copyleft (piper-tts) runs in the speech process, which shares no process",
        "with the service.",
    ]
    seen: set[Package] = set()
    for lock, packages in by_lock.items():
        lines += [
            "",
            f"## {lock}: {EXTRAS[lock]}",
            "",
            "| package | version | licence |",
            "|---|---|---|",
        ]
        fresh = sorted(set(packages) - seen)
        lines += [f"| {one.name} | {one.version} | {one.licence} |" for one in fresh]
        seen |= set(fresh)
    return "\n".join(lines) + "\n"


def release_page(version: str, changed: str, sums: str) -> str:
    """The page that goes with the files of a release."""
    return f"""# voice-ai-switch {version}

## Check what you have

```sh
sha256sum --check SHA256SUMS
```

```
{sums.strip()}
```

`*.cdx.json` is the bill of materials (CycloneDX) of the workers, `licences.md` says under which
licence each part is. Versions and hashes of everything that is installed are in `deploy/locks/` of
the source, and `deploy/service` and `deploy/upgrade` install nothing else.

## Install or upgrade

Unpack the source, then `deploy/service` on a new host or `deploy/upgrade` on one that runs:
docs/deploy.md.

## What changed

{changed}
"""


def lock() -> None:
    """Write every lock anew, then the page of licences."""
    LOCKS.mkdir(exist_ok=True)
    build = _compile(["-"], "build", given="\n".join(BUILD))
    service = _compile(["setup.py"], "service")
    for extra in EXTRAS:
        if extra != "service":
            _compile(["setup.py", "--extra", extra, "--constraint", str(service)], extra)
    found: dict[str, Iterable[Package]] = {}
    for name in EXTRAS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = _licences(
                _environment(Path(folder), [build, LOCKS / f"{name}.txt"]), name
            )
    LICENCES.write_text(licences_page(found), "utf-8")


def release() -> None:
    """Make the files of a release; the version is the program's own."""
    from esl_controller import __version__ as version

    changed = changes(version, (ROOT / "CHANGELOG.md").read_text("utf-8"))
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    stamp = _said("git", "log", "-1", "--format=%ct").strip()
    _run(
        sys.executable, "-m", "build", "--no-isolation", "--outdir", str(OUT), str(ROOT),
        env={**os.environ, "SOURCE_DATE_EPOCH": stamp},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        python = _environment(Path(folder), [LOCKS / "build.txt", LOCKS / "service.txt"])
        wheel = next(OUT.glob("*.whl"))
        _run(str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel))
        _bill_of_materials(python, OUT / f"voice-ai-switch-{version}.cdx.json")
    (OUT / "licences.md").write_bytes(LICENCES.read_bytes())
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(OUT.iterdir())
    )
    (OUT / "SHA256SUMS").write_text(sums, "utf-8")
    (OUT / "RELEASE.md").write_text(release_page(version, changed, sums), "utf-8")
    sys.stdout.write("".join(f"{path.relative_to(ROOT)}\n" for path in sorted(OUT.iterdir())))


def _compile(arguments: Sequence[str], name: str, given: str = "") -> Path:
    path = LOCKS / f"{name}.txt"
    _run(
        str(TOOLS / "uv"), "pip", "compile", *arguments, "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--quiet",
        "--upgrade", "--output-file", str(path), given=given,
    )  # fmt: skip
    head = "# Made by `make lock`: every package the program may install, by version and hash.\n"
    path.write_text(head + for_linux(path.read_text("utf-8")), "utf-8")
    return path


def _environment(folder: Path, locks: Iterable[Path]) -> Path:
    """An environment with what the locks say and nothing else; its Python."""
    _run(sys.executable, "-m", "venv", str(folder))
    python = folder / "bin" / "python"
    for path in locks:
        _run(
            str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--require-hashes", "--requirement", str(path),
        )  # fmt: skip
    return python


def _licences(python: Path, name: str) -> list[Package]:
    told = _said(str(TOOLS / "pip-licenses"), f"--python={python}", "--from=mixed", "--format=json")
    by_name = {normal(row["Name"]): " ".join(row["License"].split()) for row in json.loads(told)}
    by_name |= TOLD_ELSEWHERE
    wanted = set(pinned((LOCKS / f"{name}.txt").read_text("utf-8")))
    if unknown := {one.name for one in wanted} - set(by_name):
        raise SystemExit(f"look up the licences of {unknown} and add them to TOLD_ELSEWHERE")
    return [Package(one.name, one.version, by_name[one.name][:60]) for one in wanted]


def _bill_of_materials(python: Path, path: Path) -> None:
    _run(
        str(TOOLS / "cyclonedx-py"), "environment", str(python), "--output-format", "JSON",
        "--output-reproducible", "--output-file", str(path),
    )  # fmt: skip
    told = json.loads(path.read_text("utf-8"))
    ours = [one for one in told["components"] if one["name"] == "voice-ai-switch"]
    # The tools that installed it are not part of it.
    tools = {"pip", "setuptools", "wheel", "packaging"}
    told["components"] = [
        one for one in told["components"] if one["name"] not in tools and one not in ours
    ]
    us = {**ours[0], "type": "application"}
    us.pop("externalReferences", None)  # the folder it was built in
    told.setdefault("metadata", {})["component"] = us
    kept = {one["bom-ref"] for one in [*told["components"], *ours]}
    told["dependencies"] = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", []) if ref in kept]}
        for one in told["dependencies"]
        if one["ref"] in kept
    ]
    path.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", "utf-8")


def _run(*command: str, given: str = "", env: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=ROOT, check=True, text=True, input=given, env=env)


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    {"lock": lock, "release": release}[sys.argv[1]]()
