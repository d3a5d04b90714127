"""How an emulated Gemini service behaves: pace, rules, and faults on demand."""

from __future__ import annotations

from dataclasses import dataclass, field

from esl_controller.simulator.openai import config as common
from esl_controller.simulator.service.faults import AnswerFaults

VOICES = frozenset(
    [
        "Achernar",
        "Achird",
        "Algenib",
        "Algieba",
        "Alnilam",
        "Aoede",
        "Autonoe",
        "Callirrhoe",
        "Charon",
        "Despina",
        "Enceladus",
        "Erinome",
        "Fenrir",
        "Gacrux",
        "Iapetus",
        "Kore",
        "Laomedeia",
        "Leda",
        "Orus",
        "Puck",
        "Pulcherrima",
        "Rasalgethi",
        "Sadachbia",
        "Sadaltager",
        "Schedar",
        "Sulafat",
        "Umbriel",
        "Vindemiatrix",
        "Zephyr",
        "Zubenelgenubi",
    ]
)
"""Live API guide, «Voices» (2026-11)."""


@dataclass(frozen=True, slots=True)
class Faults(AnswerFaults):
    """What goes wrong on one connection, besides what can go wrong with any service."""

    quota_after: int | None = None
    """So many answers, then the connection is closed for the quota."""
    setup_delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class EmulatorConfig(common.EmulatorConfig):
    """Everything that can be set, besides what any service has."""

    session_limit_s: float = 600.0
    """One connection lives so long."""
    go_away_s: float = 50.0
    """How long before that `goAway` comes."""
    resume_while_open: bool = False
    """Whether a session can be resumed while its last connection is still there. The service was
    seen to refuse that with 1011 (github.com/aicc2025/sip-to-ai/pull/14)."""
    vertex_names: bool = False
    """Usage in the field names of Vertex."""
    faults: AnswerFaults = field(default_factory=Faults)
