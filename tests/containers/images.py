"""Images by the names that Dockerfile and compose.yaml give, made of Debian's packages.

No registry of images is asked. What stands in for an image does what that image promises and
compose.yaml counts on: which variables, secrets, files and ports it reads, as its own documentation
has it. That the image itself works is its makers' business.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from tests.arch.tree import ROOT
from tests.containers.engine import Engine
from tests.host import debian, dockerfile

STANDINS = Path(__file__).with_name("standins")
_PIP = "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n"


def python_base(engine: Engine, root: Path) -> str:
    """The FROM of the Dockerfile: a Debian 12 made in `root`, with Python. Its name."""
    written = dockerfile.instructions(ROOT / "Dockerfile")
    (name,) = {rest.split()[0] for instruction, rest in written if instruction == "FROM"}
    if engine.try_docker("image", "inspect", name).returncode == 0:
        return name
    debian.make(root, "python3", "python3-venv", "python3-dev", "python-is-python3")
    # As this machine reaches an index; no address is written down.
    index = os.environ.get("PIP_INDEX_URL")
    pip = _PIP + (f"index-url = {index}\n" if index else "")
    (root / "etc/pip.conf").write_text(pip)
    with subprocess.Popen(["tar", "--create", "-C", root, "."], stdout=subprocess.PIPE) as packed:
        engine.docker("import", "-", name, stdin=packed.stdout)
    assert packed.returncode == 0
    return name


def of_others(engine: Engine, image: str) -> list[str]:
    """A stand-in for each image that compose.yaml does not build; their names."""
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))["services"]
    made = []
    for name, service in services.items():
        place = STANDINS / name.replace("-", "_")
        if place.is_dir():
            wanted = service["image"].replace("${TURN_BASED_IMAGE:-", "").rstrip("}")
            engine.docker(
                *(
                    "build",
                    "--network=host",
                    "--build-arg",
                    f"BASE={image}",
                    "--tag",
                    wanted,
                    place,
                ),
                timeout_s=900,
            )
            made.append(wanted)
    return made
