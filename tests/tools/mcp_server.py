"""A small server of the Model Context Protocol, made with the official library.

`python mcp_server.py` speaks over its standard streams, `python mcp_server.py PORT` over HTTP.
"""

from __future__ import annotations

import os
import sys

from mcp import MCPError
from mcp.server import MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("test")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return f"{a + b}"


@server.tool()
def book(table: str) -> str:
    """Books a table."""
    sys.stderr.write("booked\n")
    return f"{table} is booked"


@server.tool()
def secret() -> str:
    """Tells what it was started with."""
    return os.environ.get("MCP_SECRET", "nothing")


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("no more tables")


@server.tool()
async def hang() -> str:
    """Never answers."""
    import anyio

    await anyio.sleep_forever()
    return ""


@server.tool()
def refuse() -> str:
    """Answers with an error of the protocol."""
    raise MCPError(code=-32603, message="no more tables")


@server.tool()
def up() -> str:
    """Is called hang_up at a desk named hang."""
    return "up"


@server.tool()
def die() -> str:
    """Ends the server."""
    os._exit(3)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
