"""What the emulated language model can do of the faults' vocabulary: one answer is one request."""

from __future__ import annotations

from esl_controller.simulator.chat.server import LIMITED, ChatFaults
from esl_controller.simulator.service.faults import RATE_LIMIT_S, SLOW_S, Fault, FaultTable

_HTTP = "an answer is one HTTP request, which has no close code"
_TEXT = "text is all it ever answers; the voice is another stage of the pipeline"
BROKEN_OFF_AT = 3
"""Chunks: the first words are out."""

FAULTS = FaultTable(
    ChatFaults,
    {
        Fault.SLOW: lambda w: {"first_byte_s": w.or_else(SLOW_S)},
        Fault.REFUSE: lambda w: {"refuse_status": int(w.or_else(503))},
        Fault.DROP: lambda w: {"cut_after_chunks": BROKEN_OFF_AT},
        Fault.QUOTA: lambda w: {
            "refuse_status": 402,
            "code": "insufficient_quota",
            "message": "You exceeded your current quota.",
        },
        Fault.RATE_LIMIT: lambda w: {
            "refuse_status": LIMITED.refuse_status,
            "code": LIMITED.code,
            "message": f"Rate limit reached. Please try again in {w.or_else(RATE_LIMIT_S):g}s.",
        },
        Fault.MALFORMED: lambda w: {"garbage_after_chunks": BROKEN_OFF_AT},
        Fault.SILENT: lambda w: {"stall_after_chunks": BROKEN_OFF_AT},
    },
    {
        Fault.CLOSE: _HTTP,
        Fault.OUT_OF_ORDER: "the words of an answer have no numbers: any order is a text",
        Fault.SESSION_LIMIT: "it has no sessions",
        Fault.NO_SOUND: _TEXT,
        Fault.TEXT_ONLY: _TEXT,
    },
)
