"""Who watches calls: one listener hears what the workers' journals stored, and wakes viewers.

Nothing is queued for a viewer. A notification only names a conversation that has changed; the
viewer's own greenlet then reads what is new. So a slow viewer holds up itself alone, any worker
can show any call, and nobody sees what a tenant does not store. The database connection is there
only while somebody watches.
"""

from __future__ import annotations

from collections import defaultdict

import gevent
import structlog
from gevent import Greenlet
from gevent.event import Event

from esl_controller.database.notifications import NotificationListener
from esl_controller.database.pool import DatabaseUnavailable
from esl_controller.database.repository.pages import CHANNEL, WATCHED_KEY
from esl_controller.telemetry.background import forever
from esl_controller.web.api.problems import too_many

MAX_VIEWERS = 32
"""Of one worker; each is an HTTP request in work, of which the port takes 64."""
ALIVE_S = 15.0
"""The listener proves its connection this often."""
RECONNECT_S = 1.0

_log = structlog.get_logger("api.live")
_Key = tuple[str, str]


class LiveFeed:
    """The viewers of one worker, by domain and conversation."""

    def __init__(self, dsn: str, *, max_viewers: int = MAX_VIEWERS) -> None:
        self.listening = False
        """Changes are heard; else viewers have to look by themselves."""
        self.stopped = False
        self._dsn = dsn
        self._max_viewers = max_viewers
        self._viewers: dict[_Key, set[Event]] = defaultdict(set)
        self._listener: Greenlet[..., None] | None = None

    def __len__(self) -> int:
        """How many watch now."""
        return sum(map(len, self._viewers.values()))

    def require_place(self) -> None:
        """Raise Problem 429 when nobody more may watch."""
        if len(self) >= self._max_viewers or self.stopped:
            raise too_many("viewers", 10)

    def join(self, domain_uuid: str, conversation_uuid: str) -> Event:
        """Watch a conversation: what is returned is set whenever it has changed.

        Raises Problem 429.
        """
        self.require_place()
        changed = Event()
        self._viewers[domain_uuid, conversation_uuid].add(changed)
        if self._listener is None:
            self._listener = forever("live_listener", self._listen)
        return changed

    def leave(self, domain_uuid: str, conversation_uuid: str, changed: Event) -> None:
        """Watch no more. The last one to leave ends the listening."""
        key = (domain_uuid, conversation_uuid)
        self._viewers[key].discard(changed)
        if not self._viewers[key]:
            del self._viewers[key]
        if not self._viewers and self._listener is not None:
            self._listener.kill(block=False)
            self._listener = None

    def stop(self) -> None:
        """End every stream: their viewers come back to another worker."""
        self.stopped = True
        self._wake_all()

    def _listen(self) -> None:
        while True:
            try:
                with NotificationListener(self._dsn, CHANNEL, present_key=WATCHED_KEY) as listener:
                    self.listening = True
                    self._wake_all()  # what was stored while nobody listened is not known
                    while True:
                        self._wake(set(listener.receive(ALIVE_S)))
            except DatabaseUnavailable as error:
                _log.warning("api.changes_unheard", error=str(error))
            finally:
                self.listening = False
            gevent.sleep(RECONNECT_S)

    def _wake(self, payloads: set[str]) -> None:
        for payload in payloads:
            domain_uuid, _, conversation_uuid = payload.partition(" ")
            for changed in self._viewers.get((domain_uuid, conversation_uuid), ()):
                changed.set()

    def _wake_all(self) -> None:
        for viewers in self._viewers.values():
            for changed in viewers:
                changed.set()
