"""docs/functions.md: what the AI can do, from the registry."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

from bridge.providers.conversation import Tool
from bridge.session.config import SessionConfig
from bridge.session.waiting import AGAIN_S
from esl_controller.database.hours import Opening, Reason
from esl_controller.database.models import TenantSettings
from esl_controller.record.promises import MAX_ERRANDS, MAX_PAYLOAD_BYTES
from esl_controller.settings.table import Timeouts
from esl_controller.tenants.columns.systems import SELECTABLE, SYSTEMS
from esl_controller.tools.base import CallTool
from esl_controller.tools.own import MAX_OWN
from esl_controller.tools.registry import BUILT_IN
from esl_controller.tools.runner import (
    MAX_ARGUMENT_BYTES,
    MAX_RESULT_BYTES,
    MAX_RUNNING,
    NOT_DONE,
    NOT_KNOWN,
)

URL = "https://systems.example"
_RECORDED = files("esl_controller.calls").joinpath("phrase_audio").iterdir()
_TAGS = sorted({one.name.partition("-")[0] for one in _RECORDED if one.name.endswith(".wav")})
_PHRASES = f"recorded in {', '.join(_TAGS)}; else English"
_SESSION = {one.name: one.default for one in dataclasses.fields(SessionConfig)}
_COVER_S, _MOST = _SESSION["function_cover_s"], _SESSION["max_function_calls"]
INTRODUCTION = f"""\
# Functions

What the AI can do besides talking. Functions of the call itself are offered wherever they make
sense: `transfer_call` where there is somebody to connect to, `pause_recording` where calls are
recorded. Those that reach the domain's own systems are offered with `enable_functions`, once the
system is set up; `functions_config` of a [secretary](secretary.md) limits them to those it names.
A domain's own functions, by HTTP and MCP, are [set up one by one](functions-own.md).

Every call of a function is a row of `v_voice_function_calls_realtime`, written when it begins and
again when it is over.

