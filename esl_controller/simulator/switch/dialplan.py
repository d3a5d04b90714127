"""Numbers that exist in a fresh switch, as test dialplans usually have them."""

from __future__ import annotations

from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.legs import FarEnd

DEFAULT_EXTENSIONS = {
    "1000": (Action("answer"), Action("echo")),
    "1001": (Action("hangup", "USER_BUSY"),),
    "1004": (Action("answer"), Action("playback", "tone_stream://%(1000,0,440);loops=-1")),
    "1005": (Action("hangup", "CALL_REJECTED"),),
}
"""Where `transfer` can go: 1000 echo, 1001 busy, 1004 answers and plays 440 Hz, 1005 refuses."""

DEFAULT_FAR_ENDS = {
    "1001": FarEnd(cause="USER_BUSY"),
    "1002": FarEnd(rings=True),
    "1004": FarEnd(),
    "1005": FarEnd(cause="CALL_REJECTED"),
    "1008": FarEnd(hangs_up_after_s=2.0),
}
"""Whom `bridge` and `originate` can call: 1002 rings for ever, 1008 leaves after 2 s."""
