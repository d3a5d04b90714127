"""The ways an answer reaches the caller, and the modules that differ in them.

Settings name them, `bridge.playout.editions` tells how the modules differ, and
`bridge.playout.registry` makes them.
"""

from __future__ import annotations

import enum


class PlayoutMode(enum.Enum):
    """What carries our audio into FreeSWITCH."""

    UNICAST = "unicast"
    """Datagrams to FreeSWITCH's own Event Socket `unicast`; needs no module."""
    BINARY = "binary"
    """Binary WebSocket messages, played by the audio module."""
    JSON = "json"
    """`streamAudio` text messages, played by the audio module."""
    FILE = "file"
    """`streamAudio` text messages, written to files by the module, which the call plays."""


class Flavour(enum.Enum):
    """Audio modules for FreeSWITCH that play each in its own way."""

    OPEN = "open"
    """amigniter/mod_audio_stream, open-source edition: plays nothing by itself."""
    CLOSED_1_0_3 = "1.0.3"
    """The same module's closed-source edition."""
    CLOSED_1_1_0 = "1.1.0"
    """The same of October 2026."""
    ALCHEMILLA = "alchemilla"
    """AlchemillaHQ's rewrite, which follows the 1.0.3 contract."""
    CLOUDFIELDCZ = "cloudfieldcz"
    JAMBONZ = "jambonz"
    """jambonz mod_audio_fork."""
    VOXCOM_US = "voxcom-us"
    JULIANOTARGA = "julianotarga"
    EARSHOT = "earshot"
    """mod_earshot, in place of mod_audio_stream."""
