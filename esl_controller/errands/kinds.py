"""Which errands there are: one line for each kind."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.errands.base import Delivery
from esl_controller.errands.email import Email
from esl_controller.errands.embedding import KIND, Embedding
from esl_controller.errands.message import Message
from esl_controller.errands.summary import Summary
from esl_controller.errands.ticket import Ticket
from esl_controller.errands.webhook import Webhook

KINDS: Mapping[str, Delivery] = {
    "webhook": Webhook(),
    "email": Email(),
    "message": Message(),
    "summary": Summary(),
    "ticket": Ticket(),
    KIND: Embedding(),
}
