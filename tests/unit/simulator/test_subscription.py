"""Which events a connection gets."""

from __future__ import annotations

from esl_controller.simulator.switch.event import Event
from esl_controller.simulator.switch.subscription import Subscription


def event(name: str, *, subclass: str = "", uuid: str = "a", owner: str = "") -> Event:
    return Event(name, [("Unique-ID", uuid)], subclass=subclass, uuid=uuid, owner_uuid=owner)


def test_names_before_custom_are_events_after_it_subclasses() -> None:
    wants = Subscription()
    assert wants.add("plain dtmf CUSTOM a::b DTMF") == "plain"
    assert wants.passes(event("DTMF"))
    assert wants.passes(event("CUSTOM", subclass="a::b"))
    assert wants.passes(event("CUSTOM", subclass="DTMF"))
    assert not wants.passes(event("CUSTOM", subclass="c::d"))
    assert not wants.passes(event("CHANNEL_ANSWER"))


def test_my_events_keep_to_the_call_and_its_jobs() -> None:
    wants = Subscription()
    wants.my_events("a")
    wants.add("plain BACKGROUND_JOB")
    assert wants.passes(event("CHANNEL_ANSWER"))
    assert not wants.passes(event("CHANNEL_ANSWER", uuid="b"))
    assert not wants.passes(event("PLAYBACK_START"))
    assert wants.passes(event("BACKGROUND_JOB", uuid="", owner="a"))
    assert not wants.passes(event("BACKGROUND_JOB", uuid="", owner="b"))


def test_all_filters_formats_and_none() -> None:
    wants = Subscription()
    assert wants.add("json ALL") == "json"
    assert wants.as_json
    wants.add_filter("Unique-ID", "a")
    assert wants.passes(event("ANYTHING"))
    assert not wants.passes(event("ANYTHING", uuid="b"))
    wants.remove_filter("all")
    assert wants.passes(event("ANYTHING", uuid="b"))
    wants.clear()
    assert not wants.passes(event("ANYTHING"))
    assert wants.add("") is None
    assert wants.add("DTMF") == "plain"
