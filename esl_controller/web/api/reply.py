"""What is sent back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. A body that is not bytes is sent piece by piece, and closed at the end."""

    status: HTTPStatus
    body: bytes | Iterable[bytes]
    content_type: str = "application/json"
    headers: tuple[Header, ...] = ()
