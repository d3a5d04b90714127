"""Which events one Event Socket connection gets. Pure."""

from __future__ import annotations

from esl_controller.simulator.switch.event import Event

# mod_event_socket.c, what `myevents` turns on.
MY_EVENTS = frozenset(
    [
        "CALL_SECURE",
        "CALL_UPDATE",
        "CHANNEL_ANSWER",
        "CHANNEL_APPLICATION",
        "CHANNEL_BRIDGE",
        "CHANNEL_CREATE",
        "CHANNEL_DATA",
        "CHANNEL_DESTROY",
        "CHANNEL_EXECUTE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_ORIGINATE",
        "CHANNEL_OUTGOING",
        "CHANNEL_PARK",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_STATE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_UNPARK",
        "DETECTED_SPEECH",
        "DETECTED_TONE",
        "DTMF",
        "NOTALK",
        "TALK",
    ]
)


class Subscription:
    """Event names, CUSTOM subclasses, the own-call restriction, filters and the format."""

    def __init__(self) -> None:
        self.own_uuid = ""
        """Only events of this channel, and background jobs of its own."""
        self.as_json = False
        self._names: set[str] = set()
        self._subclasses: set[str] = set()
        self._all = False
        self._filters: dict[str, set[str]] = {}

    def my_events(self, uuid: str) -> None:
        """`myevents`: a fixed list, restricted to the channel."""
        self.own_uuid = uuid
        self._names |= MY_EVENTS

    def add(self, argument: str) -> str | None:
        """`event plain A B CUSTOM c::d`: the format if understood, else None."""
        words = argument.split()
        if not words:
            return None
        if words[0].lower() in ("plain", "json", "xml"):
            self.as_json = words[0].lower() == "json"
            form = words.pop(0).lower()
        else:
            form = "plain"
        custom = False
        for word in words:
            if custom:
                self._subclasses.add(word)
            elif word.upper() == "ALL":
                self._all = True
            elif word.upper() == "CUSTOM":
                custom = True
            else:
                self._names.add(word.upper())
        return form

    def clear(self) -> None:
        """`noevents`."""
        self._all = False
        self._names.clear()
        self._subclasses.clear()

    def add_filter(self, header: str, value: str) -> None:
        """`filter Header value`: events must carry one of the values given for a header."""
        self._filters.setdefault(header, set()).add(value)

    def remove_filter(self, header: str) -> None:
        """`filter delete Header`; `all` for every one."""
        if header == "all":
            self._filters.clear()
        self._filters.pop(header, None)

    def wants(self, name: str, subclass: str) -> bool:
        """Is the kind of event subscribed at all?"""
        if self._all:
            return True
        return subclass in self._subclasses if name == "CUSTOM" else name in self._names

    def passes(self, event: Event) -> bool:
        """May this event go out?"""
        if not self.wants(event.name, event.subclass):
            return False
        if self.own_uuid and self.own_uuid not in (event.uuid, event.owner_uuid):
            return False
        if not self._filters:
            return True
        headers = dict(event.headers)
        return any(headers.get(name) in values for name, values in self._filters.items())
