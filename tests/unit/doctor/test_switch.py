"""What a live FreeSWITCH's answers say of it. Texts are FreeSWITCH 1.11.1's own."""

from __future__ import annotations

import pytest

from bridge.playout.modes import Flavour
from esl_controller.doctor import dialplans, switch
from esl_controller.doctor.finding import Finding, State

STATUS = """UP 0 years, 0 days, 1 hour, 10 minutes, 43 seconds, 244 milliseconds
FreeSWITCH (Version 1.11.1-release  64bit) is ready
0 session(s) per Sec out of max 200, peak 2, last 5min 0
1000 session(s) max
"""
SOFIA = """                     Name	   Type	                                      Data	State
=================================================================================================
                 internal	profile	             sip:mod_sofia@127.0.0.1:20060	RUNNING (0)
                 gone	profile	             sip:mod_sofia@127.0.0.1:20061	DOWN (0)
           example.com	  alias	                                  internal	ALIASED
=================================================================================================
1 profile 1 alias
"""
EVENT_SOCKET = """<configuration name="event_socket.conf"><settings>
<param name="listen-ip" value="{}"></param><param name="password" value="ClueCon"></param>
{}</settings></configuration>"""
ACL = '<param name="apply-inbound-acl" value="loopback.auto"></param>'
PROFILE = """<?xml version="1.0" encoding="ISO-8859-1"?><profile><profile-info>
<name>internal</name><rtp-ip>{}</rtp-ip>{}<inbound-codecs>{}</inbound-codecs>
</profile-info></profile>"""


def only(found: object) -> Finding:
    (finding,) = found  # type: ignore[misc]
    return finding


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        ("1.11.2-release", State.OK, "no defect"),
        ("1.11.1-release", State.WARNING, "Event Socket"),
        ("1.10.12", State.WARNING, "verto"),
        ("1.10.10", State.WARNING, "CVE-2023-51443"),
        ("1.10.5", State.WARNING, "CVE-2021-37624"),
    ],
)
def test_versions(told: str, state: State, words: str) -> None:
    finding = only(switch.version(told))
    assert finding.state is state
    assert words in finding.detail


def test_the_free_binary_carries_ten_channels() -> None:
    found = (Flavour.CLOSED_1_0_3, Flavour.ALCHEMILLA)
    assert only(switch.channel_limit(found, 100)).state is State.WARNING
    assert list(switch.channel_limit(found, 10)) == []
    assert list(switch.channel_limit((Flavour.OPEN,), 100)) == []


def test_clock_and_room() -> None:
    assert only(switch.clock("1796023636", 1796023637.2)).state is State.OK
    assert only(switch.clock("1796023636", 1796023700.0)).state is State.WARNING
    assert only(switch.room(STATUS, 100)).state is State.OK
    assert only(switch.room(STATUS, 600)).state is State.WARNING


@pytest.mark.parametrize(
    ("listens", "acl", "state"),
    [
        ("127.0.0.1", "", State.OK),
        ("::1", "", State.OK),
        ("::", "", State.WARNING),
        ("0.0.0.0", "", State.WARNING),
        ("10.0.0.5", ACL, State.OK),
    ],
)
def test_who_reaches_the_event_socket(listens: str, acl: str, state: State) -> None:
    finding = only(switch.event_socket(EVENT_SOCKET.format(listens, acl)))
    assert finding.state is state
    assert "ClueCon" not in finding.detail


def test_profiles_codecs_and_nat() -> None:
    assert switch.profiles(SOFIA) == ["internal"]
    inside = PROFILE.format("192.168.1.2", "", "PCMU,PCMA")
    assert [one.state for one in switch.profile(inside)] == [State.OK, State.NOTE]
    told = "<ext-rtp-ip>203.0.113.9</ext-rtp-ip>"
    outside = PROFILE.format("192.168.1.2", told, "GSM")
    assert [one.state for one in switch.profile(outside)] == [State.WARNING, State.OK]


@pytest.mark.parametrize(
    "told", ["", "-ERR command not found", "<broken", '<!DOCTYPE x [<!ENTITY a "b">]><x/>']
)
def test_what_tells_nothing_finds_nothing(told: str) -> None:
    looks = (switch.version, switch.event_socket, switch.profile)
    assert [list(look(told)) for look in looks] == [[], [], []]
    assert list(switch.clock(told, 0)) == list(switch.room(told, 1)) == switch.profiles(told) == []


# --- FusionPBX's dialplans ------------------------------------------------------------------------

CATCH_ALL = r"""<extension name="all" continue="false">
<condition field="destination_number" expression="^(\d+)$"/></extension>"""
ON_SUNDAYS = """<extension><condition wday="1"/>
<condition field="destination_number" expression="^8000$"/></extension>"""


def row(xml: str | None, number: str = "8000", enabled: str = "true") -> dict[str, object]:
    return {
        "extension": number,
        "domain_name": "a.example",
        "dialplan_name": "all",
        "dialplan_order": 100,
        "dialplan_xml": xml,
        "our_order": 900,
        "our_enabled": enabled,
    }


def test_a_dialplan_that_takes_our_number_first() -> None:
    found = only(dialplans.judge([row(CATCH_ALL), row(None)]))
    assert found.state is State.WARNING
    assert found.detail == "8000 at a.example goes to all (100) first"


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([row(None)], State.OK),
        ([row(ON_SUNDAYS)], State.OK),
        ([row(CATCH_ALL, number="*8")], State.OK),
        ([row(CATCH_ALL.replace("destination_number", "caller_id_number"))], State.OK),
        ([row("<broken")], State.OK),
        ([row(None, enabled="false")], State.FAILED),
        ([], State.NOTE),
    ],
)
def test_what_takes_no_number_of_ours(rows: list[dict[str, object]], state: State) -> None:
    assert only(dialplans.judge(rows)).state is state
