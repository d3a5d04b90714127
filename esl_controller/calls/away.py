"""Acts on callers who talk with a human: our socket has left, so FreeSWITCH's own port is asked.

Nobody here follows such a call. Whether it goes on FreeSWITCH tells, when something is to be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import structlog

from esl_controller.calls.listening import ANSWER_S, RING_S, listening
from esl_controller.calls.supervised import Act, Action, Later, Result
from esl_controller.calls.transfer.places import Places
from esl_controller.calls.transfer.returning import GOING_BACK
from esl_controller.database.models import RouteEntry
from esl_controller.esl.dialable import NotDialable, require_dialable
from esl_controller.esl.errors import CommandFailed, EslError, LocalProtocolError
from esl_controller.esl.inbound import InboundClient
from esl_controller.settings.table import Freeswitch

HANG_UP = "NORMAL_CLEARING"

_log = structlog.get_logger("supervision")


class AwayCalls:
    """Of the FreeSWITCH this worker is told of."""

    def __init__(
        self,
        at: Freeswitch,
        places: Places,
        entry_for: Callable[[str, str], object],
    ) -> None:
        """`entry_for` a domain and number: its RouteEntry, or something else."""
        self._at = at
        self._places = places
        self._entry_for = entry_for

    def has(self, call_uuid: str) -> bool:
        """It goes on there. Raises EslError when FreeSWITCH cannot be asked."""
        with self._connected() as client:
            return client.api("uuid_exists", call_uuid, check=False).strip() == "true"

    def do(
        self, domain_uuid: str, call_uuid: str, extension: str, act: Act, later: Later
    ) -> Result:
        """Do it now, or begin it. Raises EslError when FreeSWITCH cannot be asked.

        Args:
            extension: number of the secretary that had the call.
        """
        if act.action is Action.HANGUP:
            return self._api("uuid_kill", f"{call_uuid} {HANG_UP}")
        if act.action not in (Action.LISTEN, Action.TAKEOVER):
            return Result.REFUSED  # there is no model in the call, and no recording of ours
        entry = self._entry_for(domain_uuid, extension)
        if not isinstance(entry, RouteEntry):
            return Result.REFUSED
        if act.action is Action.TAKEOVER:
            return self._take_over(call_uuid, entry, act)
        gevent.spawn(self._listen, call_uuid, entry, act, later)
        return Result.ASKED

    def _take_over(self, call_uuid: str, entry: RouteEntry, act: Act) -> Result:
        """From whoever he talks with, whose leg ends; he does not come back to the agent."""
        wanted = self._places.of_number(entry, act.extension)
        why_not = self._places.may_dial(entry, wanted)
        if why_not is not None:
            _log.info("supervision.not_dialled", why=why_not)
            return Result.REFUSED
        try:
            require_dialable(act.extension, entry.domain_name)
        except NotDialable:
            return Result.REFUSED
        with self._connected() as client:
            for name in GOING_BACK:
                client.api("uuid_setvar", f"{call_uuid} {name}", check=False)
            there = f"{call_uuid} {act.extension} XML {entry.domain_name}"
            return _result(client.api("uuid_transfer", there, check=False))

    def _listen(self, call_uuid: str, entry: RouteEntry, act: Act, later: Later) -> None:
        try:
            dial, target = listening(call_uuid, entry, act.extension)
            with self._connected() as client:
                client.originate(dial, target, RING_S + ANSWER_S)
        except CommandFailed as error:
            later(Result.FAILED, error.text.removeprefix("-ERR").strip()[:200])
        except (EslError, LocalProtocolError) as error:
            later(Result.FAILED, str(error)[:200])
        else:
            later(Result.DONE, "")

    def _api(self, command: str, argument: str) -> Result:
        with self._connected() as client:
            return _result(client.api(command, argument, check=False))

    @contextmanager
    def _connected(self) -> Iterator[InboundClient]:
        at = self._at
        client = InboundClient((at.host, at.port), at.password.reveal(), timeout_s=at.timeout_s)
        try:
            client.connect(at.timeout_s)
            yield client
        finally:
            client.close()


def _result(answer: str) -> Result:
    return Result.DONE if answer.startswith("+OK") else Result.FAILED
