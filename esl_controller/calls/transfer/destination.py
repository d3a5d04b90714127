"""Whom a caller can be connected to. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What stands behind a number of the tenant's."""

    EXTENSION = "extension"
    RING_GROUP = "ring_group"
    QUEUE = "queue"
    IVR = "ivr"
    EXTERNAL = "external"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True, slots=True)
class Destination:
    """One of them, resolved: nothing in it comes from a model or a caller any more."""

    kind: Kind
    name: str
    """What the caller is told: "sales"."""
    number: str
    """What FusionPBX's dialplan knows it by: a blind transfer goes there, in the domain's own
    context."""
    announceable: bool
    """A person answers. A queue, an IVR and a voicemail answer by themselves: the caller is handed
    over blind, and the model knows it."""
    dial_string: str = ""
    """Endpoint for `originate` when announceable, such as `user/201@tenant.example.com`; made by
    `esl.dialstring`, which refuses what would be read as something else."""
    mailbox: str = ""
    """Number that leads to its mailbox; empty: none is known."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several fit what was said: the caller must choose."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody fits; `near` is who might have been meant."""

    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether it makes sense to ring."""

    state: str
    """free | busy | dnd | forwarded | unregistered | unknown"""
    detail: str = ""
    to: tuple[str, ...] = ()
    """Numbers it is forwarded to. FusionPBX forwards in its dialplan: what its directory says of
    the extension rings its own telephone alone."""
    instead: bool = True
    """Its own telephone is not to be rung: forwarded, not followed."""
