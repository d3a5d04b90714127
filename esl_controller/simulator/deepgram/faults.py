"""What the emulated hearing can do of the faults' vocabulary. It has no voice."""

from __future__ import annotations

from esl_controller.simulator.deepgram.hearing import Faults
from esl_controller.simulator.service.faults import Fault, FaultTable, at_the_door, of_connections

_NO_VOICE = "it hears and does not speak; the voice is another stage of the pipeline"

FAULTS = FaultTable(
    Faults,
    of_connections()
    | {
        Fault.QUOTA: at_the_door({"refuse_status": 402}),
        Fault.RATE_LIMIT: at_the_door({"refuse_status": 429}),
        Fault.OUT_OF_ORDER: lambda w: {"wrong_order": True},
    },
    {Fault.NO_SOUND: _NO_VOICE, Fault.TEXT_ONLY: _NO_VOICE},
)
