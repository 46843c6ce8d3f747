"""
A mock of a hosted model, in a process of its own: OpenAI's stream at an exact pace.

    python -m benchmarks.streaming.provider PORT
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

from benchmarks.streaming.texts import play, read

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
            body = await _request(reader)
            if body is None:
                writer.write(NOT_FOUND)
            else:
                await _answer(writer, body)
    writer.close()


async def _request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if not head.startswith("post"):
        return None
    length = int(head.partition("content-length:")[2].split("\r\n")[0])
    body: dict[str, Any] = json.loads(await reader.readexactly(length))
    return body


async def _answer(writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
    asked = read(body["messages"][-1]["content"])
    writer.write(HEAD + _event(_chunk({"role": "assistant", "content": ""})))
    written = 0
    async for piece in play(asked):
        writer.write(_event(_chunk({"content": piece})))
        await writer.drain()
        written += 1
    usage = {"prompt_tokens": 9, "completion_tokens": written}
    usage["total_tokens"] = sum(usage.values())
    writer.write(_event(_chunk({}, "stop")))
    writer.write(_event({**_chunk({}), "choices": [], "usage": usage}))
    writer.write(_framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    await writer.drain()


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-mock",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "mock",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _event(data: dict[str, Any]) -> bytes:
    return _framed(f"data: {json.dumps(data)}\n\n".encode())


def _framed(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
