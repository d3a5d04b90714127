"""Which audio module each FreeSWITCH has: asked on a call's own connection, and remembered."""

from __future__ import annotations

import time

from bridge.playout.modes import Flavour
from esl_controller.calls.audio_module import USAGE_COMMAND, editions
from esl_controller.esl.errors import EslError
from esl_controller.esl.session import ControllerSession

BELIEVED_S = 60.0
"""How long an answer of FreeSWITCH's is believed."""
MAX_HOSTS = 256
"""FreeSWITCHes whose answers are remembered."""


class InstalledModule:
    """The module the settings name, else the one FreeSWITCH says it has; None is no module."""

    def __init__(self, named: str) -> None:
        """`named` is an edition, or `auto`."""
        self._named = None if named == "auto" else Flavour(named)
        self._found: dict[str, tuple[float, Flavour | None]] = {}
        """By FreeSWITCH's address; there are as many as may connect."""

    def __call__(self, esl: ControllerSession) -> Flavour | None:
        """May wait for FreeSWITCH. When it cannot be asked, what was found last is still true."""
        if self._named is not None:
            return self._named
        now = time.monotonic()
        known = self._found.get(esl.far_host)
        if known is None or now - known[0] > BELIEVED_S:
            try:
                found = editions(esl.api(USAGE_COMMAND, check=False))
            except EslError:
                return known[1] if known is not None else Flavour.OPEN
            if len(self._found) >= MAX_HOSTS:
                self._found.clear()
            known = self._found[esl.far_host] = (now, found[0] if found else None)
        return known[1]
