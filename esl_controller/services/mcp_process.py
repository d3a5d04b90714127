"""Speaks with tenants' MCP servers, by the official SDK, in a process of its own.

The SDK is asyncio and validates with pydantic: neither belongs on a worker's hub. A worker starts
one process, writes it one request a line, and reads one answer a line (JSON); the end of standard
input is its end. It is told addresses that were judged and connects no other: names are not looked
up here.

    {"id": 1, "op": "call" | "list", "url": …, "addresses": […], "headers": {…}, "tool": …,
     "arguments": {…}, "deadline_s": 8, "max_bytes": 262144}
    {"id": 1, "result": …}
    {"id": 1, "failed": "timeout" | "unreachable" | …, "words": …, "sent": the tool was asked}

It has no keys but those of the request in hand, and its environment is empty.
"""

from __future__ import annotations

import asyncio
import json
import resource
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

MAX_LINE_BYTES = 1 << 20
MAX_PAGES = 10
"""Of a list of tools."""
MEMORY_BYTES = 1 << 30
CONNECT_S = 5.0


class Refused(Exception):
    """The server did something we do not follow."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


class JudgedTransport(httpx2.AsyncBaseTransport):
    """Connects a host at the addresses that were judged; certificate and Host keep its name."""

    def __init__(self, url: str, addresses: Sequence[str], max_bytes: int, tls: ssl.SSLContext):
        self._host = httpx2.URL(url).host
        self._addresses = addresses
        self._left = max_bytes
        self._inner = httpx2.AsyncHTTPTransport(verify=tls)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, at the first address that accepts."""
        if request.url.host != self._host:
            raise Refused("refused", "leads to another host")
        request.headers["Accept-Encoding"] = "identity"
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        response = await self._send(request)
        if response.is_redirect:
            raise Refused("status", f"answered {response.status_code}: not followed")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Refused("malformed", "answered with a compressed body")
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Counted(stream, self),
            extensions=response.extensions,
        )

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        for last in range(1 - len(self._addresses), 1):
            request.url = url.copy_with(host=self._addresses[last - 1])
            try:
                return await self._inner.handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if not last:
                    raise
        raise Refused("unreachable", "has no address")

    def count(self, size: int) -> None:
        """Take bytes of an answer; raises Refused when there are too many."""
        self._left -= size
        if self._left < 0:
            raise Refused("too_large", "answered too much")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, transport: JudgedTransport) -> None:
        self._stream = stream
        self._transport = transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._transport.count(len(piece))
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def answer(wanted: Mapping[str, Any], tls: ssl.SSLContext) -> dict[str, Any]:
    """What becomes of one request."""
    asked: list[str] = []
    try:
        async with asyncio.timeout(wanted["deadline_s"]):
            return {"id": wanted["id"], "result": await _ask(wanted, tls, asked)}
    except Exception as error:  # noqa: BLE001 - boundary: the worker is told, whatever it is
        reason, words = failure(error)
        return {"id": wanted["id"], "failed": reason, "words": words, "sent": bool(asked)}


async def _ask(wanted: Mapping[str, Any], tls: ssl.SSLContext, asked: list[str]) -> Any:
    """`asked` gets the tool's name once its server may know of the call."""
    transport = JudgedTransport(wanted["url"], wanted["addresses"], wanted["max_bytes"], tls)
    http = httpx2.AsyncClient(
        transport=transport,
        headers=wanted["headers"],
        timeout=httpx2.Timeout(wanted["deadline_s"], connect=CONNECT_S),
        trust_env=False,
        follow_redirects=False,
    )
    async with (
        http,
        Client(
            streamable_http_client(
                wanted["url"], http_client=http, max_sse_event_size=wanted["max_bytes"]
            )
        ) as client,
    ):
        if wanted["op"] == "list":
            return await _tools(client)
        asked.append(wanted["tool"])
        return _told(await client.call_tool(wanted["tool"], wanted["arguments"]))


async def _tools(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += [
            {
                "name": tool.name,
                "description": tool.description or "",
                "parameters": tool.input_schema,
            }
            for tool in page.tools
        ]
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def _told(result: Any) -> dict[str, Any]:
    texts = [part.text for part in result.content if part.type == "text"]
    return {
        "structured": result.structured_content,
        "text": "\n".join(texts),
        "is_error": bool(result.is_error),
    }


_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str, str], ...] = (
    ((TimeoutError, httpx2.TimeoutException), "timeout", "no answer in time"),
    (httpx2.TransportError, "unreachable", "the connection failed"),
    (MCPError, "status", "the server refused it"),
)


def failure(error: BaseException) -> tuple[str, str]:
    """Reason and words for an error: of a group, the first that is known. Quotes nothing."""
    known = [one for one in _leaves(error) if isinstance(one, Refused)]
    if known:
        return known[0].reason, str(known[0])
    for leaf in _leaves(error):
        for kinds, reason, words in _KINDS:
            if isinstance(leaf, kinds):
                return reason, words
    return "malformed", "does not speak MCP"


def _leaves(error: BaseException) -> list[BaseException]:
    """The errors in a group, and what each came from."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting and len(found) < 100:
        one = waiting.pop(0)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        else:
            found.append(one)
        waiting += [inner for inner in (one.__cause__, one.__context__) if inner is not None]
    return found


async def serve(tls: ssl.SSLContext) -> None:
    """Answer until standard input ends; each request in a task of its own."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = asyncio.create_task(_answer_line(line, tls))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _answer_line(line: bytes, tls: ssl.SSLContext) -> None:
    told = await answer(json.loads(line), tls)
    text = json.dumps(told, default=str)
    if len(text) >= MAX_LINE_BYTES:
        text = json.dumps({"id": told["id"], "failed": "too_large", "words": "answered too much"})
    # A worker reads at once or is gone, and then so are we: no other task need wait for it.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run with the CA file to trust as the only argument, or none."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asyncio.run(serve(ssl.create_default_context(cafile=next(iter(sys.argv[1:]), None))))


if __name__ == "__main__":
    main()
