"""Run as a program: check lines of JSON against the `google-genai` package's types.

`sdk_types.py server|client < lines` prints one JSON list of problems. The SDK's models refuse
unknown fields; a client's message is held against the class of its one field.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from google import genai
from google.genai import types
from pydantic import ValidationError

CLIENT = {
    "setup": types.LiveClientSetup,
    "clientContent": types.LiveClientContent,
    "realtimeInput": types.LiveClientRealtimeInput,
    "toolResponse": types.LiveClientToolResponse,
}


def problems(side: str, line: str) -> Iterator[str]:
    """What is wrong with one message."""
    message = json.loads(line)
    try:
        if side == "server":
            types.LiveServerMessage.model_validate(message)
            return
        ((kind, body),) = message.items()
        if "realtimeInputConfig" in body:  # has a class of its own, and no place in this one
            types.RealtimeInputConfig.model_validate(body.pop("realtimeInputConfig"))
        CLIENT[kind].model_validate(body)
    except (ValidationError, KeyError, ValueError) as error:
        yield f"{line[:200]}: {error}"


def main() -> None:
    lines = sys.stdin.read().splitlines()
    found = sorted({text for line in lines for text in problems(sys.argv[1], line)})
    json.dump({"sdk": genai.__version__, "checked": len(lines), "problems": found}, sys.stdout)


if __name__ == "__main__":
    main()
