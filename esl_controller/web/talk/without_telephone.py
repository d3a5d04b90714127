"""What functions ask of a call, and a browser has no telephone for."""

from __future__ import annotations

from esl_controller.database.acts import OutboundCall
from esl_controller.tools.base import Recording


class WithoutTelephone:
    """That part of `CallActions`."""

    def call_off(self) -> None:
        """No transfer is going on."""

    def recording(self, wanted: Recording, by: str = "agent") -> bool:
        """Nothing is recorded."""
        return False

    def call_back(self, wanted: OutboundCall) -> bool:
        """A browser has no number."""
        return False

    def send_dtmf(self, digits: str) -> bool:
        """A browser has no line to press keys on."""
        return False

    def leave_message(self, message: str) -> None:
        """No machine has answered."""
