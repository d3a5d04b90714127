"""Run as a program: answers streamed to the official `groq` and `openai` clients.

`sdk_chat.py SDK BASE_URL` prints one JSON object with what the client saw.
"""

from __future__ import annotations

import json
import sys
from typing import Any

TOOL = {
    "type": "function",
    "function": {"name": "book", "description": "Books", "parameters": {"type": "object"}},
}


def client(sdk: str, base_url: str, key: str = "gsk-test") -> Any:
    """`groq` appends `/openai/v1` by itself."""
    if sdk == "groq":
        from groq import Groq

        return Groq(api_key=key, base_url=base_url.removesuffix("/openai/v1"), max_retries=0)
    from openai import OpenAI

    return OpenAI(api_key=key, base_url=base_url, max_retries=0)


def ask(asker: Any, text: str) -> dict[str, Any]:
    """One streamed answer, put together."""
    said: dict[str, Any] = {"text": "", "calls": {}, "finish": None, "tokens": None}
    stream = asker.chat.completions.create(
        model="openai/gpt-oss-20b",
        messages=[{"role": "user", "content": text}],
        tools=[TOOL],
        stream=True,
        extra_body={"stream_options": {"include_usage": True}},  # groq 1.7.0 has no name for it
    )
    for chunk in stream:
        usage = chunk.usage or getattr(getattr(chunk, "x_groq", None), "usage", None)
        if usage is not None:
            said["tokens"] = usage.total_tokens
        for choice in chunk.choices:
            said["text"] += choice.delta.content or ""
            said["finish"] = choice.finish_reason or said["finish"]
            for call in choice.delta.tool_calls or ():
                name, arguments = said["calls"].get(str(call.index), ("", ""))
                name = call.function.name or name
                said["calls"][str(call.index)] = (name, arguments + (call.function.arguments or ""))
    return said


def failure(asker: Any) -> dict[str, Any]:
    """How the client names an error."""
    try:
        ask(asker, "hello")
    except Exception as error:
        return {"class": type(error).__name__, "text": str(error)}
    return {}


if __name__ == "__main__":
    one = client(sys.argv[1], sys.argv[2])
    result = {
        "first": ask(one, "hello"),
        "second": ask(one, "book it"),
        "limited": failure(one),
        "wrong_key": failure(client(sys.argv[1], sys.argv[2], "wrong")),
    }
    json.dump(result, sys.stdout)
