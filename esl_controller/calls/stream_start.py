"""What an audio module must be told to bring the caller's audio: variables, address. Pure."""

from __future__ import annotations

from bridge.playout.editions import EDITIONS
from bridge.playout.modes import Flavour


def stream_variables(module: Flavour | None, token: str, buffer_ms: int) -> list[tuple[str, str]]:
    """What a module needs to be told before it brings the caller's audio."""
    edition = EDITIONS[module or Flavour.OPEN]
    variables = [("STREAM_BUFFER_SIZE", str(buffer_ms)), *edition.variables]
    if not edition.token_in_url:
        variables.insert(0, ("STREAM_EXTRA_HEADERS", f'{{"X-Stream-Token":"{token}"}}'))
    return variables


def token_in_url(module: Flavour | None, token: str) -> str:
    """The end of the address for a module that sends no headers of ours."""
    return f"?token={token}" if EDITIONS[module or Flavour.OPEN].token_in_url else ""
