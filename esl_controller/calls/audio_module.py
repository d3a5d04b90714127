"""Which edition of mod_audio_stream FreeSWITCH has, told from what its commands answer.

Pure: the caller asks FreeSWITCH. Answers were recorded on FreeSWITCH 1.11.1 with each edition.
"""

from __future__ import annotations

import re

from bridge.playout.modes import Flavour, PlayoutMode, needs_idle_silence

_PLAY_RAW = (Flavour.CLOSED_1_0_3, Flavour.ALCHEMILLA, Flavour.CLOUDFIELDCZ)
USAGE_COMMAND = "uuid_audio_stream"
"""Run without arguments it answers `-USAGE: …`, which differs between editions."""


def editions(usage: str) -> tuple[Flavour, ...]:
    """Editions that answer like this, likeliest first; empty when there is no module.

    The open edition and two of its forks give the same text: only a setting can tell them apart.
    """
    if not usage.startswith("-USAGE"):
        return ()
    if re.search(r"\|\s*break\b", usage):
        return (Flavour.CLOSED_1_0_3, Flavour.ALCHEMILLA)
    if "pcmu" in usage:
        return (Flavour.JULIANOTARGA,)
    return (Flavour.OPEN, Flavour.VOXCOM_US, Flavour.CLOUDFIELDCZ)


def best_playback(flavour: Flavour | None) -> PlayoutMode:
    """What `media.playback = auto` means with this module; None is no module at all.

    `unicast` is exact and fast. A module that itself plays raw audio as exactly needs no further
    port; and beside `unicast` such a module, which replaces what FreeSWITCH writes, can leave an
    L16 channel that never ends (observed with cloudfieldcz and AlchemillaHQ).
    """
    return PlayoutMode.BINARY if flavour in _PLAY_RAW else PlayoutMode.UNICAST


def without_unicast(flavour: Flavour | None) -> tuple[PlayoutMode, Flavour] | None:
    """How to play when `unicast` ended in mid-call; None when nothing is left.

    A parked channel on which unicast played sends no idle silence, and it is too late to ask for
    it: modules that replace what FreeSWITCH writes would be silent.
    """
    if flavour is Flavour.OPEN:
        return PlayoutMode.FILE, flavour
    if flavour is None or needs_idle_silence(PlayoutMode.JSON, flavour):
        return None
    return PlayoutMode.JSON, flavour
