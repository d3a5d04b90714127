"""A recording's states, and where its file is. Pure."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import datetime

from bridge.state_table import StateTable

_FOLDER = re.compile(r"(?!\.)[\w.-]{1,255}")


class State(enum.Enum):
    """Of one recording."""

    OFF = "off"
    UNTOLD = "untold"
    """Begun, and silence until the caller has heard of it."""
    ON = "on"
    PAUSED = "paused"
    OVER = "over"


class Change(enum.Enum):
    """What moves it."""

    BEGIN_UNTOLD = "begin_untold"
    BEGIN = "begin"
    TOLD = "told"
    PAUSE = "pause"
    GO_ON = "go_on"
    STOP = "stop"


_S, _C = State, Change
RECORDING_TABLE = StateTable[State, Change](
    _S.OFF,
    {
        _S.OFF: {_C.BEGIN_UNTOLD: _S.UNTOLD, _C.BEGIN: _S.ON, _C.STOP: _S.OVER},
        _S.UNTOLD: {_C.TOLD: _S.ON, _C.STOP: _S.OVER},
        _S.ON: {_C.PAUSE: _S.PAUSED, _C.STOP: _S.OVER},
        _S.PAUSED: {_C.GO_ON: _S.ON, _C.STOP: _S.OVER},
        _S.OVER: {},
    },
)


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """Where FreeSWITCH writes."""

    path: str
    name: str
    adopted: bool = False
    """The dialplan was recording already; where it began is not known."""

    @property
    def whole(self) -> str:
        """As `uuid_record` takes it."""
        return f"{self.path}/{self.name}"


def file_of(directory: str, domain_name: str, base: str, now: datetime) -> RecordingFile:
    """The place FusionPBX's own recordings of a domain have (its dialplan `user_record`).

    Raises ValueError for a domain whose name is no name of a folder.
    """
    if not _FOLDER.fullmatch(domain_name):
        raise ValueError(f"domain {domain_name!r} is no name of a folder")
    folder = f"{directory.rstrip('/')}/{domain_name}/archive/{now:%Y/%b/%d}"
    return RecordingFile(folder, f"{base}.wav")
