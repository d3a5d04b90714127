"""Which audio module FreeSWITCH has: asked on a call's own connection, and remembered."""

from __future__ import annotations

import time

from bridge.playout.modes import Flavour
from esl_controller.calls.audio_module import USAGE_COMMAND, editions
from esl_controller.esl.errors import EslError
from esl_controller.esl.session import ControllerSession

BELIEVED_S = 60.0
"""How long an answer of FreeSWITCH's is believed."""


class InstalledModule:
    """The module the settings name, else the one FreeSWITCH says it has; None is no module."""

    def __init__(self, named: str) -> None:
        """`named` is an edition, or `auto`."""
        self._named = None if named == "auto" else Flavour(named)
        self._found: tuple[float, Flavour | None] | None = None

    def __call__(self, esl: ControllerSession) -> Flavour | None:
        """May wait for FreeSWITCH. When it cannot be asked, what was found last is still true."""
        if self._named is not None:
            return self._named
        now = time.monotonic()
        if self._found is None or now - self._found[0] > BELIEVED_S:
            try:
                found = editions(esl.api(USAGE_COMMAND, check=False))
            except EslError:
                return self._found[1] if self._found is not None else Flavour.OPEN
            self._found = (now, found[0] if found else None)
        return self._found[1]
