"""Event Socket bytes recorded between FreeSWITCH 1.11.1 and a test server, per connection.

`NAME.eslK.fs2app.bin` is what FreeSWITCH sent, `….app2fs.bin` what it was sent. The machine's own
addresses were replaced at equal length; nothing else was touched.
"""

from __future__ import annotations

import functools
import pathlib
import tarfile

_ARCHIVE = pathlib.Path(__file__).with_name("captures.tar.xz")


@functools.cache
def _files() -> dict[str, bytes]:
    with tarfile.open(_ARCHIVE) as archive:
        members = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in members.items() if file is not None}


def received() -> dict[str, bytes]:
    """What FreeSWITCH sent, by conversation."""
    return _ending(".fs2app.bin")


def sent() -> dict[str, bytes]:
    """What FreeSWITCH was sent, by conversation."""
    return _ending(".app2fs.bin")


def _ending(suffix: str) -> dict[str, bytes]:
    files = _files()
    return {name.removesuffix(suffix): files[name] for name in files if name.endswith(suffix)}
