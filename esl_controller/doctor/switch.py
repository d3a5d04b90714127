"""What a live FreeSWITCH's answers say of it: version, doors, clock, profiles. Pure.

Answers are those of `version short`, `strepoch`, `status`, `sofia status`, `sofia xmlstatus` and
`xml_locate` (mod_commands.c, sofia.c); one that is an error tells nothing, and nothing is found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from bridge.playout.editions import EDITIONS
from bridge.playout.modes import Flavour
from esl_controller.doctor.finding import Finding, note, ok, warning

EVENT_SOCKET = ("xml_locate", "configuration configuration name event_socket.conf")
MAX_CLOCK_DIFFERENCE_S = 2.0
MAX_PROFILES = 8
WANTED_CODECS = ("PCMU", "PCMA", "G722", "OPUS")
_DEFECTS: tuple[tuple[tuple[int, int, int], str], ...] = (
    ((1, 10, 7), "SIP messages end it or need no password (CVE-2021-37624, -41105, -41145)"),
    ((1, 10, 10), "an offer with odd ICE candidates or codecs ends it (CVE-2023-40018, -40019)"),
    ((1, 10, 11), "a stranger's DTLS packet ends a call (CVE-2023-51443)"),
    ((1, 11, 1), "a stranger can take over a verto session; SIP events are used after free"),
    (
        (1, 11, 2),
        "whoever reaches the Event Socket ends it without the password; RTP, STUN, RTCP and SRTP "
        "keys of strangers are read past their end",
    ),
)
"""The version in which it was mended, and what it was.

Until 1.10.11: FreeSWITCH's security advisories, and its commits 9347c96712 and cfb39e88dc (1.10.10)
and 6ea8c96c3d (1.10.11). 1.11.1: commits 74d320834b, 693f7dc6aa (mod_verto) and 08c3fffa7c
(mod_sofia). 1.11.2: a097e12421 (mod_event_socket, read_packet), a38cd80733, 68ec688eb6, 03485e1f4c,
e730a4e541, 86b10358e2 (core), of its security merges of 2026-08-08.
"""


def version(told: str) -> Iterator[Finding]:
    """Known defects of this version."""
    check = "FreeSWITCH version"
    number = re.match(r"(\d+)\.(\d+)\.(\d+)", told)
    if number is None:
        return
    have = (int(number[1]), int(number[2]), int(number[3]))
    known = [what for mended, what in _DEFECTS if have < mended]
    if not known:
        yield ok(check, f"{told}: no defect is known that ends or opens it")
        return
    newest = ".".join(map(str, _DEFECTS[-1][0]))
    yield warning(check, f"{told}: {'; '.join(known)}", f"install FreeSWITCH {newest} or later")


def channel_limit(found: tuple[Flavour, ...], capacity: int) -> Iterator[Finding]:
    """The free binary of one edition takes ten channels, and says nothing when it takes no more."""
    carried = [most for one in found if (most := EDITIONS[one].channels) is not None]
    if carried and capacity > min(carried):
        detail = f"its free binary carries {min(carried)} channels, a worker takes {capacity}"
        advice = "buy a licence for it, install the open edition, or lower VOICE_AI_ESL_CAPACITY"
        yield warning("channels of mod_audio_stream", detail, advice)


def clock(epoch: str, now_s: float) -> Iterator[Finding]:
    """`now_s`: when it was asked, Unix time."""
    if not epoch.strip().isdigit():
        return
    check, difference_s = "FreeSWITCH clock", abs(int(epoch) - now_s)
    detail = f"{difference_s:.0f} s from ours"
    if difference_s > MAX_CLOCK_DIFFERENCE_S:
        yield warning(check, detail, "run NTP on both hosts")
    else:
        yield ok(check, detail)


def room(status: str, capacity: int) -> Iterator[Finding]:
    """Calls FreeSWITCH takes at once and a second, beside what our workers take."""
    most, rate = (
        re.search(r"(\d+) session\(s\) max", status),
        re.search(r"out of max (\d+)", status),
    )
    if most is None or rate is None:
        return
    detail = f"{most[1]} sessions, {rate[1]} new ones a second"
    if int(most[1]) < 2 * capacity:  # a transfer has two legs
        advice = "raise max-sessions in switch.conf.xml: a transferred call has two legs"
        yield warning("FreeSWITCH sessions", f"{detail}; workers take {capacity} calls", advice)
    else:
        yield ok("FreeSWITCH sessions", detail)


def event_socket(xml: str) -> Iterator[Finding]:
    """Who reaches the Event Socket: whoever does runs FreeSWITCH."""
    root = _parsed(xml)
    if root is None:
        return
    check = "Event Socket"
    given = {one.get("name"): one.get("value", "") for one in root.iter("param")}
    listens, acl = given.get("listen-ip", "::"), given.get("apply-inbound-acl", "")
    detail = f"listens on {listens}, access list {acl or 'none'}"
    if _is_open(listens) and not acl:
        advice = "set listen-ip to 127.0.0.1 or apply-inbound-acl in event_socket.conf.xml"
        yield warning(check, detail, advice)
    else:
        yield ok(check, detail)


def _is_open(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def profiles(status: str) -> list[str]:
    """Names of the running SIP profiles, of `sofia status`."""
    return re.findall(r"^\s*(\S+)\s+profile\s.*RUNNING", status, re.MULTILINE)[:MAX_PROFILES]


def profile(xml: str) -> Iterator[Finding]:
    """Codecs and addresses of one SIP profile, of `sofia xmlstatus profile NAME`."""
    root = _parsed(xml)
    info = None if root is None else root.find("profile-info")
    if info is None:
        return
    told = {child.tag: (child.text or "").strip() for child in info}
    name = told.get("name", "")
    yield _codecs(name, told.get("inbound-codecs", ""))
    yield _nat(name, told)


def _codecs(name: str, codecs: str) -> Finding:
    check = f"codecs of {name}"
    if any(codec in codecs.upper() for codec in WANTED_CODECS):
        return ok(check, codecs)
    advice = "add PCMA or PCMU to inbound-codec-prefs of the profile"
    return warning(check, f"{codecs or 'none'}: every call needs two conversions", advice)


def _nat(name: str, told: dict[str, str]) -> Finding:
    check, inside = f"addresses of {name}", told.get("rtp-ip", "")
    outside = told.get("ext-rtp-ip", "")
    detail = f"RTP at {inside}" + (f", told to others as {outside}" if outside else "")
    try:
        private = ipaddress.ip_address(inside).is_private
    except ValueError:
        private = False
    loopback = inside.startswith("127.") or inside == "::1"
    if private and not loopback and not outside:
        advice = "behind NAT set ext-rtp-ip and ext-sip-ip of the profile to the public address"
        return note(check, detail, advice)
    return ok(check, detail)


def _parsed(xml: str) -> ElementTree.Element | None:
    """None for what is no XML of a sane size; entities, which could grow, are refused."""
    if not xml.lstrip().startswith("<") or "<!" in xml or len(xml) > 1_000_000:
        return None
    try:
        return ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None
