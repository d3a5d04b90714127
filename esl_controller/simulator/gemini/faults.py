"""What the emulated Gemini service can do of the faults' vocabulary: all of it.

A limit that is reached is told by closing the connection: the next one is well.
"""

from __future__ import annotations

from esl_controller.simulator.gemini.config import Faults
from esl_controller.simulator.service.faults import FaultTable, of_answers, of_connections

FAULTS = FaultTable(Faults, of_connections() | of_answers(), {})
