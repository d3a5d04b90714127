"""Recordings as files: found and removed, never outside the folder of their own domain."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Stored(NamedTuple):
    """A recording as a conversation's row has it."""

    record_path: str
    record_name: str


class Recordings:
    """The recordings of an installation, below `directory`. Every method reads the disk."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def find(self, domain_name: str, stored: Stored) -> Path | None:
        """The file of a recording; None when it is not on this host, or not this domain's.

        Rows are not believed: links and `..` are followed first, then compared.
        """
        try:
            own = (self._directory / domain_name).resolve()
            file = (Path(stored.record_path) / stored.record_name).resolve()
            inside = own.parent == self._directory.resolve() and file.is_relative_to(own)
            return file if inside and file.is_file() else None
        except (OSError, RuntimeError, ValueError):  # a loop of links; U+0000 in a name
            return None

    def remove(self, domain_name: str, stored: Stored) -> bool:
        """Delete it; False when there is nothing to delete here.

        Raises OSError: it is here and stays.
        """
        file = self.find(domain_name, stored)
        if file is None:
            return False
        file.unlink(missing_ok=True)
        return True
