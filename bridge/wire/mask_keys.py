"""Keys that a client masks its WebSocket frames with."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

_AT_A_TIME = 64


def _fresh() -> list[bytes]:
    """Four bytes each, never used before."""
    pool = os.urandom(4 * _AT_A_TIME)
    return [pool[at : at + 4] for at in range(0, len(pool), 4)]


next_key: Callable[[], bytes] = itertools.chain.from_iterable(iter(_fresh, None)).__next__
"""An unpredictable mask key (RFC 6455 section 10.3), without a system call for each frame."""
