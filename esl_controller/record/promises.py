"""What one conversation has promised to have done: no more than is sensible, each thing once. Pure.

The errands go out as journal entries, so that they survive what the journal survives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from esl_controller.database.acts import Errand
from esl_controller.tools.base import FunctionFailed

MAX_ERRANDS = 50
MAX_PAYLOAD_BYTES = 64 * 1024
OVER = "The call is over."


class Promises:
    """The errands of one conversation. `record` is the journal's; it returns False for what it
    cannot keep."""

    def __init__(
        self,
        conversation_uuid: str,
        record: Callable[[Errand], object],
        email_to: Sequence[str] = (),
    ) -> None:
        """`email_to`: who gets messages."""
        self._conversation_uuid = conversation_uuid
        self._email_to = list(email_to)
        self._record = record
        self._known: set[tuple[str, str]] = set()

    def add(self, wanted: Errand) -> bool:
        """Promise it; False when the same kind and key was promised before.

        Raises FunctionFailed, for the model, when it is not going to happen.
        """
        name = (wanted.kind, wanted.idempotency_key)
        if name in self._known:
            return False
        if len(self._known) >= MAX_ERRANDS:
            raise FunctionFailed("Too much has been asked for in this call. This was not done.")
        if len(json.dumps(wanted.payload)) > MAX_PAYLOAD_BYTES:
            raise FunctionFailed("That is too long. Say it shorter.")
        payload = dict(wanted.payload)
        if wanted.kind == "message":  # whoever wrote it, it goes to nobody else
            payload["to"] = self._email_to
        owned = replace(wanted, payload=payload, conversation_uuid=self._conversation_uuid)
        if self._record(owned) is False:
            raise FunctionFailed("It cannot be noted now. This was not done.")
        self._known.add(name)
        return True
