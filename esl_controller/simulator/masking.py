"""Masks of WebSocket frames, by the `websockets` package: not by what the bridge has."""

from __future__ import annotations

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the package's extension
    from websockets.utils import apply_mask

__all__ = ["apply_mask"]
