"""The small types requests are made of, each with its limits: checks and document are the same.

A pattern's `$` also fits before a last line feed (Python's `re`); nothing relies on it not to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

_UUID = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_NUMBER = "^[0-9A-Za-z+*#][0-9A-Za-z+*#._-]*$"

Uuid = Annotated[str, msgspec.Meta(pattern=_UUID, min_length=36, max_length=36)]
CallUuid = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9A-Za-z][0-9A-Za-z._@-]*$",
        max_length=255,
        description="FreeSWITCH's channel UUID.",
    ),
]
Extension = Annotated[
    str,
    msgspec.Meta(
        pattern=_NUMBER, max_length=32, description="A number of the domain.", examples=["8001"]
    ),
]
Caller = Annotated[
    str, msgspec.Meta(pattern=_NUMBER, max_length=64, description="The caller's number.")
]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""Date, time and offset (RFC 3339)."""
Cursor = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9A-Za-z_-]+$",
        max_length=200,
        description="`next` of the page before.",
    ),
]
