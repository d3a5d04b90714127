"""A Debian 12 in a folder: made by debootstrap, entered in namespaces of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
_ENTER = """
set -e
mount --make-rprivate /
mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"
cp /etc/resolv.conf "$0/etc/resolv.conf"
root=$0; cd /
if [ -n "$ALONE" ]; then ip link set lo up; fi
exec chroot $CHROOT_USER "$root" "$@"
"""
"""Run by unshare: what it mounts goes with it."""


def make(root: Path, *packages: str) -> None:
    """The base system with these packages."""
    debootstrap = shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert debootstrap, "apt-get install debootstrap"
    wanted = ",".join(("ca-certificates", *packages))
    subprocess.run(
        [debootstrap, "--variant=minbase", f"--include={wanted}", "bookworm", root, MIRROR],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    # Where this machine trusts an authority of its own (a proxy), so must what runs in there.
    ours = root / "etc/ssl/certs/ca-certificates.crt"
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", ours)


def run(
    root: Path,
    *command: str,
    user: str = "",
    cwd: str = "/",
    alone: bool = False,
    **environ: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command in there, on the network of this machine or, `alone`, a loopback of its own."""
    own = {"HOME": "/root", "LANG": "C.UTF-8", **environ}
    own.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    named = [f"{key}={value}" for key, value in own.items()]
    inside = ["env", "-i", f"--chdir={cwd}", *named, *command]
    net = ["--net"] if alone else []
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *net]
    return subprocess.run(
        [*unshare, "bash", "-c", _ENTER, str(root), *inside],
        env={
            **os.environ,
            "CHROOT_USER": f"--userspec={user or '0:0'}",
            "ALONE": "yes" if alone else "",
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
