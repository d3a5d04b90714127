"""What is asked of a call and needs no more than its conversation or its leg: the smaller half of
`CallActions`."""

from __future__ import annotations

from esl_controller.calls.conversation import Conversation
from esl_controller.calls.leg import Leg
from esl_controller.calls.states import CALL_TABLE, CallState
from esl_controller.database.acts import Errand, OutboundCall
from esl_controller.esl.errors import CommandTimeout, EslError
from esl_controller.record.promises import OVER
from esl_controller.tools.base import FunctionFailed, Recording

_KEYS_LATE = "The telephone system has not said that it pressed the keys."


class Asked:
    """A call, as far as these go."""

    def __init__(self, leg: Leg) -> None:
        self.state = CALL_TABLE.initial
        self.leg = leg
        self.talk: Conversation | None = None

    def tell(self, text: str, *, respond: bool) -> bool:
        """Tell the model something the caller did not say."""
        return self.talk is not None and self.talk.tell(text, respond=respond)

    def change_language(self, language: str) -> bool:
        """Go on in another language."""
        return self.talk is not None and self.talk.change_language(language)

    def recording(self, wanted: Recording, by: str = "agent") -> bool:
        """Do something to the recording."""
        return self.talk is not None and self.talk.recorder.want(wanted, by)

    def call_back(self, wanted: OutboundCall) -> bool:
        """Remember that the caller is to be called."""
        return self.talk is not None and self.talk.record.callback(wanted)

    def errand(self, wanted: Errand) -> bool:
        """Hand it to the queue of errands."""
        if self.talk is None:
            raise FunctionFailed(OVER)
        return self.talk.record.promises.add(wanted)

    def send_dtmf(self, digits: str) -> bool:
        """On the caller's own line, while they talk."""
        if self.state is not CallState.TALKING:
            return False
        try:
            return self.leg.send_dtmf(digits)
        except CommandTimeout as error:
            raise FunctionFailed(_KEYS_LATE, why=str(error), certain=False) from error
        except EslError:
            return False

    def leave_message(self, message: str) -> None:
        """After the tone."""
        if self.talk is not None and self.talk.callee is not None:
            self.talk.callee.leave(message)