- **Arguments** are the model's. They are checked by the function's JSON Schema, and what is wrong
  is told to the model in words it can act on. They may have {MAX_ARGUMENT_BYTES // 1024} KiB.
- **Time.** Each has a deadline, given below with the function. After {_COVER_S:g} s of silence the
  caller hears a phrase in the conversation's language ({_PHRASES}), or a soft
  sound with `comfort_sound`, and again every {AGAIN_S:g} s.
- **Caps.** {MAX_RUNNING} at once in a call, {_MOST} in a conversation. What is noted for later:
  {MAX_ERRANDS} errands a conversation, {MAX_PAYLOAD_BYTES // 1024} KiB each. Offered of a domain's
  own functions: {MAX_OWN}.
- **Once.** What must not happen twice has an idempotency key, `<conversation>:<call of the
  provider>`. Asked for again with the same arguments, it is not done again; an attempt of which
  nothing was heard is repeated under its first key.
- **Honesty.** Each result says `done`: true or false. Where something was not done, or that is not
  known, the model is told to say so; an agent that claims it all the same is made to take it back.
- **Nothing is lost.** A ticket that cannot be opened now, and every message, is an errand: it is
  tried for a day, then shown to an operator, who can send it again (`esl-controller errands`).
- **Hostile until read.** Answers have a size and a time limit, no redirect is followed, and private
  addresses are reached only where VOICE_AI_SERVICES_ALLOWED_HOSTS names them. The model gets
  {MAX_RESULT_BYTES // 1024} KiB of a result at most, and hears that it is data.

[What comes of each](functions-faults.md) when the other side refuses, is slow, down or wrong.

| row | the model is told |
|---|---|
| `completed` | the result, `done: true`; of a ticket that waits, `done: false` |
| `refused` | what is wrong with the arguments: it was not begun |
| `failed` | what happened, and «{NOT_DONE}» Where the other side may have acted: «{NOT_KNOWN}» |
| `timeout` | that it takes too long, and «{NOT_KNOWN}» |

## Setting up the domain's systems

```sh
esl-controller tenant set --domain pbx.example.com \\
  --ticket-url https://omniplay.example/api/v1/tickets --ticket-key @omniplay.key \\
  --crm-url https://crm.example/voice --crm-key @crm.key \\
  --agenda-kind caldav --agenda-url https://cloud.example/dav/calendars/clinic/ \\
  --agenda-user clinic --agenda-key @agenda.key
esl-controller secretary set 8000 --domain pbx.example.com --enable-functions true
esl-controller config check
```

Keys are sealed before they are stored and go over `https://` alone. Hosts set here need not stand
in `allowed_tool_hosts` too, but the operator's list holds for them as for all:
`VOICE_AI_SERVICES_ALLOWED_HOSTS` is `*`, every public host, and a CRM at 10.0.0.5 is named there,
`*,10.0.0.5:8443`. `config check` and the pages say what is half made, and `config check` which of
these the operator does not let be reached.

What these systems must answer is in three OpenAPI documents: [tickets](contracts/tickets.yaml),
[customers](contracts/crm.yaml), [agenda](contracts/agenda.yaml). `esl-controller simulate systems`
[serves all three](functions-own.md#try-it-by-hand), to build against and to try with. A CalDAV
calendar (Radicale, Nextcloud and their like) needs no server of ours: appointments are within the
secretary's business hours, else Monday to Friday from 9 to 18, and an event of ours is named by the
time it begins, so the calendar refuses a second one. The calendar must answer `free-busy-query`.

Only appointments of the number that calls are told or cancelled; of another number's owner the
caller hears the name alone. A number can be forged: have the agent ask for something only the
customer knows.

With `crm_url` the caller is looked up while the telephone rings: `{{{{customer_name}}}}`,
`{{{{customer_company}}}}`, `{{{{customer_id}}}}` and `{{{{customer_notes}}}}` can stand in the
secretary's texts, `Hello {{{{customer_name|there}}}}`. What comes too late for the greeting is told
to the agent during the call.
"""


def functions_page() -> str:
    """The page."""
    lines = [INTRODUCTION, "| column of the domain | allowed | meaning |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {column.rule.allowed.en} | {column.meaning.en} |"
        for name, column in SYSTEMS.items()
    ]
    for title, ours in (("Functions of the call", False), ("Functions of the domain", True)):
        lines += ["", f"## {title}"]
        for name, tool in BUILT_IN.items():
            described = tool.describe(_entry_for(name))
            if (name in SELECTABLE) is ours and described is not None:
                lines += ["", *_function(name, tool, described)]
    return "\n".join(lines) + "\n"


def _function(name: str, tool: CallTool, described: Tool) -> list[str]:
    seconds = tool.deadline_s or Timeouts().tool_s
    once = "" if tool.repeatable else ", once"
    where = (tool.describe.__doc__ or "").strip().partition("\n")[0]
    lines = [f"### `{name}`", "", f"{described.description}", "", f"{where} {seconds:g} s{once}."]
    properties = described.parameters.get("properties", {})
    required = described.parameters.get("required", ())
    if properties:
        lines += ["", "| argument | type | |", "|---|---|---|"]
    for argument, schema in properties.items():
        needed = "" if argument in required else "may be left out"
        words = "; ".join(filter(None, (schema.get("description", "").rstrip("."), needed)))
        lines.append(f"| `{argument}` | {_kind(schema)} | {words} |")
    return lines


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " \\| ".join(f"`{one}`" for one in schema["enum"])
    limits = [f"{name} {schema[name]}" for name in ("minLength", "maxLength") if name in schema]
    kind = schema.get("format") or schema.get("type", "anything")
    return f"{kind} ({', '.join(limits)})" if limits else str(kind)


def _entry_for(name: str) -> Any:
    """A number at which everything makes sense that can."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    rule = {"department": "sales", "destination": "1000", "description": "prices"}
    secretary = SimpleNamespace(
        transfer_rules=[rule],
        transfer_directory=False,
        transfer_return=False,
        record_calls=True,
        recording_consent="ask",
        enable_rag=True,
        language="pt-BR",
        languages=("pt-BR", "en"),
        email_to=(),
    )
    tenant = TenantSettings(
        "",
        outbound_max_concurrent=1,
        webhook_url=URL,
        ticket_url=URL,
        crm_url=URL,
        agenda_url=URL,
    )
    return SimpleNamespace(
        secretary=secretary,
        tenant=tenant,
        opening=Opening(now, True, Reason.IN_HOURS),
        outbound=object() if name == "leave_message" else None,
        functions=(),
    )
