"""
A mock of two hosted models, in a process of its own: OpenAI's stream and Anthropic's,
a token a chunk, at an exact pace.

    python -m benchmarks.streaming.provider PORT
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

from benchmarks.streaming.texts import play, read
from benchmarks.streaming.wire import Anthropic, OpenAI, Wire

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


async def main(port: int) -> None:
    """Serve until the process is killed."""
    server = await asyncio.start_server(_connection, "127.0.0.1", port)
    await server.serve_forever()


async def _connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    # Connections are kept, as those of real providers are.
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            asked = await _request(reader)
            if asked is None:
                writer.write(NOT_FOUND)
            else:
                await _answer(writer, *asked)
    writer.close()


async def _request(reader: asyncio.StreamReader) -> tuple[Wire, str] | None:
    """Return in what form to answer, and the newest message."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if not head.startswith("post"):
        return None
    length = int(head.partition("content-length:")[2].split("\r\n")[0])
    body: dict[str, Any] = json.loads(await reader.readexactly(length))
    content: Any = body["messages"][-1]["content"]
    text: str = content if isinstance(content, str) else content[0]["text"]
    return (Anthropic() if "/messages" in head.split("\r\n")[0] else OpenAI()), text


async def _answer(writer: asyncio.StreamWriter, wire: Wire, message: str) -> None:
    writer.write(HEAD + wire.begin())
    written = 0
    async for piece in play(read(message)):
        writer.write(wire.say(piece))
        await writer.drain()
        written += 1
    writer.write(wire.end(written) + b"0\r\n\r\n")
    await writer.drain()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
