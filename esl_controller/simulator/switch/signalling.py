"""What happens in mid-call by a re-INVITE or by somebody else's command: hold, another codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session


def hold(session: Session, *, on: bool) -> None:
    """Put on hold or taken back (switch_channel.c, switch_channel_set_flag_value).

    While it lasts nothing is sent to the caller (seen on 1.11.1).
    """
    if session.media.held == on or session.hung_up:
        return
    session.media.held = on
    name = "CHANNEL_HOLD" if on else "CHANNEL_UNHOLD"
    session.fire(name, ("switch_channel.c", "switch_channel_check_hold", 876))


def set_codec_anew(session: Session) -> None:
    """A re-INVITE, or packets of another length than agreed, set the codec anew.

    CODEC is raised (switch_core_codec.c, switch_core_session_set_real_read_codec), and `unicast`
    ends without a word (seen on 1.11.1).
    """
    session.media.end_unicast()
    source = ("switch_core_codec.c", "switch_core_session_set_real_read_codec", 189)
    session.fire("CODEC", source)
