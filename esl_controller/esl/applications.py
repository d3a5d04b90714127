"""Dialplan applications we may execute.

An unknown name hangs the call up with DESTINATION_OUT_OF_ORDER after a reply of ``+OK``, so names
are an enum, not text. All of these live in mod_dptools and mod_event_socket's core, which every
FreeSWITCH loads (mod_dptools.c, SWITCH_ADD_APP). `system` and its like are left out on purpose.
"""

from enum import StrEnum


class Application(StrEnum):
    """The name FreeSWITCH knows the application by."""

    ANSWER = "answer"
    BREAK = "break"
    BRIDGE = "bridge"
    DEFLECT = "deflect"
    EAVESDROP = "eavesdrop"
    EXECUTE_EXTENSION = "execute_extension"
    EXPORT = "export"
    FLUSH_DTMF = "flush_dtmf"
    HANGUP = "hangup"
    HOLD = "hold"
    MULTISET = "multiset"
    MULTIUNSET = "multiunset"
    PARK = "park"
    PLAY_AND_GET_DIGITS = "play_and_get_digits"
    PLAYBACK = "playback"
    PRE_ANSWER = "pre_answer"
    RECORD_SESSION = "record_session"
    REDIRECT = "redirect"
    RESPOND = "respond"
    RING_READY = "ring_ready"
    SAY = "say"
    SCHED_HANGUP = "sched_hangup"
    SEND_DTMF = "send_dtmf"
    SET = "set"
    SOCKET = "socket"
    SLEEP = "sleep"
    SPEAK = "speak"
    START_DTMF = "start_dtmf"
    STOP_DTMF = "stop_dtmf"
    STOP_RECORD_SESSION = "stop_record_session"
    TRANSFER = "transfer"
    UNHOLD = "unhold"
    UNSET = "unset"
