"""Whether a caller's SDP puts us on hold. Pure.

FreeSWITCH raises CHANNEL_HOLD for a re-INVITE only: of a call that begins on hold it says nothing,
neither at the beginning nor when the caller takes us back (switch_core_media.c,
switch_core_media_toggle_hold). What the caller said last is in the channel variable `switch_r_sdp`.
"""

from __future__ import annotations

import re

SDP = "switch_r_sdp"
MAX_CHARS = 16_384
"""More is not looked at: the caller wrote it."""
_DEAF = frozenset({"a=sendonly", "a=inactive"})
_DIRECTIONS = _DEAF | {"a=sendrecv", "a=recvonly"}
_NOWHERE = "c=IN IP4 0.0.0.0"
"""How RFC 2543 phones hold (RFC 3264, 8.4)."""


def holds(sdp: str) -> bool:
    """Whether who wrote it does not want to hear us: what is said of audio counts, else of all."""
    session, *media = re.split(r"^(?=m=)", sdp[:MAX_CHARS], flags=re.MULTILINE)
    audio = next((part for part in media if part.startswith("m=audio")), "")
    direction = _last(audio, _DIRECTIONS) or _last(session, _DIRECTIONS)
    where = _address(audio) or _address(session)
    return direction in _DEAF or where == _NOWHERE


def _last(part: str, wanted: frozenset[str]) -> str:
    found = [line.strip() for line in part.splitlines() if line.strip() in wanted]
    return found[-1] if found else ""


def _address(part: str) -> str:
    return next((line.strip() for line in part.splitlines() if line.startswith("c=")), "")
