"""A small MCP server by the official SDK: `python -m esl_controller.simulator.systems.mcp_shop`.

Prints one JSON line with its address, serves on loopback until it is ended. Needs the extra `mcp`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")
STOCK = {"bread": 17, "cake": 0}


@server.tool()
def stock(article: str) -> dict[str, int]:
    """How many pieces of an article there are: bread or cake."""
    if article not in STOCK:
        raise ValueError(f"there is no article {article[:40]!r}; there are bread and cake")
    return {"pieces": STOCK[article]}


def main(port: str = "0") -> None:
    """Serve."""
    sock = socket.create_server(("127.0.0.1", int(port)))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/mcp"
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
    config = uvicorn.Config(server.streamable_http_app(), log_level="critical", lifespan="on")
    asyncio.run(uvicorn.Server(config).serve(sockets=[sock]))


if __name__ == "__main__":
    main(*sys.argv[1:])
