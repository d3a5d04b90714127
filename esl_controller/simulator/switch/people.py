"""Api commands about who is there: registrations, channels in use, queues and their agents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from esl_controller.simulator.switch import event
from esl_controller.simulator.switch.session import Session

if TYPE_CHECKING:
    from esl_controller.simulator.switch.core import Switch

_COLUMNS = (
    "uuid,direction,created,created_epoch,name,state,cid_name,cid_num,ip_addr,dest,presence_id"
)


def sofia_contact(switch: Switch, argument: str) -> str:
    """`[profile/]user@domain`: who can be called is registered (mod_sofia.c,
    sofia_contact_function)."""
    user, _, domain = argument.rpartition("/")[2].partition("@")
    if user in switch.config.far_ends:
        return f"sofia/internal/sip:{user}@127.0.0.1:5060;fs_path={domain}"
    return "error/user_not_registered"


def callcenter_config(switch: Switch, argument: str) -> str:
    """`queue count agents <name>@<domain> <status>` (mod_callcenter.c)."""
    words = argument.split()
    if words[:3] != ["queue", "count", "agents"] or len(words) < 4:
        return "-USAGE\n"
    return f"{switch.config.queues.get(words[3].partition('@')[0], 0)}\n"


def show(switch: Switch, argument: str) -> str:
    """`channels [like <text>] [as json]`, anything else as a count."""
    sessions = list(switch.sessions.values())
    words = argument.split()
    if words[1:2] == ["like"]:
        sessions = [one for one in sessions if _is_like(one, words[2])]
    if words[-2:] == ["as", "json"]:
        return _as_json(sessions)
    if argument.startswith("channels") and "count" not in argument and sessions:
        rows = "".join(",".join(_fields(session)) + "\n" for session in sessions)
        return f"{_COLUMNS}\n{rows}\n{len(sessions)} total.\n"
    return f"\n{len(sessions)} total.\n"


def _as_json(sessions: list[Session]) -> str:
    """Without a row there is no list of them (mod_commands.c, show_function)."""
    answer: dict[str, object] = {"row_count": len(sessions)}
    if sessions:
        names = _COLUMNS.split(",")
        answer["rows"] = [dict(zip(names, _fields(one), strict=True)) for one in sessions]
    return json.dumps(answer) + "\n"


def _is_like(session: Session, wanted: str) -> bool:
    """Not looked at: `presence_id`."""
    options = session.channel.options
    looked_at = (
        session.channel.uuid,
        session.channel.name,
        options.caller_id_name,
        options.caller_id_number,
    )
    return any(wanted in text for text in looked_at)


def _fields(session: Session) -> tuple[str, ...]:
    channel = session.channel
    options = channel.options
    return (
        channel.uuid,
        options.direction,
        event.stamp(channel.created_us),
        str(channel.created_us // 1_000_000),
        channel.name,
        channel.running_state,
        options.caller_id_name,
        options.caller_id_number,
        "127.0.0.1",
        channel.destination,
        channel.get("presence_id") or "",
    )
