"""What the emulated OpenAI service can do of the faults' vocabulary: all of it."""

from __future__ import annotations

from esl_controller.simulator.openai.config import Faults
from esl_controller.simulator.service.faults import FaultTable, of_answers, of_connections

FAULTS = FaultTable(Faults, of_connections() | of_answers(), {})
