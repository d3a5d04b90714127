"""What the emulated agent can do of the faults' vocabulary: all of it.

What an account may not do is told when an address is signed; in mid-conversation the end of the
credits comes as an error, and a limit of concurrency not at all.
"""

from __future__ import annotations

from typing import Any

from esl_controller.simulator.elevenlabs.config import Faults
from esl_controller.simulator.service.faults import (
    RATE_LIMIT_S,
    Fault,
    FaultTable,
    Wanted,
    at_the_door,
    of_answers,
    of_connections,
)

_NO_CREDITS = "This request exceeds your quota. You have 0 credits remaining."
_TOO_MANY = (
    '{"detail":{"status":"too_many_concurrent_requests",'
    '"message":"Too many concurrent requests. Please try again in %gs."}}'
)


def _quota(one: Wanted) -> dict[str, Any]:
    if one.at_s:
        return {
            "error_after_s": one.at_s,
            "error_type": "quota_exceeded",
            "error_code": 1008,
            "error_text": _NO_CREDITS,
        }
    body = f'{{"detail":{{"status":"quota_exceeded","message":"{_NO_CREDITS}"}}}}'
    return {"signing_status": 401, "signing_body": body}


def _limited(one: Wanted) -> dict[str, Any]:
    body = _TOO_MANY % one.or_else(RATE_LIMIT_S)
    return at_the_door({"signing_status": 429, "signing_body": body})(one)


FAULTS = FaultTable(
    Faults,
    of_connections() | of_answers() | {Fault.QUOTA: _quota, Fault.RATE_LIMIT: _limited},
    {},
)
