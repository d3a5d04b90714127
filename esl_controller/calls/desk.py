"""What every call of a worker shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from esl_controller.calls.door import LegDoor
from esl_controller.calls.registry import Calls
from esl_controller.calls.site import ConversationSite
from esl_controller.calls.transfer.returning import Returning
from esl_controller.record.conversation import CallBook
from esl_controller.routes.reception import Reception

if TYPE_CHECKING:
    from esl_controller.calls.call import Call


@dataclass(frozen=True, slots=True)
class CallDesk:
    """What every call of a worker shares."""

    reception: Reception
    site: ConversationSite
    book: CallBook
    calls: Calls[Call]
    door: LegDoor
    returning: Returning
