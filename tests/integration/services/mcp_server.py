"""A real MCP server, by the official SDK, on loopback: run as a program, prints its port."""

from __future__ import annotations

import asyncio
import os
import socket
import sys

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")


@server.tool()
def stock(sku: str, shop: str | None = None) -> dict[str, int]:
    """How many of an article there are."""
    if sku == "none":
        raise ValueError("no such article")
    return {"pieces": len(sku)}


@server.tool()
def greet(name: str) -> str:
    """Say hello."""
    return f"Hello, {name}!\x07"


@server.tool()
async def sleep(seconds: float) -> str:
    """Take long."""
    await asyncio.sleep(seconds)
    return "awake"


@server.tool()
def flood() -> str:
    """Say too much."""
    return "x" * 2_000_000


if __name__ == "__main__":
    sock = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{sock.getsockname()[1]} {os.getpid()}\n")
    sys.stdout.flush()
    config = uvicorn.Config(server.streamable_http_app(), log_level="critical", lifespan="on")
    asyncio.run(uvicorn.Server(config).serve(sockets=[sock]))
