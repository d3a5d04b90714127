"""The standard library's C routines on PCM samples, `audioop`, without its notice of removal.

Python 3.11 and 3.12 warn that it goes; from 3.13 on audioop-lts provides it under the same name.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

__all__ = ["audioop"]
