"""Certificates that end: the same words wherever one is looked at."""

from __future__ import annotations

from esl_controller.doctor.finding import Finding, ok, warning

SOON_S = 21 * 86400.0


def certificate(check: str, left_s: float) -> Finding:
    """Days until a certificate ends."""
    detail = f"ends in {left_s / 86400:.0f} days"
    if left_s < SOON_S:
        return warning(check, detail, "renew it: calls are refused on that day")
    return ok(check, detail)
