"""Run as a program: check lines of JSON against the `openai` package's types.

`sdk_types.py server|client < lines` prints one JSON list of problems. Each line is held against
the one class of its `type`; the SDK's models let unknown keys pass, this does not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, get_args

import openai
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter, ValidationError

READ_ONLY = ("session.id", "session.object", "session.expires_at")
"""In the server's copies of the session; the SDK's type is that of the request."""


def classes(union: Any) -> dict[str, type[BaseModel]]:
    """The union's members by the value of their `type`."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


def unknown_keys(value: Any, path: str) -> Iterator[str]:
    """Every key no type knows, however deep."""
    if isinstance(value, BaseModel):
        for key in value.model_extra or ():
            if not f"{path}.{key}".endswith(READ_ONLY):
                yield f"{path}.{key}"
        for name in value.model_fields_set:
            yield from unknown_keys(getattr(value, name, None), f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_keys(item, f"{path}[{index}]")


def problems(
    checks: dict[str, TypeAdapter[Any]], union: TypeAdapter[Any], line: str
) -> Iterator[str]:
    """What is wrong with one message."""
    message = json.loads(line)
    kind = message.get("type")
    if kind not in checks:
        yield f"{kind}: no such event"
        return
    try:
        parsed = checks[kind].validate_python(message)
        union.validate_python(message)
    except ValidationError as error:
        yield f"{kind}: {error}"
        return
    yield from unknown_keys(parsed, kind)


def main() -> None:
    union = {"server": RealtimeServerEvent, "client": RealtimeClientEvent}[sys.argv[1]]
    checks = {kind: TypeAdapter(member) for kind, member in classes(union).items()}
    whole = TypeAdapter(union)
    lines = sys.stdin.read().splitlines()
    found = sorted({text for line in lines for text in problems(checks, whole, line)})
    json.dump({"sdk": openai.__version__, "checked": len(lines), "problems": found}, sys.stdout)


if __name__ == "__main__":
    main()
