"""Whether it makes sense to ring somebody, asked of FreeSWITCH on the caller's own socket."""

from __future__ import annotations

import json
import re

from esl_controller.calls.transfer.destination import Presence
from esl_controller.calls.transfer.places import Asks
from esl_controller.database.repository.statements import Row
from esl_controller.esl.errors import EslError
from esl_controller.esl.waiting import Deadline

LONGEST_WAIT_S = 2.0
"""All questions together; the caller hears nothing meanwhile."""
_ASKABLE = re.compile(r"[A-Za-z0-9_.+*#-]+")
"""What an API command takes for one word, and for nothing else."""


def of_extension(
    esl: Asks, extension: str, domain_name: str, wishes: Row | None, deadline: Deadline
) -> Presence:
    """What the extension's owner has set, then whether a telephone is there, then if it is used.

    Args:
        wishes: a row of `find_availability`; None when it could not be read.
    """
    if wishes is not None and wishes["do_not_disturb"]:
        return Presence("dnd")
    if wishes is not None and wishes["forward_all"]:
        return Presence("forwarded", "all calls", (wishes["forward_all"],))
    if wishes is not None and wishes["follow_me"]:
        return Presence("forwarded", "follow me", tuple(wishes["follow_me"]), instead=False)
    if not (_ASKABLE.fullmatch(extension) and _ASKABLE.fullmatch(domain_name)):
        return Presence("unknown")
    try:
        contact = esl.api(
            "sofia_contact", f"*/{extension}@{domain_name}", deadline.left_s, check=False
        )
        if contact.strip().startswith("error/"):
            why = "no telephone is registered"
            if wishes is not None and wishes["forward_unregistered"]:
                return Presence("forwarded", why, (wishes["forward_unregistered"],))
            return Presence("unregistered", why)
        if not contact.strip().startswith("sofia/"):
            return Presence("unknown")
        answer = esl.api(
            "show", f"channels like {extension}@ as json", deadline.left_s, check=False
        )
    except EslError as error:
        return Presence("unknown", str(error))
    return Presence("busy" if _calls(answer, extension, domain_name) else "free")


def of_queue(esl: Asks, number: str, domain_name: str, deadline: Deadline) -> Presence:
    """Whether an agent of the queue is there (mod_callcenter; FusionPBX names a queue so)."""
    if not (_ASKABLE.fullmatch(number) and _ASKABLE.fullmatch(domain_name)):
        return Presence("unknown")
    try:
        asked = f"queue count agents {number}@{domain_name} Available"
        answer = esl.api("callcenter_config", asked, deadline.left_s, check=False).strip()
    except EslError as error:
        return Presence("unknown", str(error))
    if not answer.isdigit():
        return Presence("unknown")
    return Presence("free") if int(answer) else Presence("unregistered", "no agent is available")


def _calls(answer: str, extension: str, domain_name: str) -> int:
    """Channels of the extension in the answer of `show channels like`, which also finds others'."""
    try:
        rows = json.loads(answer).get("rows", [])
    except (ValueError, AttributeError):
        return 0
    own = f"{extension}@{domain_name}"
    return sum(1 for row in rows if isinstance(row, dict) and own in _whose(row))


def _whose(row: dict[str, object]) -> tuple[str, ...]:
    """`presence_id`, which FusionPBX's directory sets, or the name of a call the extension made."""
    name = str(row.get("name", ""))
    return (str(row.get("presence_id", "")), name.rpartition("/")[2].partition(":")[0])
