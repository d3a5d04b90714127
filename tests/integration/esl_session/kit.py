"""What FreeSWITCH says of the applications of a scripted call."""

from __future__ import annotations

from tests.integration.esl_peer import event, header


def complete(command: str, response: str = "FILE PLAYED") -> bytes:
    return event(
        "CHANNEL_EXECUTE_COMPLETE",
        ("Application", header(command, "execute-app-name")),
        ("Application-Response", response),
        ("Application-UUID", header(command, "Event-UUID")),
    )
